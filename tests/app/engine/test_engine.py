"""The engine on a real server: what its connections say, how many there are, and what a broken one costs."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from google.adk.events import Event
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import patience
from app.backends.postgresql import failures
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login
from app.credentials.unchanging import UnchangingCredentials
from app.engine import Pool
from app.errors import AuthenticationError, ConnectionLostError
from rehearsal.managed import ManagedDatabase
from tests.app.conftest import Proxy

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]

Value = Callable[[AsyncEngine, str], Awaitable[Any]]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("application_name", "session-db-api"),
        ("timezone", "UTC"),
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "1min"),
    ],
)
def test_a_connection_says_who_it_is_and_is_bounded(
    url: URL, engines: Engines, value: Value, setting: str, expected: str
) -> None:
    """By settings of its own, whatever the role has."""

    async def ask() -> Any:
        async with engines(url) as engine:
            return await value(engine, f"SHOW {setting}")

    assert asyncio.run(ask()) == expected


def test_what_the_uri_says_wins(url: URL, engines: Engines, value: Value) -> None:
    """Name and bounds among it."""
    told = url.update_query_dict({"application_name": "mine", "options": "-cstatement_timeout=1234"})

    async def ask() -> tuple[Any, Any]:
        async with engines(told) as engine:
            return await value(engine, "SHOW application_name"), await value(engine, "SHOW statement_timeout")

    assert asyncio.run(ask()) == ("mine", "1234ms")


def test_adk_works_on_it(sessions: URL, engines: Engines) -> None:
    """And leaves its end to whoever made it."""

    async def work() -> tuple[str, int]:
        async with engines(sessions) as engine:
            service = DatabaseSessionService(db_engine=engine)
            session = await service.create_session(app_name="app", user_id="ada", state={"topic": "storks"})
            await service.append_event(session, Event(author="ada", invocation_id="one"))
            await service.close()
            again = DatabaseSessionService(db_engine=engine)
            found = await again.get_session(app_name="app", user_id="ada", session_id=session.id)
            assert found is not None
            return found.state["topic"], len(found.events)

    assert asyncio.run(work()) == ("storks", 1)


def test_the_pool_is_bounded_and_a_wait_for_it_too(url: URL, engines: Engines) -> None:
    """One connection and one more; the third request is told so."""
    bounds = {"SESSION_DB_POOL_SIZE": "1", "SESSION_DB_POOL_OVERFLOW": "1", "SESSION_DB_POOL_TIMEOUT": "0.05"}

    async def work() -> None:
        async with engines(url, **bounds) as engine, engine.connect(), engine.connect():
            with pytest.raises(PoolTimeoutError, match="size 1 overflow 1"):
                await engine.connect()

    asyncio.run(work())


def test_the_last_one_given_back_is_the_next_one_given_out(url: URL, engines: Engines, value: Value) -> None:
    """What busy times needed stays idle afterwards, so that it can end."""

    async def work() -> tuple[set[int], set[int]]:
        async with engines(url) as engine:
            async with engine.connect() as first, engine.connect() as second:
                opened = {
                    (await each.execute(text("SELECT pg_backend_pid()"))).scalar_one() for each in (first, second)
                }
            return opened, {await value(engine, "SELECT pg_backend_pid()") for _ in range(5)}

    opened, used = asyncio.run(work())
    assert len(opened) == 2
    assert len(used) == 1
    assert used < opened


def test_a_connection_that_the_server_has_ended_is_replaced_before_it_is_used(
    url: URL, engines: Engines, value: Value, server_database: ManagedDatabase
) -> None:
    """No request fails."""

    async def work() -> tuple[int, int]:
        async with engines(url) as engine:
            before = await value(engine, "SELECT pg_backend_pid()")
            server_database.cluster.execute(f"SELECT pg_terminate_backend({before}, 5000)")
            return before, await value(engine, "SELECT pg_backend_pid()")

    before, after = asyncio.run(work())
    assert before != after


def test_a_connection_is_replaced_after_its_time(
    url: URL, engines: Engines, value: Value, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nothing lives for ever: not the server's memory for it, nor the role it logged in as."""

    async def work() -> tuple[int, int, int]:
        async with engines(url, SESSION_DB_POOL_RECYCLE="600") as engine:
            first = await value(engine, "SELECT pg_backend_pid()")
            second = await value(engine, "SELECT pg_backend_pid()")
            later = time.time() + 601
            monkeypatch.setattr("sqlalchemy.pool.base.time", SimpleNamespace(time=lambda: later))
            return first, second, await value(engine, "SELECT pg_backend_pid()")

    first, second, third = asyncio.run(work())
    assert first == second
    assert third != first


def test_a_statement_that_takes_too_long_is_ended_and_its_parameters_are_not_shown(url: URL, engines: Engines) -> None:
    """They may be what somebody said to an agent."""

    async def work() -> DBAPIError:
        async with engines(url, SESSION_DB_STATEMENT_TIMEOUT="0.05") as engine, engine.connect() as connection:
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("SELECT pg_sleep(60), :said"), {"said": "hunter2"})
            return caught.value

    error = asyncio.run(work())
    assert getattr(error.orig, "sqlstate", None) == "57014"
    assert "hunter2" not in str(error)


def test_a_server_that_hangs_is_given_up(
    url: URL, engines: Engines, value: Value, proxied: Callable[[URL], Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It bounds no statement itself, and TCP sees a peer that is well."""
    proxy = proxied(url)
    monkeypatch.setattr(patience, "MARGIN", 0.1)

    async def work() -> Any:
        async with engines(url.set(port=proxy.port), SESSION_DB_STATEMENT_TIMEOUT="0.1") as engine:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                proxy.silent = True
                with pytest.raises(DBAPIError, match="has not answered within") as refused:
                    await connection.execute(text("SELECT 2"))
            assert refused.value.connection_invalidated, "what it would answer later belongs to nobody"
            assert isinstance(failures.meaning(refused.value, url), ConnectionLostError)
            proxy.silent = False
            return await value(engine, "SELECT 3")

    assert asyncio.run(work()) == 3


def test_a_connection_that_cannot_write_is_not_kept(sessions: URL, engines: Engines, value: Value) -> None:
    """A name may lead to a standby for a while after a failover, and a pool would keep what it found there."""

    async def work() -> None:
        async with engines(sessions) as engine:
            async with engine.connect() as connection:
                await connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
                await connection.commit()
            with pytest.raises(DBAPIError, match="read-only transaction"):
                await value(engine, "INSERT INTO app_states VALUES ('a', '{}', now()) RETURNING 1")
            assert await value(engine, "INSERT INTO app_states VALUES ('a', '{}', now()) RETURNING 1") == 1

    asyncio.run(work())


def test_no_text_shows_the_password(url: URL, engines: Engines, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the engine's, nor an error's with all its causes, nor a log's at its most talkative."""
    caplog.set_level(logging.DEBUG)
    wrong = url.set(password="hunter2")

    async def work() -> list[str]:
        async with engines(wrong) as engine:
            with pytest.raises(DBAPIError) as caught:
                await engine.connect()
            assert isinstance(failures.meaning(caught.value, url), AuthenticationError)
            return [
                repr(engine),
                repr(engine.url),
                engine.url.render_as_string(hide_password=False),
                *chain(caught.value),
            ]

    for shown in [*asyncio.run(work()), caplog.text]:
        assert "hunter2" not in shown


def chain(error: BaseException | None) -> list[str]:
    """The words of an error and of all that caused it."""
    return [] if error is None else [f"{error} {error!r}", *chain(error.__cause__ or error.__context__)]


def test_a_login_that_does_not_come_is_told_in_time_and_serves_the_next_one(
    url: URL, engines: Engines, value: Value, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret store that hangs holds up what needs a new connection, for a while, and nothing else."""
    monkeypatch.setattr("app.credentials.asked.SECONDS", 0.05)
    answer = threading.Event()

    class Slow(UnchangingCredentials):
        def login(self) -> Login:
            assert answer.wait(30)
            return super().login()

    async def work() -> None:
        async with engines(url, Slow(url)) as engine:
            with pytest.raises(NoLoginError, match=r"does not answer$"):
                await engine.connect()
            answer.set()
            monkeypatch.setattr("app.credentials.asked.SECONDS", 30.0)
            assert await value(engine, "SELECT 1") == 1

    asyncio.run(work())


def test_the_settings_of_a_pool_have_defaults_that_fit_a_small_server() -> None:
    """Ten connections at most, and nothing waits for more than half a minute."""
    pool = Pool.read(lambda _: None)

    assert (pool.size, pool.overflow, pool.timeout, pool.recycle) == (5, 5, 10, 1800)
    assert (pool.connect_timeout, pool.statement_timeout, pool.pooler, pool.replicas) == (5, 30, "none", 1)
