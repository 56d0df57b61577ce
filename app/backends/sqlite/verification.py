"""Holds a SQLite database against what ADK needs, table by table, and has ADK try it."""

import asyncio
import sqlite3
import stat
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select

from app import probe
from app.backends.interface import Target, Verified
from app.backends.sqlite import connection as engine
from app.backends.sqlite.bootstrap import refuse_other_layouts
from app.backends.sqlite.uri import database_path
from app.errors import VerificationError
from app.schema.comparison import look, table_differences
from app.schema.sqlite import METADATA


def differences(target: Target) -> tuple[str, ...]:
    """How tables, columns, keys, journal mode and file mode differ from what they should be; read-only.

    Args:
        target: A SQLite database.

    Returns:
        One sentence for each difference.

    Raises:
        DatabaseUnavailableError: There is no such file, or it cannot be used.
        ForeignDatabaseError: The file is no SQLite database.
        IncompatibleLayoutError: ADK wrote it in another layout.
    """
    path = database_path(target.app)
    with engine.opened(target.app) as connection, engine.transaction(connection, "BEGIN"):
        there = set(inspect(connection).get_table_names())
        if "events" in there:
            refuse_other_layouts(connection, path, there)
        found = look(connection, list(METADATA.tables))
        schema = [said for table in METADATA.sorted_tables for said in table_differences(connection, table, found)]
        return (*schema, *_file(connection, path))


def verify(target: Target) -> Verified:
    """Hold the file against what it should be, then write and delete a session through ADK.

    Args:
        target: A SQLite database.

    Returns:
        What was found, with row counts; the probe session leaves nothing.

    Raises:
        VerificationError: One sentence for each difference.
        DatabaseUnavailableError: There is no such file, or it cannot be used.
        ForeignDatabaseError: The file is no SQLite database.
        IncompatibleLayoutError: ADK wrote it in another layout.
    """
    if found := differences(target):
        raise VerificationError(*found)
    _probe(database_path(target.app))
    with engine.opened(target.app) as connection, engine.transaction(connection, "BEGIN"):
        rows = {table.name: _rows(connection, table.name) for table in METADATA.sorted_tables}
        return Verified(rows, database_path(target.app))


def _probe(path: Path) -> None:
    # Imported late: the bootstrapper runs without ADK, and importing it takes longer than everything else here.
    from google.adk.sessions.sqlite_session_service import SqliteSessionService  # noqa: PLC0415

    def ours(error: Exception) -> Exception | None:
        return engine.translated(error, path) if isinstance(error, sqlite3.Error) else None

    with probe.judged(ours):
        asyncio.run(probe.try_session(SqliteSessionService(str(path)), probe.APP))


def _file(connection: Connection, path: Path) -> list[str]:
    found = []
    if (journal := engine.journal_mode(connection)) != "wal":
        found.append(f"journal mode: expected wal, found {journal}. To set it: session-db bootstrap")
    if (mode := stat.S_IMODE(path.stat().st_mode)) != engine.FILE_MODE:
        found.append(f"file mode: expected 0600, found {mode:04o}. To mend it: make up, or chmod 600 {path}")
    return found


def _rows(connection: Connection, table: str) -> int:
    return connection.execute(select(func.count()).select_from(METADATA.tables[table])).scalar_one()
