"""ADK's own session service as a well-behaved client opens it: a dead server is noticed within seconds."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from app.backends.postgresql import failures
from app.backends.postgresql.trust import rooted
from app.backends.postgresql.uri import adk_uri

if TYPE_CHECKING:
    from google.adk.sessions.database_session_service import DatabaseSessionService

_ALIVE: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "9000",
    "application_name": "session-db-drill",
}
"""A machine that vanishes says nothing: the kernel's own probes end such a connection after 9 s, not after two hours.

No statement has a bound: PostgreSQL acknowledges a commit whose wait for the standby is cancelled, replicated or not
(PostgreSQL, "Synchronous Replication"), so a bound would make the loss that a drill looks for.
"""


def opened(url: URL, connections: int) -> "DatabaseSessionService":
    """ADK's service on a database.

    Args:
        url: A PostgreSQL URL from `dsn.parse`, of the app role.
        connections: How many may be open at once.

    Returns:
        The service, an asynchronous context manager; nothing is connected yet.
    """
    from google.adk.sessions.database_session_service import DatabaseSessionService  # noqa: PLC0415  # Keeps --help quick.

    url = rooted(url)
    alive = url.set(query=_ALIVE | dict(url.query))
    return DatabaseSessionService(adk_uri(alive), pool_size=connections, max_overflow=0)


def kind(error: Exception, url: URL) -> str:
    """The name of an error for a report; never its words, which may quote a row.

    Args:
        error: What ADK raised.
        url: The database.
    """
    if isinstance(error, DBAPIError):
        ours = failures.meaning(error, url)
        return type(ours if ours is not None else error.orig).__name__
    return type(error).__name__
