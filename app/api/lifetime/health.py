"""`/livez` and `/readyz`: whether the process lives, and whether it can serve, the latter with a reason."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import psycopg
from fastapi import FastAPI
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.kinds import name, told
from app.api.lifetime import draining
from app.backends.postgresql import failures
from app.backends.postgresql.readiness import expect_ready
from app.backends.sqlite import readiness as sqlite
from app.errors import DatabaseUnavailableError, SessionDatabaseError, VerificationError

_LOG: Final = logging.getLogger(__name__)

BOUND: Final = 2.0
"""Seconds that the database has for an answer."""

_KEPT: Final = 1.0
"""Seconds for which an answer serves all who ask, so that no number of probes loads the database."""

_SILENT: Final = f"the database does not answer within {BOUND:.0f} s"


class Check(Protocol):
    """Asks the database."""

    async def __call__(self) -> None:
        """Return where it can be worked with.

        Raises:
            SessionDatabaseError: It cannot; the kind says why.
        """

    async def forget(self) -> None:
        """Let go of a connection on which an answer did not come."""


class PostgresqlCheck:
    """Asks on a connection of its own, which is kept.

    Not on one of the pool's: while all of those are busy, a probe on them would say that the database is gone, and the
    requests of this replica would be sent to the others, which are as busy. And not on a new one each time: that would
    fail on a server that is out of connections because the pools that serve well have them.

    Args:
        engine: With a pool of one.
        url: The database, for the log.
    """

    def __init__(self, engine: AsyncEngine, url: URL) -> None:
        """Take the engine over; nothing is asked."""
        self._engine, self._url = engine, url

    async def __call__(self) -> None:
        """See `Check`."""
        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(expect_ready)
        except SessionDatabaseError:
            # What a session began with stays, the default of read-only transactions for one: the next asks anew.
            await self._engine.dispose()
            raise
        except (DBAPIError, psycopg.Error) as error:
            raise failures.meaning(error, self._url) or DatabaseUnavailableError(type(error).__name__) from None

    async def forget(self) -> None:
        """See `Check`; the connection ends by itself, when the one who waits on it gives up."""
        await self._engine.dispose(close=False)


class SqliteCheck:
    """Asks the file.

    Args:
        url: The database.
    """

    def __init__(self, url: URL) -> None:
        """Take the URL over; nothing is asked."""
        self._url = url

    async def __call__(self) -> None:
        """See `Check`."""
        await asyncio.to_thread(sqlite.expect_ready, self._url)

    async def forget(self) -> None:
        """See `Check`."""


@dataclass(frozen=True)
class Answer:
    """What was found last.

    Attributes:
        reason: Why not, in words that anybody may read; None where all is well.
        kind: The kind of that, for metrics.
        at: When it was found, by `time.monotonic`.
    """

    reason: str | None
    kind: str
    at: float


class Readiness:
    """Keeps the last answer for a moment; many who ask at once wait for one question.

    Args:
        check: Asks the database.
    """

    def __init__(self, check: Check) -> None:
        """Nothing is asked yet."""
        self._check = check
        self._last = Answer("the database has not been asked yet", "unknown", float("-inf"))
        self._asking: asyncio.Task[Answer] | None = None
        self._given_up: set[asyncio.Task[Answer]] = set()

    @property
    def last(self) -> Answer:
        """The last answer, however old."""
        return self._last

    async def __call__(self) -> Answer:
        """An answer that is a second old at most, within `BOUND` seconds."""
        if time.monotonic() < self._last.at + _KEPT:
            return self._last
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        asking = self._asking
        done, _ = await asyncio.wait({asking}, timeout=BOUND)
        if self._asking is asking:
            self._asking = None
            self._keep(asking.result() if done else await self._give_up(asking))
        return self._last

    async def close(self) -> None:
        """End what is still asked."""
        for task in (*self._given_up, *filter(None, [self._asking])):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task}, timeout=BOUND)

    async def _ask(self) -> Answer:
        try:
            await self._check()
        except SessionDatabaseError as error:
            _LOG.debug("not ready: %s", error)
            return Answer(_reason(error), name(type(error)), time.monotonic())
        except Exception as error:  # noqa: BLE001  # Whatever it is, this server cannot vouch for its database.
            _LOG.error("readiness cannot be told", exc_info=error)
            return Answer("readiness cannot be told; the log has more", "unforeseen", time.monotonic())
        return Answer(None, "ready", time.monotonic())

    async def _give_up(self, asking: asyncio.Task[Answer]) -> Answer:
        """The task ends when it can: a driver that waits for a frozen server cannot be hurried."""
        self._given_up.add(asking)
        asking.add_done_callback(self._given_up.discard)
        asking.cancel()
        await self._check.forget()
        return Answer(_SILENT, "silent", time.monotonic())

    def _keep(self, answer: Answer) -> None:
        """The log has each change once."""
        if answer.reason != self._last.reason:
            _LOG.log(logging.WARNING if answer.reason else logging.INFO, "readiness: %s", answer.reason or "ready")
        self._last = answer


def install(app: FastAPI, readiness: Readiness) -> None:
    """Add the two routes.

    Args:
        app: ADK's app.
        readiness: Asks the database.
    """

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        """Whether the process answers; the database is not asked, since a restart would not mend it."""
        return {"status": "alive"}

    @app.get("/readyz", responses={503: {"description": "Not ready; `reason` says why."}})
    async def readyz(request: Request) -> Response:
        """Whether requests can be served now."""
        if draining.begun(request.app):
            return _unavailable("this server is shutting down")
        answer = await readiness()
        return _unavailable(answer.reason) if answer.reason else JSONResponse({"status": "ready"})

    _without_body(app, "/livez", livez)
    _without_body(app, "/readyz", readyz)
    _without_body(app, "/health", livez)


def _without_body(app: FastAPI, path: str, answer: Callable[..., Any]) -> None:
    """As some balancers ask."""
    app.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False, response_model=None)


def _unavailable(reason: str) -> Response:
    return JSONResponse({"status": "unavailable", "reason": reason}, 503, {"Retry-After": "1"})


def _reason(error: SessionDatabaseError) -> str:
    """A difference as it is, which names tables and rights; else the words of the kind, without hosts and roles."""
    return (
        f"the schema is not as expected: {error}" if isinstance(error, VerificationError) else told(type(error)).words
    )
