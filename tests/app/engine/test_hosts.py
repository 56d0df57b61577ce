"""A URI with several hosts: after a failover the engine finds the new primary by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from google.adk.events import Event
from google.adk.sessions.database_session_service import DatabaseSessionService
from psycopg.sql import SQL, Literal
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app import dsn
from app.backends.interface import Target
from app.verbs import bootstrap
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]

Value = Callable[[AsyncEngine, str], Awaitable[Any]]


@pytest.fixture(scope="module")
def pair(ground: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """A primary with a bootstrapped database, and a standby that has all of it."""
    programs = binaries(15, print)
    with Cluster.create(ground / "primary", programs) as primary:
        bootstrap(Target.of(dsn.parse(primary.superuser_uri().render_as_string(hide_password=False))))
        with primary.standby(ground / "standby") as standby:
            yield primary, standby


def both(first: Cluster, second: Cluster) -> URL:
    """One URI for two servers, as a user writes it."""
    login = f"{first.superuser.name}:{first.superuser.password}"
    return dsn.parse(f"postgresql://{login}@127.0.0.1:{first.port},127.0.0.1:{second.port}/postgres")


def test_a_failover_is_followed(pair: tuple[Cluster, Cluster], engines: Engines, value: Value) -> None:
    """Whichever host is named first, and with connections in the pool that were to the old primary."""
    primary, standby = pair

    async def work() -> None:
        async with engines(both(standby, primary)) as engine:
            service = DatabaseSessionService(db_engine=engine)
            assert await value(engine, "SHOW port") == str(primary.port), (
                "the standby is named first, but takes no writes"
            )
            session = await service.create_session(app_name="app", user_id="ada", state={"topic": "storks"})
            await service.append_event(session, Event(author="ada", invocation_id="before"))
            written = await value(engine, "SELECT pg_current_wal_flush_lsn()")
            await asyncio.to_thread(_fail_over, primary, standby, written)
            await service.append_event(session, Event(author="ada", invocation_id="after"))
            assert await value(engine, "SHOW port") == str(standby.port)
            found = await service.get_session(app_name="app", user_id="ada", session_id=session.id)
            assert found is not None
            assert [event.invocation_id for event in found.events] == ["before", "after"]

    asyncio.run(work())


def _fail_over(primary: Cluster, standby: Cluster, written: str) -> None:
    """The primary dies once the standby has what was acknowledged, and the standby takes over."""
    caught_up = SQL("SELECT pg_last_wal_replay_lsn() >= {}::pg_lsn").format(Literal(written))
    while standby.execute(caught_up) != [(True,)]:
        pass
    primary.stop("immediate")
    standby.execute("SELECT pg_promote(true, 60)")
