"""Creates the session schema: exact, in one transaction, and safe when many start at once."""

import contextlib
import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from app.backends.interface import Bootstrapped, Plan, Report, Step, Target
from app.backends.sqlite import connection as engine
from app.backends.sqlite.uri import database_path
from app.errors import (
    ForeignDatabaseError,
    IncompatibleLayoutError,
    InsufficientRightsError,
    OlderLayoutError,
)
from app.schema.comparison import ddl, differences, look
from app.schema.sqlite import METADATA

_FOLDER_MODE: Final = 0o700

_WAL: Final = Step("switch to WAL mode", ("PRAGMA journal_mode = WAL",))


def plan(target: Target) -> Plan:
    """What `bootstrap` would do; read-only, and the file is not made either.

    Args:
        target: A SQLite database.

    Returns:
        What is there, and the steps with their SQL.

    Raises:
        ForeignDatabaseError: The file holds somebody else's data, or is no SQLite database.
        IncompatibleLayoutError: ADK wrote it in another layout.
        DatabaseUnavailableError: The file cannot be used, or stays locked.
    """
    path = database_path(target.owner)
    if _is_missing(path):
        tables = _tables(tuple(table.name for table in METADATA.sorted_tables))
        return Plan("no such file", (_file(path), _WAL, *tables))
    with engine.opened(target.owner) as connection, engine.transaction(connection, "BEGIN"):
        missing = _missing(connection, path)
        wal = () if engine.journal_mode(connection) == "wal" else (_WAL,)
    found = "no session tables" if len(missing) == len(METADATA.tables) else "ADK's layout for SQLite"
    return Plan(found, (*wal, *_tables(missing)))


def bootstrap(target: Target, report: Report) -> Bootstrapped:
    """Create what is missing of the session schema; on a finished one a single short read.

    Args:
        target: A SQLite database; a missing file is created with mode 0600, a missing folder with 0700.
        report: Takes a line for each step.

    Returns:
        The steps that this call took.

    Raises:
        ForeignDatabaseError: The file holds somebody else's data, or is no SQLite database; nothing was changed.
        IncompatibleLayoutError: ADK wrote it in another layout; nothing was changed.
        DatabaseUnavailableError: The file cannot be used, or stays locked.
    """
    path = database_path(target.owner)
    done = [_file(path).name] if _make_file(path) else []
    with engine.opened(target.owner) as connection:
        with engine.transaction(connection, "BEGIN"):
            missing = _missing(connection, path)
        in_wal = engine.journal_mode(connection) == "wal"
        if missing or not in_wal:
            if not in_wal:
                engine.enter_wal(connection)
                done.append(_WAL.name)
            with engine.transaction(connection, "BEGIN IMMEDIATE"):
                created = _missing(connection, path)  # Looked at again: another process may have been quicker.
                METADATA.create_all(connection, tables=[METADATA.tables[name] for name in created], checkfirst=False)
            done += [step.name for step in _tables(created)]
    for name in done:
        report(name)
    return Bootstrapped(tuple(done))


def _is_missing(path: Path) -> bool:
    """Whether a file could be made there; where not even that can be told, opening it says why."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _file(path: Path) -> Step:
    return Step(f"create file {path}, mode {engine.FILE_MODE:04o}", ())


def _tables(names: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(
        Step(f"create table {name}", (ddl(CreateTable(METADATA.tables[name]), sqlite.dialect()),)) for name in names
    )


def _make_file(path: Path) -> bool:
    """Create the file where there is none, private from the start; whether it was this process that did."""
    try:
        if path.exists():
            return False
        _make_folders(path.parent)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, engine.FILE_MODE)
    except FileExistsError:
        return False  # Another process was quicker, or the path leads through a file: opening it tells.
    except OSError as error:
        reason = f"it cannot be made ({error.strerror}). Check that the folder is yours, or set SESSION_DB_URI"
        raise engine.unusable(path, InsufficientRightsError, reason) from error
    os.fchmod(descriptor, engine.FILE_MODE)  # Whatever the umask.
    os.close(descriptor)
    return True


def _make_folders(folder: Path) -> None:
    """Make what is missing of the way to the file, private too; an existing folder's mode is the owner's affair."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        with contextlib.suppress(FileExistsError):
            missing.mkdir(mode=_FOLDER_MODE)
            missing.chmod(_FOLDER_MODE)  # Whatever the umask.


def _missing(connection: Connection, path: Path) -> tuple[str, ...]:
    """The session tables that are not there, in an order that foreign keys allow; read-only.

    Raises:
        ForeignDatabaseError: The tables that are there are not ADK's.
        IncompatibleLayoutError: They are ADK's, in another layout.
    """
    there = set(inspect(connection).get_table_names())
    _refuse_taken_names(connection, path, there)
    ours = [table for table in METADATA.sorted_tables if table.name in there]
    if there and not ours:
        raise _foreign(path, f"it holds the tables {', '.join(sorted(there))}")
    if "events" in there:
        refuse_other_layouts(connection, path, there)
    found = look(connection, [table.name for table in ours])
    unlike = [difference for table in ours for difference in differences(connection, table, found)]
    if unlike:
        raise _foreign(path, "; ".join(unlike))
    return tuple(table.name for table in METADATA.sorted_tables if table.name not in there)


def _refuse_taken_names(connection: Connection, path: Path, tables: set[str]) -> None:
    """SQLite keeps one list of names for tables, views and indexes, and takes `EVENTS` for `events`."""
    query = "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view', 'index') AND name NOT LIKE 'sqlite_%'"
    taken = [
        f"the {kind} {name}"
        for kind, name in connection.exec_driver_sql(query)
        if (name.lower() in METADATA.tables or not tables) and (kind != "table" or name not in METADATA.tables)
    ]
    if taken:
        raise _foreign(path, f"it holds {', '.join(taken)}")


def refuse_other_layouts(connection: Connection, path: Path, there: set[str]) -> None:
    """Tell ADK's other layouts of `events` by name; read-only.

    Args:
        connection: An open connection, on which the table `events` exists.
        path: The file, for the message.
        there: The names of all tables.

    Raises:
        OlderLayoutError: As ADK's own check, for `event_data` (google-adk 2.13 `_is_migration_needed`).
        IncompatibleLayoutError: The layout of `sqlite+aiosqlite://`, which that check does not see.
    """
    columns = {column["name"]: str(column["type"]) for column in inspect(connection).get_columns("events")}
    if "event_data" not in columns and "invocation_id" in columns:
        message = (
            f"expected ADK's present layout, but {path} has an older one. Migrate it to a new file: python -m "
            "google.adk.sessions.migration.migrate_from_sqlalchemy_sqlite "
            f"--source_db_path {path} --dest_db_path {path}.new; then name the new one in SESSION_DB_URI."
        )
        raise OlderLayoutError(message)
    if "adk_internal_metadata" in there or columns.get("timestamp") == "DATETIME":
        message = (
            f"expected the layout of sqlite:///, but {path} has the one that ADK keeps under sqlite+aiosqlite:///, "
            "which does not mix with it. Choose another path in SESSION_DB_URI; the file stays as it is."
        )
        raise IncompatibleLayoutError(message)


def _foreign(path: Path, what: str) -> ForeignDatabaseError:
    expected = f"expected ADK's session tables or an empty database at {path}"
    return ForeignDatabaseError(f"{expected}, but {what}. Choose another path in SESSION_DB_URI.")
