"""Behind a real PgBouncer in transaction mode: what fails there by default, and what one setting makes of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from google.adk.events import Event
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import start
from app.backends.postgresql import failures
from app.errors import InsufficientRightsError, InvalidSettingError
from rehearsal.binaries import pooler as program
from rehearsal.pooler import Pooler

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]

SERVERS = 4
"""How many connections to the server all clients share."""


@pytest.fixture
def pooler(sessions: URL, ground: Path) -> Iterator[Pooler]:
    """In front of the test's database."""
    logins = {str(sessions.username): str(sessions.password)}
    with Pooler(
        ground / f"pooler-{sessions.username}", program(print), sessions.port or 0, logins, default_pool_size=SERVERS
    ) as made:
        yield made


def test_by_default_it_refuses_the_bounds_that_each_connection_asks_for(
    sessions: URL, pooler: Pooler, engines: Engines
) -> None:
    """PgBouncer passes no `options` on, since they would be of whichever server comes next; the error names a way."""
    url = pooler.on(sessions)

    async def work() -> DBAPIError:
        async with engines(url) as engine:
            with pytest.raises(DBAPIError) as caught:
                await engine.connect()
            return caught.value

    meaning = failures.meaning(asyncio.run(work()), url)
    assert isinstance(meaning, InvalidSettingError)
    assert "SESSION_DB_POOLER=transaction" in str(meaning)


def test_an_engine_as_adk_makes_it_loses_its_prepared_statements_there(sessions: URL, pooler: Pooler) -> None:
    """So the setting has a reason: the same load that it holds fails without it."""

    async def work() -> list[BaseException]:
        engine = create_async_engine(pooler.on(sessions), pool_size=10, max_overflow=0)
        try:
            return await conversations(engine, sessions=10)
        finally:
            await engine.dispose()

    failed = asyncio.run(work())
    assert any("prepared statement" in str(error) for error in failed)


def test_fifty_sessions_at_once_hold_behind_it(sessions: URL, pooler: Pooler, engines: Engines) -> None:
    """With one setting, on four connections to the server."""
    settings = {"SESSION_DB_POOLER": "transaction", "SESSION_DB_POOL_SIZE": "10", "SESSION_DB_POOL_OVERFLOW": "10"}

    async def work() -> list[BaseException]:
        async with engines(pooler.on(sessions), **settings) as engine:
            return await conversations(engine, sessions=50)

    assert asyncio.run(work()) == []
    with psycopg.connect(sessions.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        stored = connection.execute("SELECT session_id, count(*) FROM events GROUP BY 1").fetchall()
        shared = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'session-db-api'"
        ).fetchone()
    assert sorted(stored) == sorted((f"session {number}", 4) for number in range(50))
    assert shared is not None
    assert 0 < shared[0] <= SERVERS


def test_a_connection_whose_server_behind_is_gone_is_replaced_before_it_is_used(
    sessions: URL, pooler: Pooler, engines: Engines, value: Callable[[AsyncEngine, str], Awaitable[Any]]
) -> None:
    """The ping reaches the server itself, and what the pooler has lost is replaced before it is used."""

    async def work() -> None:
        async with engines(pooler.on(sessions), SESSION_DB_POOLER="transaction") as engine:
            pid = await value(engine, "SELECT pg_backend_pid()")
            with psycopg.connect(
                sessions.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
            ) as connection:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            assert await value(engine, "SELECT pg_backend_pid()") != pid

    asyncio.run(work())


def test_a_server_starts_behind_it(url: URL, sessions: URL, pooler: Pooler, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a finished schema; nothing is made through a pooler, and what is missing is told with the way to make it."""
    monkeypatch.setenv("SESSION_DB_POOLER", "transaction")
    start.make_ready(pooler.on(sessions))

    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("DROP TABLE events")
    with pytest.raises(InsufficientRightsError, match=r"are missing: events.* Run session-db bootstrap once, with"):
        start.make_ready(pooler.on(sessions))


async def conversations(engine: AsyncEngine, sessions: int) -> list[BaseException]:
    """Sessions at once, each of four events; what failed."""
    service = DatabaseSessionService(db_engine=engine)

    async def one(number: int) -> None:
        session = await service.create_session(app_name="app", user_id="ada", session_id=f"session {number}")
        for turn in range(4):
            await service.append_event(session, Event(author="ada", invocation_id=f"turn {turn}"))
        await service.get_session(app_name="app", user_id="ada", session_id=session.id)

    done = await asyncio.gather(*(one(number) for number in range(sessions)), return_exceptions=True)
    return [each for each in done if each is not None]
