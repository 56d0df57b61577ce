"""Engines on real servers, closed in the end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import engine
from app.backends.interface import Target
from app.credentials.interface import Credentials
from app.credentials.unchanging import UnchangingCredentials
from app.verbs import bootstrap
from rehearsal.managed import ManagedDatabase

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]


@pytest.fixture
def url(server_database: ManagedDatabase) -> URL:
    """An empty database of the test's own."""
    return server_database.admin


@pytest.fixture
def sessions(url: URL) -> URL:
    """The same with the schema in place."""
    bootstrap(Target.of(url))
    return url


@pytest.fixture
def engines() -> Engines:
    """Makes engines; settings are named as in the environment."""

    @asynccontextmanager
    async def make(url: URL, credentials: Credentials | None = None, **settings: str) -> AsyncIterator[AsyncEngine]:
        made = engine.create(url, engine.Pool.read(settings.get), credentials or UnchangingCredentials(url))
        try:
            yield made
        finally:
            await made.dispose()

    return make


@pytest.fixture(scope="session")
def value() -> Callable[[AsyncEngine, str], Awaitable[Any]]:
    """Gives the one value of a query, asked in a transaction of its own."""

    async def ask(made: AsyncEngine, sql: str) -> Any:
        async with made.connect() as connection:
            return (await connection.execute(text(sql))).scalar_one()

    return ask
