"""Replicas and their pools against what a real server has."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.capacity import shortage
from app.engine import Pool
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]


@pytest.fixture
def told(url: URL, engines: Engines) -> Callable[..., str | None]:
    """What is told of some settings."""

    def ask(**settings: str) -> str | None:
        async def work() -> str | None:
            async with engines(url) as engine, engine.connect() as connection:
                return await shortage(connection, Pool.read(settings.get))

        return asyncio.run(work())

    return ask


def most(database: ManagedDatabase) -> int:
    """How many connections a role without privileges may have at most on the tests' servers."""
    ((count,),) = database.cluster.execute(
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    )
    return int(count)


@pytest.mark.parametrize("postgresql", [15, 16], indirect=True)
def test_exactly_as_many_as_there_are_fit(told: Callable[..., str | None], server_database: ManagedDatabase) -> None:
    """And one more does not; each process has one more for its probes."""
    fit = most(server_database)
    one_process = {"SESSION_DB_REPLICAS": "1", "SESSION_DB_POOL_OVERFLOW": "7"}

    assert told(**one_process, SESSION_DB_POOL_SIZE=str(fit - 8)) is None
    text = told(**one_process, SESSION_DB_POOL_SIZE=str(fit - 7))
    assert text is not None
    assert text.startswith(
        f"expected at least {fit + 1} connections for 1 replicas with {fit - 7} + 7 each and one for "
    )
    assert "\n" not in text


def test_what_the_server_keeps_for_others_does_not_count(ground: Path, engines: Engines) -> None:
    """From PostgreSQL 16 on it keeps some for members of `pg_use_reserved_connections` as well."""
    settings = {"max_connections": "20", "superuser_reserved_connections": "3", "reserved_connections": "4"}

    async def work(url: URL) -> str | None:
        async with engines(url) as engine, engine.connect() as connection:
            return await shortage(connection, Pool.read({"SESSION_DB_REPLICAS": "2"}.get))

    with Cluster.create(ground / "reserved", binaries(16, print), settings=settings) as cluster:
        text = asyncio.run(work(cluster.superuser_uri()))

    assert text is not None
    assert "but there are 13 (max_connections 20, less 7 that the server keeps for others)" in text


def test_a_limit_of_the_role_is_told(told: Callable[..., str | None], server_database: ManagedDatabase) -> None:
    """It is the smaller one."""
    role = SQL("ALTER ROLE {} CONNECTION LIMIT 7").format(Identifier(str(server_database.admin.username)))
    server_database.cluster.execute(role)

    text = told()

    assert text is not None
    assert f"but there are 7 (the CONNECTION LIMIT of the role {server_database.admin.username})" in text


def test_a_limit_of_the_database_is_told(told: Callable[..., str | None], server_database: ManagedDatabase) -> None:
    """The same."""
    database = SQL("ALTER DATABASE {} CONNECTION LIMIT 6").format(Identifier(server_database.name))
    server_database.cluster.execute(database)

    text = told()

    assert text is not None
    assert "but there are 6 (the CONNECTION LIMIT of the database " in text


def test_nothing_is_told_behind_a_pooler(told: Callable[..., str | None]) -> None:
    """Its clients are not the server's."""
    assert told(SESSION_DB_POOLER="transaction", SESSION_DB_REPLICAS="1000") is None
