"""A database's URL, and an HTTP endpoint that answers in a cloud's place: the vendors' libraries are as they are."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import URL

from app import dsn


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses what the developer is logged in as, nor a proxy on the way to the loopback address."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "IDENTITY_", "SESSION_DB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def url() -> URL:
    """Of a database that nobody connects to."""
    return dsn.parse("postgresql://adk_user:change-me@db.example.org/adk_sessions?sslmode=verify-full")


@dataclass
class Request:
    """What was asked.

    Attributes:
        path: With its query.
        headers: By name.
        body: What was sent.
    """

    path: str
    headers: Mapping[str, str]
    body: str


@dataclass
class Endpoint:
    """Answers on the loopback address.

    Attributes:
        address: Where, without a slash at the end.
        asked: What was asked so far.
        answer: Gives the answer to a request: a status, and what is sent as JSON.
    """

    address: str
    asked: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, Any]] = lambda _: (404, {})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """One that the test tells what to answer."""
    made = Endpoint("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.path, dict(self.headers), self.rfile.read(length).decode())
            made.asked.append(request)
            status, body = made.answer(request)
            sent = json.dumps(body).encode()
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("Metadata-Flavor", "Google")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET  # noqa: N815  # As http.server names them.

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
