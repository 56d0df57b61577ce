"""PostgreSQL's errors as ours: what happened, what to do, and an exit code for each kind.

The server's own words of an error in the middle of work are not passed on: its DETAIL may quote a row.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import psycopg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, StatementError

from app import errors
from app.backends.postgresql import uri
from app.backends.postgresql.reasons import (
    ADVICE,
    CATALOG_CONSTRAINT,
    STATES,
    TWO_ANSWERS,
    URI_WORDS,
    WORDS,
    Kind,
    password_of,
)

_PREAMBLE: Final = re.compile(r"connection (?:failed|is bad): (?:connection to server .*? failed: )?(?:\w+:  )?")
"""What psycopg and libpq put before the reason: the address, which we name ourselves, and the severity."""

_NAMES: Final = re.compile(r""" "(?!\[local\]")[^"]*"|(?<=host) '[^']*'|(?<=host:) '[^']*'|(?<=hostaddr:) '[^']*'""")
"""Names of hosts, roles, databases and files: they may be spelt like a reason."""


_ADVICE: Final[ContextVar[Mapping[str, str]]] = ContextVar("advice", default=ADVICE)


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


@contextmanager
def concealed(url: URL) -> Iterator[None]:
    """As `translated`, and whatever else is raised goes no further than as one line without the server's words.

    Args:
        url: The database, for the message.

    Raises:
        DatabaseUnavailableError: Or the kind of it that says what happened.
    """
    try:
        with translated(url):
            yield
    except (DBAPIError, psycopg.Error) as error:
        raise _unforeseen(error, url) from None


@contextmanager
def advised(advice: Mapping[str, str]) -> Iterator[None]:
    """While the body runs, have errors advise something else than what is for whoever runs a command.

    Args:
        advice: By the names of `reasons.ADVICE`, and of `reasons.password_of`.
    """
    token = _ADVICE.set(advice)
    try:
        yield
    finally:
        _ADVICE.reset(token)


def meaning(error: DBAPIError | psycopg.Error, url: URL) -> errors.SessionDatabaseError | None:
    """The error to raise instead; None where it says nothing about the server.

    Args:
        error: What the driver or SQLAlchemy raised.
        url: The database, for the message.
    """
    cause = original(error)
    if not isinstance(cause, psycopg.Error):
        return None
    state, words = cause.sqlstate, str(cause)
    if state is not None:
        return _of_state(cause, state, url)
    if not isinstance(cause, psycopg.OperationalError) and not re.search(f"{URI_WORDS}|{TWO_ANSWERS}", words):
        return None
    asked = f"{_NAMES.sub('…', words)}\n(sslmode={url.query.get('sslmode', os.environ.get('PGSSLMODE'))})"
    for pattern, kind, text in WORDS:
        if re.search(pattern, asked, re.IGNORECASE):
            return _made(kind, text, words, url)
    return _made(errors.DatabaseUnavailableError, "it cannot be reached: {words}", words, url)


def original(error: Exception) -> BaseException:
    """What the driver raised, which SQLAlchemy wraps in an error of its own; read-only.

    Args:
        error: Of either.
    """
    return error.orig if isinstance(error, StatementError) and error.orig is not None else error


def kind_and_state(error: Exception) -> tuple[str, str]:
    """What may be told of any error, without words of the server, which may quote rows; read-only.

    Args:
        error: What the driver or SQLAlchemy raised.

    Returns:
        The driver's class and the SQLSTATE, `none` where there is none.
    """
    cause = original(error)
    return type(cause).__name__, getattr(cause, "sqlstate", None) or "none"


def _unforeseen(error: DBAPIError | psycopg.Error, url: URL) -> errors.SessionDatabaseError:
    kind, state = kind_and_state(error)
    reason = f"it answered {kind} (SQLSTATE {state}). Nothing of that step was kept; see its log"
    return errors.DatabaseUnavailableError(_sentence(reason, url))


def unknown_host(url: URL) -> errors.UnknownHostError:
    """The error for a name that cannot be one of a host, for example with an empty label.

    Args:
        url: The database, for the message.
    """
    return errors.UnknownHostError(_sentence("that is no name of a host. Check its spelling", url))


def _of_state(error: psycopg.Error, state: str, url: URL) -> errors.SessionDatabaseError | None:
    if state == "23505" and re.fullmatch(CATALOG_CONSTRAINT, error.diag.constraint_name or ""):
        state = "42710"
    for prefix, kind, text in STATES:
        if state.startswith(prefix):
            return _made(kind, text, str(error), url)
    return None


def _made(kind: Kind, text: str, words: str, url: URL) -> errors.SessionDatabaseError:
    advice = dict(_ADVICE.get())
    advice["password"] = advice.get(password_of(url.username), advice["password"])
    named = kind in (errors.AuthenticationError, errors.InsufficientRightsError) and url.username
    return kind(_sentence(text.format(words=_brief(words, url), **advice), url, f" as {url.username}" if named else ""))


def _sentence(reason: str, url: URL, who: str = "") -> str:
    return f"expected to use the database {url.database} at {uri.hosts(url)}{who}, but {reason}."


def _brief(words: str, url: URL) -> str:
    """The reason alone, in one line and without the password, wherever a library may quote it."""
    first = _PREAMBLE.sub("", words.strip(), count=1).partition("\n")[0].strip().rstrip(".") or "no words"
    return first.replace(str(url.password), "***") if url.password else first
