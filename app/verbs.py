"""The four verbs of a session database, whichever backend it has."""

from sqlalchemy import URL

from app.backends import choice
from app.backends.interface import Bootstrapped, Plan, Report, Target, Verified
from app.errors import InsufficientRightsError


def plan(target: Target) -> Plan:
    """What `bootstrap` would do; read-only.

    Args:
        target: The database.

    Raises:
        SessionDatabaseError: As `bootstrap`.
    """
    return choice.of(target.owner).plan(target)


def bootstrap(target: Target, report: Report = lambda _: None) -> Bootstrapped:
    """Make what is missing of the session schema, under one lock; on a finished one a single short read.

    Args:
        target: The database.
        report: Takes a line for each step.

    Returns:
        What this call did.

    Raises:
        ForeignDatabaseError: The database holds somebody else's data; nothing was changed.
        IncompatibleLayoutError: ADK wrote it in a layout that cannot be worked with; nothing was changed.
        DatabaseUnavailableError: The database cannot be used; the kind of the error says why.
    """
    return choice.of(target.owner).bootstrap(target, report)


def make_ready(url: URL, report: Report = lambda _: None) -> None:
    """What a server does before it starts: as `bootstrap` in the server's own role, but no layout is converted.

    Args:
        url: The database as ADK opens it.
        report: Takes a line for each step.

    Raises:
        InsufficientRightsError: Something is missing that the role may not make.
        OlderLayoutError: The database is to be converted first: `session-db bootstrap`.
        SessionDatabaseError: As `bootstrap`.
    """
    try:
        bootstrap(Target(url, url, convert=False), report)
    except InsufficientRightsError as error:
        if url.get_backend_name() == "sqlite":
            raise
        message = (
            f"expected a finished session schema in {url.database}, but something is missing that {url.username} may "
            "not make: session-db drift says what. Run session-db bootstrap once, with the owner's URI as "
            "ADMIN_DB_URI, for example as a job; this server needs no such URI"
        )
        raise InsufficientRightsError(message) from error


def differences(target: Target) -> tuple[str, ...]:
    """How the database differs from what it should be, a sentence each; read-only.

    Args:
        target: The database.

    Raises:
        SessionDatabaseError: As `bootstrap`.
    """
    return choice.of(target.owner).differences(target)


def verify(target: Target) -> Verified:
    """Check the schema, then write and delete a session through ADK itself, as the app role.

    Args:
        target: The database.

    Raises:
        VerificationError: One sentence for each difference.
        SessionDatabaseError: As `bootstrap`.
    """
    return choice.of(target.owner).verify(target)
