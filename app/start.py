"""What a server does before it answers: it waits for the database, for a while, and makes what is missing in it."""

from sqlalchemy import URL

from app import verbs
from app.credentials import choice
from app.credentials.interface import Credentials


def make_ready(url: URL) -> None:
    """As `verbs.make_ready`, with the login that this process is to use.

    Args:
        url: The session database.

    Raises:
        SessionDatabaseError: As `verbs.make_ready`.
    """
    verbs.make_ready(url if url.get_backend_name() == "sqlite" else credentials(url).login().on(url))


def credentials(url: URL) -> Credentials:
    """What gives the logins of a PostgreSQL database, by the settings.

    Args:
        url: The session database.

    Raises:
        InvalidSettingError: The settings do not fit.
    """
    return choice.of(url, choice.Proof.read())
