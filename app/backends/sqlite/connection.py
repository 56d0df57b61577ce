"""The synchronous connection of the bootstrapper, with transactions under our control and SQLite's errors as ours."""

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import URL, Connection, NullPool, create_engine, inspect
from sqlalchemy.exc import DBAPIError, OperationalError

from app.backends.sqlite.uri import database_path
from app.errors import (
    DatabaseUnavailableError,
    DiskFullError,
    ForeignDatabaseError,
    InsufficientRightsError,
    LockedDatabaseError,
    MissingDatabaseError,
    NotAFileError,
    SessionDatabaseError,
)
from app.regular import readable

BUSY_SECONDS = 30.0
"""How long to wait for another process's lock."""

FILE_MODE: Final = 0o600
"""Sessions are private to whoever runs the server."""

_GONE: Final = "there is no such file. To make it: make up, or session-db bootstrap"

_RETRY_SECONDS: Final = 0.01

_REASONS: Final[dict[int, tuple[type[DatabaseUnavailableError], str]]] = {
    sqlite3.SQLITE_BUSY: (LockedDatabaseError, "another process holds its lock. Stop that process, or try again"),
    sqlite3.SQLITE_LOCKED: (LockedDatabaseError, "another process holds its lock. Stop that process, or try again"),
    sqlite3.SQLITE_PROTOCOL: (LockedDatabaseError, "too many processes open it at once. Try again"),
    sqlite3.SQLITE_CANTOPEN: (
        InsufficientRightsError,
        "it cannot be opened. Check that file and folder exist and belong to you",
    ),
    sqlite3.SQLITE_PERM: (InsufficientRightsError, "access is denied. Check that file and folder belong to you"),
    sqlite3.SQLITE_READONLY: (
        InsufficientRightsError,
        "it cannot be written. Check that file and folder belong to you",
    ),
    sqlite3.SQLITE_FULL: (DiskFullError, "the disk is full"),
    sqlite3.SQLITE_IOERR: (DiskFullError, "the disk reports an error"),
    sqlite3.SQLITE_CORRUPT: (DatabaseUnavailableError, "it is damaged. Restore it from a backup"),
}
"""SQLite's primary result codes (sqlite.org/rescode.html) that say something about the place, not about our SQL."""


@contextmanager
def opened(url: URL) -> Iterator[Connection]:
    """Open an existing SQLite database; never creates the file.

    No transaction is begun: see `transaction`. Foreign keys are enforced and locks are waited for.

    Args:
        url: A URL from `dsn.parse`.

    Yields:
        One connection, closed in the end.

    Raises:
        DatabaseUnavailableError: The file cannot be opened, read or written, or stays locked for `BUSY_SECONDS`.
        ForeignDatabaseError: The file is no SQLite database.
    """
    path = database_path(url)
    _refuse_other_formats(path)

    def connect() -> sqlite3.Connection:
        # mode=rw, since SQLite would otherwise create a missing file with the umask's mode.
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    # AUTOCOMMIT keeps sqlite3 from committing by itself before DDL; `transaction` then means what it says.
    # Source: SQLAlchemy, "SQLite: Enabling Non-Legacy SQLite Transactional Modes with the sqlite3 or aiosqlite driver".
    engine = create_engine(url, creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error) as error:
        if (ours := translated(error, path)) is not None:
            raise ours from error
        raise


@contextmanager
def in_use(url: URL) -> Iterator[None]:
    """Show others that the database is in use while the body runs, so that a destroy refuses to move it.

    ADK opens the file for each request only. One connection that stays does it: SQLite then leaves WAL mode for nobody
    (sqlite.org, "Write-Ahead Logging").

    Args:
        url: A URL from `dsn.parse`, its schema in place.
    """
    with opened(url) as connection:
        journal_mode(connection)
        inspect(connection).get_table_names()
        yield


@contextmanager
def transaction(connection: Connection, begin: Literal["BEGIN", "BEGIN IMMEDIATE"]) -> Iterator[None]:
    """Run the body in one transaction, DDL included: all of it or, on any exception, nothing.

    Args:
        connection: A connection from `opened`.
        begin: `BEGIN` to read one consistent snapshot, `BEGIN IMMEDIATE` to take the write lock at once.
    """
    connection.exec_driver_sql(begin)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.exec_driver_sql("COMMIT")


def journal_mode(connection: Connection) -> str:
    """The journal mode that the file is in, for example `wal`; read-only."""
    return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())


def enter_wal(connection: Connection) -> None:
    """Put the file into WAL mode for good, so that readers and the writer do not wait for one another.

    Raises:
        DatabaseUnavailableError: The file system cannot carry WAL, for example a network share.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = str(connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one())
        except OperationalError as error:
            # SQLite waits for a reader here, but tells one of two that want the exclusive lock at once that the file
            # is locked (seen 1 time in 360), so this waiting is ours.
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
            continue
        if mode != "wal":
            msg = f"expected a disk that can carry SQLite's WAL mode, found journal mode {mode}. Use a local disk."
            raise DatabaseUnavailableError(msg)
        return


def unusable(path: Path, kind: type[DatabaseUnavailableError], reason: str) -> DatabaseUnavailableError:
    """The error for a file that cannot be used, to be raised by the caller."""
    return kind(f"expected to use the database {path}, but {reason}.")


def translated(error: DBAPIError | sqlite3.Error, path: Path) -> SessionDatabaseError | None:
    """The error to raise instead; None where it is a mistake in the SQL and says nothing about the file."""
    code = _code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return _other_format(path)
    if code == sqlite3.SQLITE_CANTOPEN and os.access(path.parent, os.X_OK) and not os.path.lexists(path):
        return unusable(path, MissingDatabaseError, _GONE)
    return unusable(path, *_REASONS[code]) if code in _REASONS else None


def _refuse_other_formats(path: Path) -> None:
    """Before SQLite opens it: opening a file that is no database removes a `-wal` or `-journal` beside it."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            message = (
                f"expected a file, but {path} is a folder. Add a file name in SESSION_DB_URI: sqlite:///{path}/s.db"
            )
            raise NotAFileError(message)
        if not stat.S_ISREG(mode):
            raise _other_format(path)
        if not readable(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError as error:
        raise unusable(path, MissingDatabaseError, _GONE) from error
    except OSError as error:
        reason = f"it cannot be read ({error.strerror}). Check that file and folder belong to you"
        raise unusable(path, InsufficientRightsError, reason) from error
    if _is_other_format(path):
        raise _other_format(path)


def _is_other_format(path: Path) -> bool:
    """Told by SQLite, which touches nothing beside a file that it takes for one on a read-only medium.

    Not by opening the file ourselves: whoever closes it drops the locks that this process's own connections hold on it,
    and then another process removes the log of a database that is in use (sqlite.org, "How To Corrupt An SQLite
    Database File", 2.2).
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:  # What else there is to say of the file is said where it is used.
        return _code(error) == sqlite3.SQLITE_NOTADB
    return False


def _other_format(path: Path) -> ForeignDatabaseError:
    message = f"expected a SQLite database, but {path} is something else. Choose another path in SESSION_DB_URI."
    return ForeignDatabaseError(message)


def _code(error: DBAPIError | sqlite3.Error) -> int:
    """SQLite's primary result code; -1 where the error did not come from SQLite itself."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return getattr(original, "sqlite_errorcode", -1) & 0xFF
