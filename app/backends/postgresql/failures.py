"""PostgreSQL's errors as ours: what happened, what to do, and an exit code for each kind.

The server's own words of an error in the middle of work are not passed on: its DETAIL may quote a row.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from app import errors
from app.backends.postgresql import uri

_Kind = type[errors.SessionDatabaseError]

_STATES: Final[tuple[tuple[str, _Kind, str], ...]] = (
    ("25006", errors.ReadOnlyDatabaseError, "it takes no writes. {primary}"),
    ("28", errors.AuthenticationError, "it does not accept user and password. {password}"),
    ("3D000", errors.MissingDatabaseError, "there is no database of that name. {create}"),
    ("42501", errors.InsufficientRightsError, "this role may not: {words}. {admin}"),
    ("40", errors.LockedDatabaseError, "another transaction was in the way. Try again"),
    ("53100", errors.DiskFullError, "its disk is full. Enlarge its storage; nothing was changed"),
    ("53300", errors.DatabaseUnavailableError, "it has no connection left. Raise max_connections, or stop a client"),
    ("53", errors.DatabaseUnavailableError, "it is short of resources: {words}"),
    ("55P03", errors.LockedDatabaseError, "others held a lock for too long. Try again, or give --lock-wait"),
    ("57014", errors.LockedDatabaseError, "a statement took too long. Try again, or give --statement-wait"),
    ("57P03", errors.DatabaseUnavailableError, "it is starting up or shutting down. Try again"),
    ("57P", errors.ConnectionLostError, "it ended the connection. What was not finished was undone; run it again"),
    ("08", errors.ConnectionLostError, "the connection broke. What was not finished was undone; run it again"),
    ("58", errors.DiskFullError, "its disk reports an error: {words}"),
    ("XX", errors.DatabaseUnavailableError, "it reports an error of its own: {words}"),
)
"""SQLSTATEs and classes of them that say something about the place, not about our SQL, the longer ones first.

Source: PostgreSQL, "PostgreSQL Error Codes".
"""

_WORDS: Final[tuple[tuple[str, _Kind, str], ...]] = (
    (
        r"password authentication failed|no password supplied|role .* does not exist|is not permitted to log in",
        errors.AuthenticationError,
        "it does not accept user and password. {password}",
    ),
    (
        r"no pg_hba.conf entry.*no encryption|SSL connection is required|connection is insecure",
        errors.TlsRequiredError,
        "it takes connections with TLS only. Add ?sslmode=require, or better verify-full",
    ),
    (
        r"no pg_hba.conf entry|authentication failed",
        errors.AuthenticationError,
        "it has no rule for this user, database and address",
    ),
    (
        r"server does not support SSL",
        errors.TlsRefusedError,
        "it has no TLS, which sslmode asks for. Switch TLS on there, or write ?sslmode=disable on a trusted network",
    ),
    (
        r"certificate verify failed|does not match host name|root certificate|certificate file|SSL error",
        errors.CertificateError,
        "its certificate is not accepted: {tls}. Renew it, or name the right CA file: &sslrootcert=/path/ca.pem",
    ),
    (r"database .* does not exist", errors.MissingDatabaseError, "there is no database of that name. {create}"),
    (
        r"failed to resolve host|could not translate host name|Name or service not known",
        errors.UnknownHostError,
        "that host is unknown. Check its spelling, or the network from which you ask",
    ),
    (
        r"session is read-only|server is in hot standby",
        errors.ReadOnlyDatabaseError,
        "no server takes writes. {primary}",
    ),
    (
        r"too many (connections|clients)|remaining connection slots",
        errors.DatabaseUnavailableError,
        "it has no connection left. Raise max_connections, or stop a client",
    ),
    (
        r"is starting up|is shutting down|in recovery mode",
        errors.DatabaseUnavailableError,
        "it is starting up or shutting down. Try again",
    ),
    (
        r"Connection refused|No such file or directory|timeout|timed out|is unreachable|No route to host",
        errors.ClosedPortError,
        "nothing answers there. Check host and port, that it runs, and its firewall",
    ),
    (
        r"server closed the connection|connection.*(lost|closed|reset)|terminating connection|EOF detected",
        errors.ConnectionLostError,
        "it ended the connection. What was not finished was undone; run it again",
    ),
)
"""libpq gives no SQLSTATE for a connection that fails; its words and the server's English ones, in this order."""

_ADVICE: Final = {
    "primary": "It is a standby or set read-only: name the primary",
    "password": "Check them, and that a special character is percent-encoded (@ is %40)",
    "create": "Create it there, or name another",
    "admin": "Name a role that may in ADMIN_DB_URI, for example the server's administrator",
}


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what psycopg raises in the body about the server into our errors; what is a mistake of ours stays.

    Args:
        url: The database, for the message.

    Raises:
        DatabaseUnavailableError: Or the kind of it that says what happened.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        if (ours := meaning(error, url)) is None:
            raise
        # Without its cause: SQLAlchemy and libpq may quote parameters and rows.
        raise ours from None


def meaning(error: DBAPIError | psycopg.Error, url: URL) -> errors.SessionDatabaseError | None:
    """The error to raise instead; None where it says nothing about the server.

    Args:
        error: What the driver or SQLAlchemy raised.
        url: The database, for the message.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return None
    state, words = original.sqlstate or "", str(original)
    for prefix, kind, text in _STATES:
        if state.startswith(prefix) and state:
            return _made(kind, text, words, url)
    if state or not isinstance(original, psycopg.OperationalError):
        return None
    for pattern, kind, text in _WORDS:
        if re.search(pattern, words, re.IGNORECASE | re.DOTALL):
            return _made(kind, text, words, url)
    return _made(errors.DatabaseUnavailableError, "it cannot be reached", words, url)


def _made(kind: _Kind, text: str, words: str, url: URL) -> errors.SessionDatabaseError:
    reason = text.format(words=_first_line(words), tls=_tls_words(words), **_ADVICE)
    who = f" as {url.username}" if kind in (errors.AuthenticationError, errors.InsufficientRightsError) else ""
    return kind(f"expected to use the database {url.database} at {uri.hosts(url)}{who}, but {reason}.")


def _first_line(words: str) -> str:
    return words.strip().splitlines()[0].rstrip(".") if words.strip() else "no words"


def _tls_words(words: str) -> str:
    """The part of libpq's words after the address."""
    return _first_line(words).rpartition("failed: ")[2] or "refused"
