"""ADK's FastAPI app on the session database that the environment names, made fit for production layer by layer."""

import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from google.adk.cli.fast_api import get_fast_api_app
from google.adk.cli.service_registry import get_service_registry
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app import environment, start
from app.backends import choice
from app.engine import Pool, create

_SCHEME: Final = "session-db-engine"
"""Under which ADK finds our engine, so that a URI with a password is never handed to it."""


def create_app(host: str | None = None, url: URL | None = None) -> FastAPI:
    """Make the app, and the session schema where it is missing.

    `uvicorn --factory app.server:create_app` works as well as `session-db serve`.

    Args:
        host: The address it will be bound to, where known: for a loopback one ADK then rejects requests that name
            another host (DNS rebinding; google-adk 2.13 `get_fast_api_app`, `bind_host`).
        url: The session database; that of the environment where none is given.

    Returns:
        ADK's app without its web interface; `/docs` describes the routes.

    Raises:
        InvalidSettingError: As `environment.served_database`.
        SessionDatabaseError: As `start.make_ready`.
    """
    url = url or environment.served_database()
    start.make_ready(url)
    return adk_app(host, url)


def adk_app(host: str | None, url: URL) -> FastAPI:
    """ADK's app on a database that is ready; the rest is as in `create_app`.

    Args:
        host: The address it will be bound to, where known.
        url: The session database, after `start.make_ready`.

    Raises:
        InvalidSettingError: A setting does not fit, or AGENTS_DIR names no folder.
    """
    engine = _engine(url)
    # From the inside out: what is installed later sees a request earlier, and its answer later.
    return _adk(host, url, engine)


def _engine(url: URL) -> AsyncEngine | None:
    """SQLite has none: ADK opens the file for each request by itself."""
    if url.get_backend_name() == "sqlite":
        return None
    return create(url, Pool.read(), start.credentials(url))


def _adk(host: str | None, url: URL, engine: AsyncEngine | None) -> FastAPI:
    with warnings.catch_warnings():
        # ADK warns of its own in-memory credential service, which nobody here chose.
        warnings.filterwarnings("ignore", message=r"\[EXPERIMENTAL\]", category=UserWarning)
        return get_fast_api_app(
            agents_dir=str(environment.agents_dir()),
            session_service_uri=choice.of(url).adk_uri(url) if engine is None else _registered(engine),
            # Sessions are what this project keeps; ADK would otherwise write the rest into the agents folder.
            artifact_service_uri="memory://",
            memory_service_uri="memory://",
            use_local_storage=False,
            web=False,
            bind_host=host,
            lifespan=_lifespan(engine),
        )


def _registered(engine: AsyncEngine) -> str:
    """The URI by which ADK gets a session service on our engine, which it then does not dispose."""

    def service(_uri: str, **_: Any) -> BaseSessionService:
        return DatabaseSessionService(db_engine=engine)

    get_service_registry().register_session_service(_SCHEME, service)
    return f"{_SCHEME}://"


def _lifespan(engine: AsyncEngine | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if engine is not None:
            await engine.dispose()

    return lifespan
