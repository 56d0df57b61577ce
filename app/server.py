"""ADK's FastAPI app on the session database that the environment names."""

import warnings

from fastapi import FastAPI
from google.adk.cli.fast_api import get_fast_api_app
from sqlalchemy import URL

from app import dsn, environment
from app.errors import InvalidSettingError


def database_url() -> URL:
    """The session database of SESSION_DB_URI, else the file of the dev stack; read-only.

    Raises:
        InvalidUriError: SESSION_DB_URI is no URI that ADK reads as we do.
        UnsupportedBackendError: It names a database that this version does not serve.
        InvalidSettingError: The file is inside the agents folder, or AGENTS_DIR names no folder.
    """
    url = dsn.parse(environment.setting(environment.SESSION_DB_URI) or environment.DEFAULT_SESSION_DB_URI)
    agents = environment.agents_dir()
    if dsn.database_path(url).is_relative_to(agents):
        message = (
            f"expected a database outside the agents folder {agents}, which ADK scans for agents. "
            "Choose another path in SESSION_DB_URI, for example sqlite:////srv/sessions/sessions.db."
        )
        raise InvalidSettingError(message)
    return url


def create_app(host: str | None = None) -> FastAPI:
    """Make the app; `uvicorn --factory app.server:create_app` works as well as `session-db serve`.

    Args:
        host: The address it will be bound to, where known: for a loopback one ADK then rejects requests that name
            another host (DNS rebinding; google-adk 2.13 `get_fast_api_app`, `bind_host`).

    Returns:
        ADK's app without its web interface; `/docs` describes the routes.

    Raises:
        InvalidSettingError: As `database_url`.
    """
    with warnings.catch_warnings():
        # ADK warns of its own in-memory credential service, which nobody here chose.
        warnings.filterwarnings("ignore", message=r"\[EXPERIMENTAL\]", category=UserWarning)
        return get_fast_api_app(
            agents_dir=str(environment.agents_dir()),
            session_service_uri=dsn.adk_uri(database_url()),
            # Sessions are what this project keeps; ADK would otherwise write the rest into the agents folder.
            artifact_service_uri="memory://",
            memory_service_uri="memory://",
            use_local_storage=False,
            web=False,
            bind_host=host,
        )
