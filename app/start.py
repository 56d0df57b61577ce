"""What a server does before it answers: it waits for the database, for a while, and makes what is missing in it."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import URL

from app import verbs
from app.backends.interface import Report, Waits
from app.backends.postgresql import failures
from app.backends.postgresql.connection import opened
from app.backends.postgresql.readiness import expect_ready
from app.backends.postgresql.reasons import SERVER
from app.backends.postgresql.trust import trusted
from app.credentials import choice
from app.credentials.interface import Credentials, another
from app.engine import Pool
from app.errors import (
    AuthenticationError,
    ClosedPortError,
    ConnectionLostError,
    InsufficientRightsError,
    NotReadyError,
    SessionDatabaseError,
    UnknownHostError,
    VerificationError,
)
from app.settings import Settings, variable

_PASSING: Final = (ClosedPortError, ConnectionLostError, NotReadyError, UnknownHostError)
"""What a database that is being made, restarted or failed over says before it answers; a wrong password stays wrong."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
"""Seconds between two tries, each twice as long as the one before."""

_TOLD_EVERY: Final = 10.0
"""Seconds after which a wait is told again."""


class Start(Settings):
    """How a server begins."""

    wait: float = variable(
        "SESSION_DB_WAIT",
        60,
        "seconds that a server waits at its start for a database that is not up yet",
        ge=0,
        le=86400,
    )


def make_ready(url: URL, report: Report = lambda _: None) -> None:
    """As `verbs.make_ready`, with the login that this process is to use, once the database answers.

    Args:
        url: The session database, after `judge`.
        report: Takes a line of progress.

    Raises:
        SessionDatabaseError: As `verbs.make_ready`; what can pass with time only after SESSION_DB_WAIT seconds.
    """
    with failures.advised(advice(url)):
        once_up(lambda: _make_ready(url, report), report)


def advice(url: URL) -> Mapping[str, str]:
    """What errors of the database advise whoever runs a server.

    Args:
        url: The session database.

    Raises:
        InvalidSettingError: The settings do not fit.
    """
    return {**SERVER, "password": choice.whence(url, choice.Proof.read())}


def judge(url: URL) -> None:
    """Refuse what no wait can mend; read-only, and nothing is connected.

    Args:
        url: The session database.

    Raises:
        InvalidSettingError: The CA of the server is not there, or there is a login for a database that has none.
    """
    if url.get_backend_name() == "sqlite":
        choice.require_none(choice.Proof.read())
    else:
        trusted(url)


def once_up(work: Callable[[], object], report: Report) -> None:
    """Do what needs the database, again and again while it is not up yet, for SESSION_DB_WAIT seconds.

    Args:
        work: What to do; undone, or done once, however often it is begun.
        report: Takes a line of progress.

    Raises:
        SessionDatabaseError: As `work`; what can pass with time only after that time.
    """
    seconds = Start.read().wait
    begun = told = time.monotonic()
    pause = _FIRST_PAUSE
    seen: type[SessionDatabaseError] | None = None
    while True:
        try:
            work()
        except _PASSING as error:
            now = time.monotonic()
            if now + pause > begun + seconds:
                raise
            if type(error) is not seen or now > told + _TOLD_EVERY:
                seen, told = type(error), now
                report(f"waiting for the database, up to {begun + seconds - now:.0f} s more: {error}")
        else:
            return
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _make_ready(url: URL, report: Report) -> None:
    if url.get_backend_name() == "sqlite":
        verbs.make_ready(url, report)
        return
    make_ready = _expect_ready if Pool.read().pooler == "transaction" else verbs.make_ready
    source = credentials(url)
    login = source.login()
    try:
        make_ready(login.on(url), report)
    except AuthenticationError:
        if (other := another(source, login)) is None:
            raise
        make_ready(other.on(url), report)


def _expect_ready(url: URL, _: Report) -> None:
    """Behind a pooler nothing is made, since a bootstrap depends on what a session keeps; it has to be there."""
    try:
        with opened(url, Waits(), pooled=True) as connection:
            expect_ready(connection)
    except (InsufficientRightsError, VerificationError) as error:
        message = (
            f"expected a finished session schema in {url.database}, but {error}. Run session-db bootstrap once, with "
            "the owner's URI as ADMIN_DB_URI, at the database server itself and not through the pooler"
        )
        raise InsufficientRightsError(message) from None


def credentials(url: URL) -> Credentials:
    """What gives the logins of a PostgreSQL database, by the settings.

    Args:
        url: The session database.

    Raises:
        InvalidSettingError: The settings do not fit.
    """
    return choice.of(url, choice.Proof.read())
