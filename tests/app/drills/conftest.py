"""A bootstrapped PostgreSQL database for the drills, and a proxy that loses answers."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import URL

from app.backends.interface import Target
from app.verbs import bootstrap
from rehearsal.managed import ManagedDatabase

Ask = Callable[[URL, str], list[tuple[object, ...]]]


@pytest.fixture
def sessions(server_database: ManagedDatabase) -> URL:
    """A database on the session's server with the schema in place."""
    bootstrap(Target.of(server_database.admin))
    return server_database.admin


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Runs one statement at a URL and returns its rows: the eyes of the tests, apart from the code under test."""

    def run(url: URL, statement: str) -> list[tuple[object, ...]]:
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(text, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


class Proxy:
    """Passes PostgreSQL's protocol on, and swallows the answers to commits when told to.

    Attributes:
        port: Where it listens on the loopback address.
        lose: How many answers to commits are still to be lost, the connection with them.
        lost: How many were.
    """

    def __init__(self, port: int) -> None:
        """Listen in front of the server at a port."""
        self._server = port
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self._sockets[0].getsockname()[1]
        self.lose = 0
        self.lost = 0
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        """End everything."""
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        listener = self._sockets[0]
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._sockets += [client, server]
            losing = threading.Event()
            self._run(self._ask, client, server, losing)
            self._run(self._answer, server, client, losing)

    def _ask(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        while data := _received(client):
            if self.lose and b"COMMIT" in data:
                self.lose -= 1
                losing.set()
            _send(server, data)
        _end(server)

    def _answer(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        while data := _received(server):
            if losing.is_set():  # The server has answered, so it has committed.
                self.lost += 1
                break
            _send(client, data)
        _end(client)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # The other side may have been first.
        each.shutdown(socket.SHUT_RDWR)


def _send(sink: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sink.sendall(data)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


@pytest.fixture
def proxy(sessions: URL) -> Iterator[Proxy]:
    """In front of that database's server."""
    made = Proxy(sessions.port or 0)
    yield made
    made.close()
