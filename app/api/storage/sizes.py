"""How much ADK would read of the database for one call, asked of the database in one statement."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol

import aiosqlite
from sqlalchemy import URL, event
from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import ORMExecuteState, Session

from app.api.storage.weights import JSON, JSONB, SMALL, Shape, statement
from app.backends.sqlite.uri import database_path
from app.schema import postgresql, sqlite

Call = Callable[[], Awaitable[Any]]
"""Reads."""


@dataclass(frozen=True)
class Read:
    """What ADK is about to read: states at least, and a session with its events or all sessions.

    Attributes:
        app: The app.
        user: The user; all of them where None.
        session: The session; None where none is read.
        all: Whether all sessions are read, without their events.
        recent: How many of the last events are read at most; all where None.
        after: From when on they are read, in seconds since 1970; all where it is 0 or None, as ADK has it.
    """

    app: str
    user: str | None
    session: str | None = None
    all: bool = False
    recent: int | None = None
    after: float | None = None

    @classmethod
    def of(cls, method: str, named: Mapping[str, Any]) -> "Read | None":
        """That of a call of ADK's session service; None where it reads nothing that grows.

        Args:
            method: Its name.
            named: Its arguments (google-adk 2.13 `BaseSessionService`, which takes them by name).
        """
        app, user = named.get("app_name", ""), named.get("user_id")
        if method == "get_session":
            config = named.get("config")
            recent, after = (config.num_recent_events, config.after_timestamp) if config else (None, None)
            return cls(app, user, named.get("session_id"), recent=recent, after=after or None)
        if method == "list_sessions":
            return cls(app, user, all=True)
        return cls(app, user) if method in ("create_session", "get_user_state") else None

    @property
    def trimmed(self) -> "Read":
        """The same under the id that ADK looks for next in a file (google-adk 2.13 `_resolve_session_id`)."""
        return replace(self, session=self.session and self.session.strip())

    @property
    def shape(self) -> Shape:
        """What a statement has to look at."""
        return Shape(
            user=self.user is not None,
            session=self.session is not None,
            all=self.all,
            recent=self.recent is not None,
            after=self.after is not None,
        )

    def parameters(self, after: Any) -> dict[str, Any]:
        """Those of the statement.

        Args:
            after: The moment, as the database has it.
        """
        every = {"app": self.app, "user": self.user, "session": self.session, "recent": self.recent, "after": after}
        return {name: value for name, value in every.items() if value is not None}


class HeavyError(Exception):
    """A read is more than small. For example, a session of 2 MiB.

    Attributes:
        size: Bytes of JSON as ADK gets them, and 100 for each object and list.
    """

    def __init__(self, size: int) -> None:
        """Take the size."""
        super().__init__(size)
        self.size = size


class Sizes(Protocol):
    """Tells how large a read is, in one kind of database."""

    async def small(self, read: Read, call: Call) -> Any:
        """What ADK reads, where it is small.

        Args:
            read: What it is about to read.
            call: Reads it.

        Raises:
            HeavyError: It is not, and nothing was done.
            SQLAlchemyError: Or `sqlite3.Error`; the database fails.
        """


@dataclass
class _Asked:
    """What has to be weighed before ADK's first statement."""

    statement: str
    parameters: Mapping[str, Any]
    done: bool = False


_asked: Final[ContextVar[_Asked | None]] = ContextVar("asked", default=None)


def _weigh(execution: ORMExecuteState) -> None:
    """SQLAlchemy calls it before each statement of a session."""
    asked = _asked.get()
    if asked is None or asked.done:
        return
    asked.done = True
    # As it stands: SQLAlchemy would look at all of its parts each time to find out that it has compiled it.
    found = execution.session.connection().exec_driver_sql(asked.statement, asked.parameters)
    size = int(found.scalar_one())
    if size > SMALL:
        raise HeavyError(size)


class PostgresqlSizes:
    """In PostgreSQL: asked in ADK's own transaction, so that it costs one round trip and no connection."""

    def __init__(self, bound: int) -> None:
        """Listen to SQLAlchemy.

        Args:
            bound: From how many bytes on it does not matter any more how many there are.
        """
        dialect = psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own has no types.
        self._statement = cache(
            lambda shape: statement(postgresql.METADATA, JSONB, bound, shape).compile(dialect=dialect)
        )
        if not event.contains(Session, "do_orm_execute", _weigh):
            event.listen(Session, "do_orm_execute", _weigh)

    async def small(self, read: Read, call: Call) -> Any:
        """As `Sizes`."""
        after = None if read.after is None else datetime.fromtimestamp(read.after, UTC).replace(tzinfo=None)
        compiled = self._statement(read.shape)
        before = _asked.set(_Asked(str(compiled), compiled.construct_params(read.parameters(after))))
        try:
            return await call()
        finally:
            _asked.reset(before)


class SqliteSizes:
    """In a SQLite file, opened for each call, as ADK opens it."""

    def __init__(self, url: URL, bound: int) -> None:
        """Open nothing yet.

        Args:
            url: The database.
            bound: As above.
        """
        self._file = f"{database_path(url).as_uri()}?mode=rw"
        dialect = dialects.dialect(paramstyle="named")
        self._statement = cache(lambda shape: statement(sqlite.METADATA, JSON, bound, shape).compile(dialect=dialect))

    async def small(self, read: Read, call: Call) -> Any:
        """As `Sizes`."""
        if (size := await self._size(read)) > SMALL:
            raise HeavyError(size)
        return await call()

    async def _size(self, read: Read) -> int:
        compiled, size = self._statement(read.shape), 0
        async with aiosqlite.connect(self._file, uri=True) as connection:
            for each in {read, read.trimmed}:
                parameters = compiled.construct_params(each.parameters(each.after))
                for row in await connection.execute_fetchall(str(compiled), parameters):
                    size += int(row[0])
        return size
