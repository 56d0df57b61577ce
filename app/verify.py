"""Holds a session database against what ADK needs, table by table, and has ADK try it."""

import stat
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, func, inspect, select

from app import dsn, engine, probe
from app.bootstrap import refuse_other_layouts
from app.errors import VerificationError
from app.schema.comparison import differences
from app.schema.sqlite import METADATA


@dataclass(frozen=True)
class Verified:
    """A database that ADK can use.

    Attributes:
        path: The database file.
        tables: Rows by table.
    """

    path: Path
    tables: dict[str, int]


def verify(url: URL) -> Verified:
    """Check tables, columns, keys, journal mode and file mode, then write and delete a session through ADK.

    Args:
        url: A URL from `dsn.parse`.

    Returns:
        What was found, with row counts; the probe session leaves nothing.

    Raises:
        VerificationError: One sentence for each difference.
        DatabaseUnavailableError: There is no such file, or it cannot be used.
        ForeignDatabaseError: The file is no SQLite database.
        IncompatibleLayoutError: ADK wrote it in another layout.
    """
    path = dsn.database_path(url)
    with engine.opened(url) as connection, engine.transaction(connection, "BEGIN"):
        there = set(inspect(connection).get_table_names())
        if "events" in there:
            refuse_other_layouts(connection, path, there)
        found = [*_schema(connection, there), *_file(connection, path)]
    if found:
        raise VerificationError(*found)
    probe.try_session(url)
    with engine.opened(url) as connection, engine.transaction(connection, "BEGIN"):
        return Verified(path, {table.name: _rows(connection, table.name) for table in METADATA.sorted_tables})


def _schema(connection: Connection, there: set[str]) -> list[str]:
    found: list[str] = []
    for table in METADATA.sorted_tables:
        if table.name in there:
            found += differences(connection, table)
        else:
            found.append(f"{table.name}: expected this table, found none. To make it: session-db bootstrap")
    return found


def _file(connection: Connection, path: Path) -> list[str]:
    found = []
    if (journal := engine.journal_mode(connection)) != "wal":
        found.append(f"journal mode: expected wal, found {journal}. To set it: session-db bootstrap")
    if (mode := stat.S_IMODE(path.stat().st_mode)) != engine.FILE_MODE:
        found.append(f"file mode: expected 0600, found {mode:04o}. To mend it: make up, or chmod 600 {path}")
    return found


def _rows(connection: Connection, table: str) -> int:
    return connection.execute(select(func.count()).select_from(METADATA.tables[table])).scalar_one()
