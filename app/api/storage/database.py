"""The database of one app: the engine that ADK works with, the one that probes ask, and the end of both."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from fastapi import FastAPI
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app import capacity, start
from app.api.lifetime.health import BOUND, PostgresqlCheck, Readiness, SqliteCheck
from app.api.storage.reads import Reads
from app.api.storage.sizes import PostgresqlSizes, SqliteSizes
from app.engine import Pool, create

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Database:
    """What an app has of its database.

    Attributes:
        url: The database.
        pool: The settings of the engine.
        engine: ADK's; None on SQLite, whose file ADK opens for each request by itself.
        probes: That of `readiness`, with one connection; None on SQLite.
        readiness: Whether it can be worked with.
    """

    url: URL
    pool: Pool
    engine: AsyncEngine | None
    probes: AsyncEngine | None
    readiness: Readiness

    @classmethod
    def of(cls, url: URL) -> Self:
        """Make the engines by the settings; nothing is connected yet.

        Args:
            url: The session database.

        Raises:
            InvalidSettingError: A setting does not fit.
        """
        pool = Pool.read()
        if url.get_backend_name() == "sqlite":
            return cls(url, pool, None, None, Readiness(SqliteCheck(url)))
        credentials = start.credentials(url)
        one = {"size": 1, "overflow": 0, "timeout": BOUND, "connect_timeout": int(BOUND), "statement_timeout": BOUND}
        probes = create(url, pool.model_copy(update=one), credentials)
        engine = create(url, pool, credentials)
        return cls(url, pool, engine, probes, Readiness(PostgresqlCheck(probes, url)))

    def reads(self, bound: int) -> Reads:
        """What lets reads of it in.

        Args:
            bound: Bytes, as `Reads` has it.
        """
        if self.engine is None:
            return Reads(SqliteSizes(self.url, bound), bound, self.pool.timeout)
        return Reads(PostgresqlSizes(bound), bound, self.pool.timeout)

    def lifespan(self) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
        """What is done before the first request and after the last one."""

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            await self._compare()
            yield
            await self.readiness.close()
            for engine in filter(None, (self.engine, self.probes)):
                await engine.dispose()

        return lifespan

    async def _compare(self) -> None:
        """Tell in the log where the server has too few connections; that is no reason not to start."""
        if self.probes is None:
            return
        try:
            async with asyncio.timeout(BOUND), self.probes.connect() as connection:
                if (told := await capacity.shortage(connection, self.pool)) is not None:
                    _LOG.warning("%s", told)
        except Exception as error:  # noqa: BLE001  # Of whatever kind: the probes tell it from now on.
            _LOG.warning("the server's limit of connections is not known: %s", type(error).__name__)
