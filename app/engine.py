"""The engine that ADK works with: a bounded pool, bounded waits, and a login fetched for each new connection."""

import re
from typing import Any, Final, Literal

import psycopg
from sqlalchemy import URL, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import patience
from app.backends.postgresql import failures, uri
from app.backends.postgresql.reasons import TWO_ANSWERS
from app.backends.postgresql.trust import trusted
from app.credentials.asked import AskedCredentials
from app.credentials.interface import Credentials, Login
from app.errors import AuthenticationError
from app.patience import PatientConnection
from app.pool import MeasuredPool
from app.settings import Settings, variable

APPLICATION: Final = "session-db-api"
"""What `pg_stat_activity` shows, where the URI names nothing else."""

_ALIVE: Final = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""A server that vanishes is noticed within 25 s when idle, and within 15 s when asked; the system's own is hours."""

_IDLE_IN_TRANSACTION: Final = 60_000
"""Milliseconds. ADK holds a row of the session from its first statement to its commit, and nobody else gets it."""

_READ_ONLY: Final = "25006"
"""SQLSTATE of a write that a standby refuses."""


class Pool(Settings):
    """How many connections a process has, and how long it waits."""

    size: int = variable("SESSION_DB_POOL_SIZE", 5, "connections that a process keeps open", ge=1, le=200)
    overflow: int = variable("SESSION_DB_POOL_OVERFLOW", 5, "connections beyond these at busy times", ge=0, le=200)
    timeout: float = variable(
        "SESSION_DB_POOL_TIMEOUT", 10, "seconds that a request waits for a free connection", gt=0, le=300
    )
    recycle: int = variable(
        "SESSION_DB_POOL_RECYCLE", 1800, "seconds after which a connection is replaced when next used", ge=10, le=86400
    )
    connect_timeout: int = variable(
        "SESSION_DB_CONNECT_TIMEOUT", 5, "seconds that connecting may take, for each host of the URI", ge=2, le=60
    )
    statement_timeout: float = variable(
        "SESSION_DB_STATEMENT_TIMEOUT", 30, "seconds that one statement may take; 0 for no bound", ge=0, le=3600
    )
    pooler: Literal["none", "transaction"] = variable(
        "SESSION_DB_POOLER", "none", "what is between: `none`, or a pooler in `transaction` mode", example="transaction"
    )
    replicas: int = variable(
        "SESSION_DB_REPLICAS",
        1,
        "processes like this one, to compare their sum with the server's limit",
        ge=1,
        le=10000,
    )


def create(url: URL, pool: Pool, credentials: Credentials) -> AsyncEngine:
    """Make the engine; nothing is connected yet.

    The engine's own URL has no password, so that whatever prints it shows none.

    Args:
        url: A PostgreSQL URL from `dsn.parse`; what its query says wins over the settings.
        pool: The settings.
        credentials: Asked in a thread for each new connection, and once more where the server refuses what it gave.

    Raises:
        InvalidSettingError: A file that the URL needs is not there.
    """
    place, asked = trusted(_bounded(url, pool)), AskedCredentials(credentials)

    async def connect() -> PatientConnection:
        _, arguments = engine.dialect.create_connect_args(place)
        # Behind such a pooler each transaction may meet another server, which has not prepared what the last one had.
        threshold = None if pool.pooler == "transaction" else 5
        connection = await _opened({**arguments, "prepare_threshold": threshold}, place, asked)
        connection.patience = pool.statement_timeout + patience.MARGIN if pool.statement_timeout else None
        return connection

    engine = create_async_engine(
        Login(url.username, None).on(url),
        async_creator=connect,
        poolclass=MeasuredPool,
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.timeout,
        pool_recycle=pool.recycle,
        pool_pre_ping=True,
        pool_use_lifo=True,  # What is beyond the need of quiet times stays idle, and ends by `recycle` or the server.
        hide_parameters=True,
        use_native_hstore=False,  # ADK has none, and finding out costs a round trip.
    )
    event.listen(engine.sync_engine, "handle_error", _let_go)
    return engine


def _bounded(url: URL, pool: Pool) -> URL:
    query = {"application_name": APPLICATION, "connect_timeout": str(pool.connect_timeout)} | _ALIVE
    url = url.set(query=query | dict(url.query))
    if pool.pooler == "transaction":
        # PgBouncer takes no `options` but on demand ("ignore_startup_parameters"), and RDS Proxy none at all; a SET
        # instead pins the session there (Amazon RDS User Guide, "Avoiding pinning an RDS Proxy"). The role has them.
        return url
    options = {
        "timezone": "UTC",
        "statement_timeout": round(pool.statement_timeout * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION,
    }
    ours = " ".join(f"-c{name}={value}" for name, value in options.items())
    return url.update_query_dict({"options": f"{ours} {uri.options(url)}".strip()})


async def _opened(arguments: dict[str, Any], url: URL, credentials: AskedCredentials) -> PatientConnection:
    login = await credentials.login()
    try:
        return await _connected(arguments, login)
    except psycopg.OperationalError as error:
        if not isinstance(failures.meaning(error, url), AuthenticationError):
            raise
        if (other := await credentials.refused(login)) is None:
            raise
    return await _connected(arguments, other)


async def _connected(arguments: dict[str, Any], login: Login) -> PatientConnection:
    return await PatientConnection.connect(**arguments | {"user": login.user, "password": login.password})


def _let_go(context: ExceptionContext) -> None:
    """Let go of connections that SQLAlchemy would keep: to a standby, and those that a pooler has ended.

    To a standby a name may lead for a while after a failover; it answers the pool's ping, and would refuse every write
    for as long as the pool keeps its connections.
    """
    error = context.original_exception
    if getattr(error, "sqlstate", None) == _READ_ONLY or re.search(TWO_ANSWERS, str(error)):
        context.is_disconnect = True
