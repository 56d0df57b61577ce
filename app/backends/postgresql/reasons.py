"""What PostgreSQL, libpq and psycopg say when something fails, and which of our errors it is: two tables."""

from typing import Final

from app import errors

Kind = type[errors.SessionDatabaseError]

PASSWORD_REFUSED: Final = "it does not accept user and password"  # noqa: S105  # Words, no password.
"""Of an authentication that fails, the kind that another password may end."""

STATES: Final[tuple[tuple[str, Kind, str], ...]] = (
    ("25006", errors.ReadOnlyDatabaseError, "it takes no writes. {primary}"),
    ("25P03", errors.ConnectionLostError, "its idle_in_transaction_session_timeout ended the work. {undone}"),
    ("25P04", errors.ConnectionLostError, "its transaction_timeout ended the work. Raise it. {undone}"),
    ("28", errors.AuthenticationError, f"{PASSWORD_REFUSED}. {{password}}"),
    ("3D000", errors.MissingDatabaseError, "there is no database of that name. {create}"),
    ("40", errors.LockedDatabaseError, "another transaction was in the way. Try again"),
    ("42501", errors.InsufficientRightsError, "this role may not: {words}. {admin}"),
    ("42710", errors.LockedDatabaseError, "another program made the same in this moment. Try again"),
    ("42P07", errors.LockedDatabaseError, "another program made the same in this moment. Try again"),
    ("53100", errors.DiskFullError, "its disk is full. Enlarge its storage; nothing was changed"),
    ("53300", errors.NotReadyError, "it has no connection left. {connections}"),
    ("53", errors.DatabaseUnavailableError, "it is short of resources: {words}"),
    ("55P03", errors.LockedDatabaseError, "others held a lock for too long. {lock}"),
    (
        "57014",
        errors.LockedDatabaseError,
        "a statement took too long or was cancelled. {statement}",
    ),
    ("57P03", errors.NotReadyError, "it is starting up or shutting down. Try again"),
    ("57P", errors.ConnectionLostError, "it ended the connection. {undone}"),
    ("08", errors.ConnectionLostError, "the connection broke. {undone}"),
    ("58", errors.DiskFullError, "its disk reports an error: {words}"),
    ("P0001", errors.InsufficientRightsError, "a trigger there refuses this: {words}. {admin}"),
    ("XX", errors.DatabaseUnavailableError, "it reports an error of its own: {words}"),
)
"""SQLSTATEs and classes of them that say something about the place, not about our SQL, the longer ones first.

Source: PostgreSQL, "PostgreSQL Error Codes".
"""

CATALOG_CONSTRAINT: Final = r"pg_.*_index"
"""What two transactions that make the same table, role or schema at once break, one of them with 23505."""

URI_WORDS: Final = r"bad value for connect_timeout|invalid connection option"
"""What psycopg says of a URI that it does not even try, as ProgrammingError."""

TWO_ANSWERS: Final = r"received \d+ results from command"
"""What psycopg says, as InternalError, where a pooler ends a connection beside the server that ends its own."""

WORDS: Final[tuple[tuple[str, Kind, str], ...]] = (
    (
        rf"{URI_WORDS}|connection is bad: (?:invalid|weak|could not match|\w+ value)",
        errors.InvalidUriError,
        "a part of its URI cannot be used: {words}. Change it there",
    ),
    (TWO_ANSWERS, errors.ConnectionLostError, "the connection broke. {undone}"),
    (  # PgBouncer's words, and those of RDS Proxy.
        r"unsupported startup parameter|doesn't support command-line options",
        errors.InvalidSettingError,
        "a pooler in between takes no settings. Name the server, or set SESSION_DB_POOLER=transaction to serve",
    ),
    (
        r"authentication failed|no password supplied|role… does not exist|is not permitted to log in",
        errors.AuthenticationError,
        f"{PASSWORD_REFUSED}. {{password}}",
    ),
    (
        r"pg_hba\.conf .*for host….*no encryption(?:.|\n)*\(sslmode=disable\)$",
        errors.TlsRequiredError,
        "without TLS it does not take this user, database and address. Write ?sslmode=require, or better verify-full",
    ),
    (  # Of poolers and clouds; not tried here.
        r"SSL connection is required|SSL required|connection is insecure",
        errors.TlsRequiredError,
        "without TLS it does not take this user, database and address. Write ?sslmode=require, or better verify-full",
    ),
    (
        r"pg_hba\.conf",
        errors.AuthenticationError,
        "it has no rule for this user, database and address, or one that rejects them. Change its pg_hba.conf",
    ),
    (
        r"valid client certificate|certificate required",
        errors.AuthenticationError,
        "it wants a certificate of the client too. Name one: &sslcert=/path/client.pem&sslkey=/path/client.key",
    ),
    (
        r"server does not support SSL",
        errors.TlsRefusedError,
        "it has no TLS, which sslmode asks for. Switch TLS on there, or write ?sslmode=disable on a trusted network",
    ),
    (
        r"certificate verify failed",
        errors.CertificateError,
        "its certificate has expired, or its CA is unknown here. Renew it, or name the CA: &sslrootcert=/path/ca.pem",
    ),
    (
        r"does not match host name",
        errors.CertificateError,
        "its certificate is of another host: {words}. Use the certificate's name, or have it issued for this one",
    ),
    (
        r"certificate file|private key file",
        errors.CertificateError,
        "a file for TLS cannot be used: {words}. Name the right one: &sslrootcert=/path/ca.pem",
    ),
    (r"database… does not exist", errors.MissingDatabaseError, "there is no database of that name. {create}"),
    (
        r"permission denied for database",
        errors.InsufficientRightsError,
        "this role may not connect to it. GRANT CONNECT ON DATABASE, or name another role",
    ),
    (
        r"database… is not currently accepting connections",
        errors.DatabaseUnavailableError,
        "it is closed for everybody. ALTER DATABASE … ALLOW_CONNECTIONS true, or name another",
    ),
    (
        r"failed to resolve host|could not translate host name|Name or service not known",
        errors.UnknownHostError,
        "that host is unknown. Check its spelling, or the network from which you ask",
    ),
    (
        r"session is read-only|server is in hot standby|Hot standby mode is disabled",
        errors.ReadOnlyDatabaseError,
        "no server there takes writes. {primary}",
    ),
    (
        r"too many (?:connections|clients)|remaining connection slots",
        errors.NotReadyError,
        "it has no connection left. {connections}",
    ),
    (
        r"could not write init file|No space left",
        errors.DiskFullError,
        "its disk is full. Enlarge its storage; nothing was changed",
    ),
    (
        r"is starting up|is shutting down|in recovery mode|not yet accepting connections",
        errors.NotReadyError,
        "it is starting up or shutting down. Try again",
    ),
    (
        r"received invalid response|expected authentication request",
        errors.DatabaseUnavailableError,
        "something else than PostgreSQL answers there. Check host and port",
    ),
    (
        r"connection failed: .*(?:server closed the connection|reset by peer)",
        errors.ClosedPortError,
        "what answers there closes the connection at once. Check host and port, and where a proxy leads to",
    ),
    (
        r"consuming input failed|terminating connection|sending .*failed|EOF|connection.*(?:lost|closed|reset)",
        errors.ConnectionLostError,
        "it ended the connection. {undone}",
    ),
    (
        r"Connection refused|No such file or directory|timeout expired|timed out|unreachable|No route",
        errors.ClosedPortError,
        "nothing answers there. Check host and port, that it runs, and its firewall",
    ),
    (r"SSL error", errors.CertificateError, "TLS with it fails: {words}. Check its certificate and its TLS versions"),
)
"""libpq gives no SQLSTATE for a connection that fails; its words and the server's English ones, in this order.

Another language of the server's (`lc_messages`) ends in the plain `DatabaseUnavailableError` with the server's words.
"""

ADVICE: Final = {
    "primary": "It is a standby or set read-only: name the primary",
    "password": "Check them, and that a special character is percent-encoded (@ is %40)",
    "create": "Create it there, or name another",
    "admin": "Name a role that may in ADMIN_DB_URI, for example the server's administrator",
    "undone": "What was not finished was undone; run it again",
    "connections": "Raise max_connections or the CONNECTION LIMIT, or stop a client",
    "lock": "Try again, or give --lock-wait",
    "statement": "Try again, or give --statement-wait",
}
"""What to do, for whoever runs a command."""


def password_of(role: str | None) -> str:
    """The name of an advice that is for one role's login, and counts before that of every role, `password`.

    Args:
        role: Its name, as the URI has it.
    """
    return f"password of {role}"


SERVER: Final = {
    **ADVICE,
    "admin": "Give this role its rights: run session-db bootstrap once, with the owner's URI, for example as a job",
    "undone": "What was not finished was undone",
    "lock": "pg_locks tells who holds it",
    "statement": "Look for what is slow there, or raise SESSION_DB_STATEMENT_TIMEOUT",
}
"""The same for whoever runs a server, which has neither an administrator's URI nor a command's options."""
