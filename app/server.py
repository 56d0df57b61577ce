"""ADK's FastAPI app on the session database that the environment names."""

import warnings

from fastapi import FastAPI
from google.adk.cli.fast_api import get_fast_api_app
from sqlalchemy import URL

from app import environment, verbs
from app.backends import choice


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
        SessionDatabaseError: As `verbs.make_ready`.
    """
    url = url or environment.served_database()
    verbs.make_ready(url)
    return adk_app(host, url)


def adk_app(host: str | None, url: URL) -> FastAPI:
    """ADK's app on a database that is ready; the rest is as in `create_app`.

    Args:
        host: The address it will be bound to, where known.
        url: The session database, after `verbs.make_ready`.

    Raises:
        InvalidSettingError: AGENTS_DIR names no folder.
    """
    with warnings.catch_warnings():
        # ADK warns of its own in-memory credential service, which nobody here chose.
        warnings.filterwarnings("ignore", message=r"\[EXPERIMENTAL\]", category=UserWarning)
        return get_fast_api_app(
            agents_dir=str(environment.agents_dir()),
            session_service_uri=choice.of(url).adk_uri(url),
            # Sessions are what this project keeps; ADK would otherwise write the rest into the agents folder.
            artifact_service_uri="memory://",
            memory_service_uri="memory://",
            use_local_storage=False,
            web=False,
            bind_host=host,
        )
