"""ADK's app as it is served, on real databases, by a real server in a thread."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import URL

from app import dsn, server, verbs
from app.api import access, limits
from app.backends.interface import Target
from rehearsal.leftovers import swept
from rehearsal.managed import managed

Serve = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> URL:
    """A bootstrapped file of the module's own."""
    url = dsn.parse(f"sqlite:///{tmp_path_factory.mktemp('sessions').resolve() / 'sessions.db'}")
    verbs.make_ready(url)
    return url


@pytest.fixture(scope="module")
def postgresql_url(clusters: Any) -> Iterator[URL]:
    """A bootstrapped database of the module's own, as the app role sees it."""
    postgresql, mark = clusters(), secrets.token_hex(4)
    with swept(postgresql):
        database = managed(postgresql, f"sessions_{mark}", master=f"master_{mark}")
        url = database.admin.set(username=f"adk_{mark}", password=secrets.token_hex(16))
        verbs.bootstrap(Target(url, database.admin))
        yield url


@contextlib.contextmanager
def running(app: FastAPI, **options: Any) -> Iterator[httpx.Client]:
    """Serves an app until the end of the block; gives a client of it."""
    # Listening before the server runs, so that no request comes too early.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_level="critical", **options))
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
                yield client
        finally:
            uvicorn_server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def serve(sqlite_url: URL) -> Iterator[Serve]:
    """Serves ADK's app behind the layers of access; variables are settings, for example API_ACCESS."""
    with contextlib.ExitStack() as stack:

        def start(url: URL = sqlite_url, **variables: str) -> httpx.Client:
            app = server.adk_app(None, url)
            settings = access.Access.read(variables.get), limits.Limits.read(variables.get)
            access.install(app, *settings, nul=url.get_backend_name() == "sqlite")
            return stack.enter_context(running(app))

        yield start
