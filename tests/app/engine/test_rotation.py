"""Passwords change under a running pool, on a real server: no request fails, and nobody restarts anything."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Self

import pytest
from google.adk.events import Event
from google.adk.sessions.database_session_service import DatabaseSessionService
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.backends.interface import Roles, Target
from app.backends.postgresql import failures
from app.credentials import file, secret_store
from app.credentials.interface import Login
from app.errors import AuthenticationError
from app.verbs import bootstrap
from rehearsal.managed import ManagedDatabase

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]

Value = Callable[[AsyncEngine, str], Awaitable[Any]]

WRITERS = 6


@pytest.fixture
def first(url: URL) -> URL:
    """Of the app role in use, on a bootstrapped database."""
    app = Login(f"{url.username}_app", "of-the-first").on(url)
    bootstrap(Target(app, url))
    return app


@pytest.fixture
def second(first: URL) -> URL:
    """Of the other app role, which the first rotation makes."""
    return Login(f"{first.username}_2", "of-the-second").on(first)


@pytest.fixture
def mounted(tmp_path: Path, first: URL) -> Path:
    """A file with the whole URI of the role in use, as the stack's secret holds it."""
    path = tmp_path / "uri"
    swap(path, first)
    return path


def swap(path: Path, url: URL) -> None:
    """Put a URI into a file in one step, as mounts of secrets do."""
    draft = path.with_suffix(".draft")
    draft.write_text(url.render_as_string(hide_password=False))
    draft.replace(path)


def set_password(database: ManagedDatabase, url: URL, password: str) -> URL:
    """Change a role's password, and nothing else."""
    statement = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(str(url.username)), Literal(password))
    database.cluster.execute(statement)
    return url.set(password=password)


def test_a_rotation_of_two_roles_is_followed_under_load(
    url: URL, first: URL, second: URL, mounted: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, and in the stack's order: the secret changes first, then the bootstrap makes the role or its password.

    Only the pause in which the role before is used is shorter than in life.
    """
    monkeypatch.setattr("app.credentials.renewed._PAUSE", 0.5)
    again = first.set(password="of-the-first-anew")

    async def rotate(load: "Load", engine: AsyncEngine, to: URL) -> None:
        await asyncio.to_thread(swap, mounted, to)
        await load.more(20)
        await asyncio.to_thread(bootstrap, Target(to, url, Roles(set_password=True)))
        while to.username not in await users(engine):
            await load.more(5)

    async def work() -> "Load":
        settings = {"SESSION_DB_POOL_SIZE": "1", "SESSION_DB_POOL_OVERFLOW": "7"}  # So that many are opened anew.
        async with engines(first, file.credentials(first, mounted), **settings) as engine:
            async with Load(engine) as load:
                await load.more(20)
                await rotate(load, engine, second)
                await rotate(load, engine, again)
            return load

    load = asyncio.run(work())
    assert load.failed == []
    assert load.done >= 60, "what was waited for before, between and after"


async def users(engine: AsyncEngine) -> set[str]:
    """As whom the engine is connected, where its newest connections are."""
    async with engine.connect() as held, engine.connect() as other, engine.connect() as third:
        asked = [await each.execute(text("SELECT session_user")) for each in (held, other, third)]
        return {each.scalar_one() for each in asked}


class Load:
    """Writers that write events to sessions of their own until the body ends.

    Attributes:
        done: How many requests succeeded.
        failed: What the others raised.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Nothing is written yet."""
        self.done, self.failed = 0, list[BaseException]()
        self._service = DatabaseSessionService(db_engine=engine)
        self._moved = asyncio.Condition()
        self._ending = False

    async def __aenter__(self) -> Self:
        """Start them."""
        self._writers = [asyncio.create_task(self._write(number)) for number in range(WRITERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for the last requests."""
        self._ending = True
        await asyncio.gather(*self._writers)

    async def more(self, count: int) -> None:
        """Wait until so many requests more have ended."""
        async with self._moved:
            goal = self.done + len(self.failed) + count
            await self._moved.wait_for(lambda: self.done + len(self.failed) >= goal)

    async def _write(self, number: int) -> None:
        turn = 0
        while not self._ending:
            await self._count(self._conversation(f"{os.getpid()} {number} {turn}"))
            turn += 1

    async def _conversation(self, name: str) -> None:
        session = await self._service.create_session(app_name="app", user_id="ada", session_id=name)
        await self._service.append_event(session, Event(author="ada", invocation_id="one"))
        found = await self._service.get_session(app_name="app", user_id="ada", session_id=name)
        assert found is not None
        assert len(found.events) == 1

    async def _count(self, request: Awaitable[None]) -> None:
        try:
            await request
        except Exception as error:  # noqa: BLE001  # Whatever it is, the test tells it.
            self.failed.append(error)
        else:
            self.done += 1
        async with self._moved:
            self._moved.notify_all()


def test_old_connections_go_on_and_new_ones_have_the_new_password(
    first: URL, mounted: Path, engines: Engines, server_database: ManagedDatabase
) -> None:
    """Of one role alone, whose password changes on the server and in the file."""

    async def work() -> None:
        async with engines(first, file.credentials(first, mounted)) as engine, engine.connect() as old:
            before = (await old.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            swap(mounted, set_password(server_database, first, "of-the-first-anew"))
            async with engine.connect() as new:
                assert (await new.execute(text("SELECT pg_backend_pid()"))).scalar_one() != before
            assert (await old.execute(text("SELECT pg_backend_pid()"))).scalar_one() == before

    asyncio.run(work())


def test_a_secret_is_read_again_when_its_password_is_refused(
    first: URL, engines: Engines, value: Value, server_database: ManagedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for the next look; then the request goes on as if nothing had been."""
    monkeypatch.setattr("app.credentials.secret_store.FLOOR", 0.0)
    holds = [first]
    reads = 0

    def read() -> str:
        nonlocal reads
        reads += 1
        return holds[0].render_as_string(hide_password=False)

    async def work() -> None:
        async with engines(first, secret_store.reading(first, "a secret", read)) as engine, engine.connect():
            holds[0] = set_password(server_database, first, "of-the-first-anew")
            assert await value(engine, "SELECT session_user") == first.username

    asyncio.run(work())
    assert reads == 2


def test_a_password_that_stays_wrong_is_tried_once(
    first: URL, mounted: Path, engines: Engines, server_database: ManagedDatabase
) -> None:
    """Servers lock roles out that are tried too often."""
    set_password(server_database, first, "of-nobody-here")
    refusals = f'password authentication failed for user "{first.username}"'
    before = server_database.cluster.log.count(refusals)

    async def work() -> DBAPIError:
        async with engines(first, file.credentials(first, mounted)) as engine:
            with pytest.raises(DBAPIError) as caught:
                await engine.connect()
            return caught.value

    assert isinstance(failures.meaning(asyncio.run(work()), first), AuthenticationError)
    assert server_database.cluster.log.count(refusals) - before == 1
