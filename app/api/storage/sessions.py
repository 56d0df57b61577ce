"""ADK's session service, whose errors say what happened and what was stored, wherever ADK passes them on.

ADK answers some errors itself: a session that cannot be made is a 500 with the error's text, and one in the middle of a
stream is a line of it (google-adk 2.13 `_create_session`, `run_agent_sse`). SQL and hosts would stand in both.
"""

import functools
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.sessions.base_session_service import BaseSessionService
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app import start
from app.api.kinds import (
    BusyError,
    OverlapError,
    TooLargeReadError,
    TooSlowError,
    UnfitSchemaError,
    UnfitValueError,
    UnforeseenError,
    name,
    told,
)
from app.api.storage.memory import Held
from app.api.storage.reads import Reads
from app.api.storage.sizes import Read
from app.backends.postgresql import failures
from app.backends.sqlite import connection as sqlite
from app.backends.sqlite.uri import database_path
from app.errors import ConnectionLostError, SessionDatabaseError

_LOG: Final = logging.getLogger(__name__)

_READS: Final = ("get_session", "list_sessions", "get_user_state")

_WRITES: Final = ("create_session", "append_event", "delete_session")

_NO_SUCH: Final = ("42P01", "42703", "3F000")
"""Tables, columns, schemas (PostgreSQL, "PostgreSQL Error Codes")."""

_DENIED: Final = "42501"
"""insufficient_privilege. Of a CREATE it means that something is missing, which ADK makes at its first use and an app
role may not (google-adk 2.13 `DatabaseSessionService.prepare_tables`)."""

_NO_SUCH_IN_FILE: Final = re.compile("no such (table|column)")

_STALE: Final = (
    "another request changed the session after this one had read it. Read the session; where what you sent is not in "
    "it, send it again"
)

Count = Callable[[type[Exception]], None]
"""Takes the kind of an error, for whoever counts them."""


@dataclass
class Work:
    """What one request has done so far.

    Attributes:
        writes: How often the database acknowledged a write of it.
        failed: Told of each error, for whoever answers where ADK does not.
        held: The memory of what it has read; to be ended with the request.
    """

    writes: int = 0
    failed: Callable[[SessionDatabaseError], None] = lambda _: None
    held: Held = field(default_factory=Held)


work: Final[ContextVar[Work]] = ContextVar("work")
"""Of the request that runs; the tasks that ADK makes for it see the same one."""


def telling(service: BaseSessionService, url: URL, count: Count, reads: Reads) -> BaseSessionService:
    """The same service; whatever it raises about the database is one of `app.errors` with words for clients.

    Args:
        service: ADK's.
        url: The database.
        count: Called for each such error, a stale session's too.
        reads: Lets in what reads.

    Raises:
        InvalidSettingError: The settings of the login do not fit.
    """
    advice = start.advice(url)
    for each in (*_READS, *_WRITES):
        # On the object, so that every other method, and what ADK asks of signatures, stays as it is.
        setattr(
            service, each, _telling(_let_in(getattr(service, each), reads), url, count, advice, writes=each in _WRITES)
        )
    return service


def _let_in(method: Callable[..., Awaitable[Any]], reads: Reads) -> Callable[..., Awaitable[Any]]:
    """The same method, which waits until there is memory for what it reads."""

    @functools.wraps(method)
    async def call(*args: Any, **named: Any) -> Any:
        if (read := Read.of(method.__name__, named)) is None:
            return await method(*args, **named)
        done = work.get(None)
        if done is not None and not done.held.over:
            return await reads.through(read, done.held, functools.partial(method, *args, **named))
        held = Held()  # No request, or a task that outlives its own.
        try:
            return await reads.through(read, held, functools.partial(method, *args, **named))
        finally:
            held.end()

    return call


def _telling(
    method: Callable[..., Awaitable[Any]], url: URL, count: Count, advice: Mapping[str, str], *, writes: bool
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def call(*args: Any, **named: Any) -> Any:
        done = work.get(Work())
        try:
            result = await method(*args, **named)
        except StaleSessionError:
            count(StaleSessionError)
            raise StaleSessionError(_STALE) from None
        except (SQLAlchemyError, psycopg.Error, sqlite3.Error, SessionDatabaseError, UnicodeError) as error:
            kind = _kind(error, url)
            count(kind)
            with failures.advised(advice):
                _LOG.warning("%s", _logged(error, kind, url), extra={"kind": name(kind)})
            # Without its cause: SQLAlchemy and libpq may quote parameters and rows.
            failure = kind(_sentence(kind, error, done, writes=writes))
            done.failed(failure)
            raise failure from None
        done.writes += writes
        return result

    return call


def _sentence(kind: type[SessionDatabaseError], error: Exception, done: Work, *, writes: bool) -> str:
    words = str(error) if isinstance(error, TooLargeReadError) else told(kind).words
    if writes and _at_commit(error) and issubclass(kind, ConnectionLostError):
        return f"{words} while it stored: whether it did is unknown. Read the session before you send this again"
    if done.writes:
        return f"{words}. What this request had stored before is kept: read the session before you send it again"
    return f"{words}; nothing of this request was stored"


def _at_commit(error: Exception) -> bool:
    """SQLAlchemy names no statement for COMMIT and for connecting, of which only the former loses a connection."""
    return isinstance(error, DBAPIError) and error.statement is None


def _kind(error: Exception, url: URL) -> type[SessionDatabaseError]:
    if isinstance(error, PoolTimeoutError):
        return BusyError
    original = failures.original(error)
    state = getattr(original, "sqlstate", None) or ""
    if isinstance(original, psycopg.DataError | UnicodeError | OverflowError):
        return UnfitValueError
    if isinstance(original, psycopg.IntegrityError | sqlite3.IntegrityError):
        return OverlapError
    if (
        state in _NO_SUCH
        or _makes(error, state)
        or _NO_SUCH_IN_FILE.match(str(original) if isinstance(original, sqlite3.Error) else "")
    ):
        return UnfitSchemaError
    if state == "57014":  # query_canceled; PostgreSQL, "PostgreSQL Error Codes".
        return TooSlowError
    ours = _meaning(error, url)
    return UnforeseenError if ours is None else type(ours)


def _makes(error: Exception, state: str) -> bool:
    return state == _DENIED and (getattr(error, "statement", None) or "").lstrip().startswith("CREATE")


def _logged(error: Exception, kind: type[SessionDatabaseError], url: URL) -> str:
    """What happened, for whoever runs the server; of a table that is missing not that it may not be made."""
    ours = None if kind is UnfitSchemaError else _meaning(error, url)
    if ours is not None:
        return str(ours)
    which = " ({}, SQLSTATE {})".format(*failures.kind_and_state(error)) if kind is UnforeseenError else ""
    return told(kind).words + which


def _meaning(error: Exception, url: URL) -> SessionDatabaseError | None:
    if isinstance(error, SessionDatabaseError):
        return error
    if isinstance(error, sqlite3.Error):
        return sqlite.translated(error, database_path(url))
    return failures.meaning(error, url) if isinstance(error, DBAPIError | psycopg.Error) else None
