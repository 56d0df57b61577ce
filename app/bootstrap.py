"""Creates the session schema: exact, in one transaction, and safe when many start at once."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, inspect

from app import dsn, engine
from app.errors import ForeignDatabaseError, IncompatibleLayoutError, OlderLayoutError
from app.schema.comparison import differences
from app.schema.sqlite import METADATA

_HEADER: Final = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Bootstrapped:
    """What a bootstrap did.

    Attributes:
        created: The tables it made, in the order in which it made them.
        changed: Whether it wrote anything.
    """

    created: tuple[str, ...]
    changed: bool


def bootstrap(url: URL) -> Bootstrapped:
    """Create what is missing of the session schema; on a finished one a single short read.

    Args:
        url: A URL from `dsn.parse`; a missing file is created with mode 0600, a missing folder with 0700.

    Returns:
        What was created.

    Raises:
        ForeignDatabaseError: The file holds somebody else's data, or is no SQLite database; nothing was changed.
        IncompatibleLayoutError: ADK wrote it in another layout; nothing was changed.
        DatabaseUnavailableError: The file cannot be used, or stays locked.
    """
    path = dsn.database_path(url)
    made = _make_file(path)
    with engine.opened(url) as connection:
        with engine.transaction(connection, "BEGIN"):
            missing = _missing(connection, path)
        if not missing and engine.journal_mode(connection) == "wal":
            return Bootstrapped((), made)
        engine.enter_wal(connection)
        with engine.transaction(connection, "BEGIN IMMEDIATE"):
            created = _missing(connection, path)  # Looked at again: another process may have been quicker.
            METADATA.create_all(connection, tables=[METADATA.tables[name] for name in created], checkfirst=False)
    return Bootstrapped(created, changed=True)


def _make_file(path: Path) -> bool:
    """Create the file where there is none, private from the start; an existing folder's mode is the owner's affair."""
    if path.is_file():
        _refuse_other_formats(path)
        return False
    if path.is_dir():
        message = f"expected a file, but {path} is a folder. Add a file name in SESSION_DB_URI: sqlite:///{path}/s.db"
        raise ForeignDatabaseError(message)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, engine.FILE_MODE))
    except OSError as error:
        raise engine.unusable(path, f"it cannot be made ({error.strerror})") from error
    return True


def _refuse_other_formats(path: Path) -> None:
    """Before SQLite opens it: opening a file that is no database may remove what lies beside it."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
    except OSError as error:
        raise engine.unusable(path, f"it cannot be read ({error.strerror})") from error
    if head not in (b"", _HEADER):
        message = f"expected a SQLite database, but {path} is something else. Choose another path in SESSION_DB_URI."
        raise ForeignDatabaseError(message)


def _missing(connection: Connection, path: Path) -> tuple[str, ...]:
    """The session tables that are not there, in an order that foreign keys allow; read-only.

    Raises:
        ForeignDatabaseError: The tables that are there are not ADK's.
        IncompatibleLayoutError: They are ADK's, in another layout.
    """
    there = set(inspect(connection).get_table_names())
    ours = [table for table in METADATA.sorted_tables if table.name in there]
    if there and not ours:
        raise _foreign(path, f"it holds the tables {', '.join(sorted(there))}")
    if "events" in there:
        _refuse_other_layouts(connection, path, there)
    found = [difference for table in ours for difference in differences(connection, table)]
    if found:
        raise _foreign(path, "; ".join(found))
    return tuple(table.name for table in METADATA.sorted_tables if table.name not in there)


def _refuse_other_layouts(connection: Connection, path: Path, there: set[str]) -> None:
    """ADK's own check looks for `event_data` only (google-adk 2.13 `SqliteSessionService._is_migration_needed`)."""
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
