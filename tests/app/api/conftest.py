"""ADK's app as it is served, on real databases, by a real server in a thread."""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import URL

from app import dsn, server, verbs
from app.api import garbage
from app.backends.interface import Target
from rehearsal.cluster import Cluster
from rehearsal.leftovers import swept
from rehearsal.managed import managed

Serve = Callable[..., httpx.Client]

KEPT = {"API_ARTIFACTS": "memory://", "API_MEMORIES": "memory://"}
"""So that every route of ADK is there."""


class Provider:
    """An identity provider: its settings for the server, and tokens of its users."""

    def __init__(self, keys: Path) -> None:
        """Make a key, and publish it in a file."""
        self._key = rsa.generate_private_key(65537, 2048)
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True) | {"kid": "1"}
        keys.write_text(json.dumps({"keys": [public]}))
        self.settings = {
            "API_ACCESS": "jwt",
            "API_JWT_ISSUER": "https://login.example.com/",
            "API_JWT_AUDIENCE": "sessions",
            "API_JWT_KEYS": str(keys),
            "API_JWT_OPERATOR_SCOPE": "sessions.operate",
        }

    def headers(self, user: str, **claims: Any) -> dict[str, str]:
        """What a user's client sends."""
        said = {"iss": self.settings["API_JWT_ISSUER"], "aud": "sessions", "sub": user, "exp": int(time.time()) + 300}
        return {"Authorization": f"Bearer {jwt.encode(said | claims, self._key, 'RS256', headers={'kid': '1'})}"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """One of the module's own."""
    return Provider(tmp_path_factory.mktemp("provider") / "jwks.json")


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


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> URL:
    """A bootstrapped database on it, as the app role sees it."""
    database = managed(cluster, "sessions")
    url = database.admin.set(username="adk_user", password="s3cret-" + secrets.token_hex(8))
    verbs.bootstrap(Target(url, database.admin))
    return url


@contextlib.contextmanager
def running(app: FastAPI, **options: Any) -> Iterator[httpx.Client]:
    """Serves an app until the end of the block; gives a client of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # Before the server runs, so that no request comes too early.
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
    """Serves the app as the factory makes it; variables are settings, for example API_ACCESS."""
    with contextlib.ExitStack() as stack:

        def start(url: URL = sqlite_url, host: str | None = None, **variables: str) -> httpx.Client:
            with pytest.MonkeyPatch.context() as patch:
                for name in filter(lambda each: each.startswith(("API_", "SESSION_DB_")), list(os.environ)):
                    patch.delenv(name)
                for name, value in (KEPT | variables).items():
                    patch.setenv(name, value)
                app = server.adk_app(host, url)
            return stack.enter_context(running(app))

        yield start


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is collected, which happens on a loop alone."""
    monkeypatch.setattr(garbage, "let_go", lambda _: None)
