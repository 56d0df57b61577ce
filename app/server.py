"""ADK's FastAPI app on the session database that the environment names, made fit for production layer by layer."""

import warnings
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from google.adk.cli.fast_api import get_fast_api_app
from google.adk.cli.service_registry import get_service_registry
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from sqlalchemy import URL

from app import environment, start
from app.api import agents, description, layers, request_id
from app.api.bounds import connections, limits
from app.api.content.documents import Reader
from app.api.entry import access
from app.api.lifetime import draining, exits, health
from app.api.sockets import live
from app.api.storage import failures, sessions, stores
from app.api.storage.database import Database
from app.api.telemetry import logs, metrics, observed, traces
from app.backends.sqlite.uri import adk_uri

_SCHEME: Final = "session-db"
"""Under which ADK finds our session service, so that a URI with a password is never handed to it."""


def create_app(host: str | None = None, url: URL | None = None) -> FastAPI:
    """Make the app, and the session schema where it is missing.

    `uvicorn --factory app.server:create_app` works as well as `session-db serve`, but for the draining and what bounds
    connections.

    Args:
        host: The address it will be bound to, where known: for a loopback one, as with API_ACCESS=loopback for every
            one, ADK then rejects requests that name another host (DNS rebinding; google-adk 2.13 `get_fast_api_app`,
            `bind_host`).
        url: The session database; that of the environment where none is given.

    Returns:
        ADK's app without its web interface; `/docs` describes the routes.

    Raises:
        InvalidSettingError: As `environment.served_database`, `start.judge` and `adk_app`.
        SessionDatabaseError: As `start.make_ready`.
    """
    logs.install(logs.Logs.read(), environment.agents_dir())
    url = url or environment.served_database()
    start.judge(url)
    start.make_ready(url)
    return adk_app(host, url)


def running(host: str, url: URL) -> uvicorn.Server:
    """The server that drains at its end, on a database that is ready; it does not run yet.

    Args:
        host: The address it will be bound to.
        url: The session database, after `start.make_ready`.

    Raises:
        InvalidSettingError: As `adk_app`.
    """
    drain, bounds = draining.Drain.read(), limits.Limits.read()
    logs.install(logs.Logs.read(), environment.agents_dir())
    app = adk_app(host, url)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=connections.bounded(bounds.head_seconds),
        ws_max_size=bounds.body,
        ws_per_message_deflate=False,  # Kilobytes become all their messages at once, a thousandfold.
        timeout_keep_alive=drain.keep_alive,
        timeout_graceful_shutdown=drain.seconds,
    )
    return draining.Server(config, app, drain.grace, traces.last_seconds())


def adk_app(host: str | None, url: URL) -> FastAPI:
    """ADK's app on a database that is ready; the rest is as in `create_app`.

    Args:
        host: The address it will be bound to, where known.
        url: The session database, after `start.make_ready`.

    Raises:
        InvalidSettingError: A setting does not fit, or AGENTS_DIR names no folder.
    """
    traces.prepare()
    agents.tell_unreadable(environment.agents_dir())
    database, numbers = Database.of(url), metrics.Metrics()
    entry, places = access.Access.read(), stores.Stores.read()
    asked = limits.Limits.read()
    app = _adk(host, _registered(database, numbers, asked.read_bytes), database, entry, places)
    stores.install(app, places)
    health.install(app, database.readiness)
    metrics.install(app, numbers, database.readiness, database.engine)
    description.install(app, entry.access)
    # From the inside out: what is installed later sees a request earlier, and its answer later.
    read = Reader(nul=database.engine is None)
    layers.install(app, entry, asked, read)
    live.install(app, read)
    failures.install(app)
    observed.install(app, [logs.access, numbers.request])
    draining.install(app)
    request_id.install(app)
    traces.install(app, database.engine)
    return app


def _adk(
    host: str | None, sessions_uri: str, database: Database, entry: access.Access, places: stores.Stores
) -> FastAPI:
    others = stores.registered(places)
    with warnings.catch_warnings():
        # ADK warns of its own in-memory credential service, which nobody here chose.
        warnings.filterwarnings("ignore", message=r"\[EXPERIMENTAL\]", category=UserWarning)
        return get_fast_api_app(
            agents_dir=str(environment.agents_dir()),
            session_service_uri=sessions_uri,
            artifact_service_uri=others,
            memory_service_uri=others,
            use_local_storage=False,  # ADK would write into the agents folder.
            web=False,
            allow_origins=entry.origins or None,
            bind_host=entry.bind_host(host),
            lifespan=exits.guarded(database.lifespan()),
        )


def _registered(database: Database, numbers: metrics.Metrics, most: int) -> str:
    """The URI by which ADK gets the service; an engine that it was given is not its to dispose."""
    let_in = database.reads(most)

    def service(uri: str, **kwargs: Any) -> BaseSessionService:  # noqa: ARG001  # ADK gives them.
        made: BaseSessionService = (
            SqliteSessionService(f"{adk_uri(database.url)}?mode=rw")  # What is gone is not made anew, empty.
            if database.engine is None
            else DatabaseSessionService(db_engine=database.engine)
        )
        return sessions.telling(made, database.url, numbers.error, let_in)

    get_service_registry().register_session_service(_SCHEME, service)
    return f"{_SCHEME}://"
