"""The bootstrapper's connection: bounded waits, UTC, transactions under our control and PostgreSQL's errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.backends.interface import Waits
from app.backends.postgresql.failures import concealed, unknown_host
from app.backends.postgresql.names import quoted
from app.backends.postgresql.trust import rooted
from app.backends.postgresql.uri import with_options

_LOCK: Final = (0x5E55_10DB, 1)
"""The two keys of our advisory lock; others may be used in the same database, so they spell who we are."""

_APPLICATION: Final = "session-db"
"""What `pg_stat_activity` shows."""

_PINNED: Final = "-csearch_path=pg_catalog,pg_temp -crow_security=off"
"""From the first statement on, which is SQLAlchemy's own: whoever may create functions or operators in a schema that is
searched could have an administrator run them (CVE-2018-1058), and a policy on rows is a function as well. Where one
would apply, the statement fails instead of seeing a part."""

_ALIVE: Final = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A network that silently ends is noticed within a minute, not after the operating system's two hours."""


@contextmanager
def opened(url: URL, waits: Waits, *, pooled: bool = False) -> Iterator[Connection]:
    """Open a connection on which nothing waits for ever; no transaction is begun.

    Args:
        url: A URL from `dsn.parse`.
        waits: The bounds.
        pooled: Whether a pooler in transaction mode is in between, which takes no settings: for reading alone.

    Yields:
        One connection, closed in the end.

    Raises:
        DatabaseUnavailableError: It cannot be opened, or breaks; the kind of the error says why.
    """
    with concealed(url), _connected(_engine(url, round(waits.connect), pooled=pooled), url) as connection:
        yield connection


@contextmanager
def in_use(url: URL) -> Iterator[None]:  # noqa: ARG001  # The shape of every backend.
    """Nothing is to be shown: the server knows its clients."""
    yield


@contextmanager
def reading(connection: Connection, waits: Waits) -> Iterator[None]:
    """Run the body in one short transaction that cannot write, on one consistent snapshot."""
    _begin(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", waits)
    with _ended(connection, "ROLLBACK"):
        yield


@contextmanager
def changing(connection: Connection, waits: Waits) -> Iterator[None]:
    """Run the body in one transaction, without any lock of ours."""
    _begin(connection, "BEGIN", waits)
    with _ended(connection, "COMMIT"):
        yield


@contextmanager
def writing(connection: Connection, waits: Waits) -> Iterator[None]:
    """Run the body in one transaction, under the lock that lets one bootstrap at a time into a database.

    The lock ends with the transaction, so that a pooler in transaction mode cannot keep it.

    Args:
        connection: A connection from `opened`.
        waits: `lock` bounds the wait for other bootstraps, and for others to let go of a table.

    Raises:
        LockedDatabaseError: Another bootstrap takes longer than that.
    """
    with changing(connection, waits):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK[0]}, {_LOCK[1]})")
        yield


def use_schema(connection: Connection, name: str) -> None:
    """Find and create tables in one schema alone until the transaction ends."""
    connection.exec_driver_sql(f"SET LOCAL {_path(connection, name)}")


def work_apart(connection: Connection, name: str, waits: Waits) -> None:
    """The same for statements that run outside of any transaction; only their waits for locks are bounded."""
    connection.exec_driver_sql(f"SET {_path(connection, name)}; SET lock_timeout = {round(waits.lock * 1000)}")


def _path(connection: Connection, name: str) -> str:
    return f"search_path = {quoted(connection, name)}, pg_temp"


def scalar(connection: Connection, sql: str, **parameters: object) -> object:
    """The one value of a query, its parameters bound."""
    return connection.execute(text(sql), parameters, execution_options={"no_parameters": False}).scalar_one_or_none()


def rows(connection: Connection, sql: str, **parameters: object) -> list[tuple[object, ...]]:
    """The rows of a query, its parameters bound."""
    found = connection.execute(text(sql), parameters, execution_options={"no_parameters": False})
    return [tuple(row) for row in found]


@contextmanager
def _connected(engine: Engine, url: URL) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except UnicodeError:  # Python's own, of a name that cannot be one of a host.
        raise unknown_host(url) from None
    with connection:
        yield connection


@lru_cache(maxsize=8)
def _engine(url: URL, connect_seconds: int, *, pooled: bool) -> Engine:
    """Kept without any connection: what it has learnt of the server and compiled serves the next one."""
    url = rooted(url)
    query = {"connect_timeout": f"{max(2, connect_seconds)}", "application_name": _APPLICATION} | _ALIVE
    url = url.set(query=query | dict(url.query))
    return create_engine(
        url if pooled else with_options(url, _PINNED),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        use_native_hstore=False,  # Nobody here has one, and finding out costs a round trip.
        # A pooler in transaction mode knows no prepared statements of ours.
        connect_args={"prepare_threshold": None},
        # A statement is sent as it stands: a % in a role's name is no placeholder.
        execution_options={"no_parameters": True},
    )


def _begin(connection: Connection, begin: str, waits: Waits) -> None:
    """Begin a transaction with its bounds, in one round trip."""
    connection.exec_driver_sql(
        f"{begin}; SET LOCAL lock_timeout = {round(waits.lock * 1000)}; "
        f"SET LOCAL statement_timeout = {round(waits.statement * 1000)}; "
        "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL timezone = 'UTC'"
    )


@contextmanager
def _ended(connection: Connection, end: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(SQLAlchemyError):  # The server may be gone, which undoes as much.
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql(end)
