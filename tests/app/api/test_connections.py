"""A connection on which nobody asks, or reads, is not kept."""

import asyncio
import queue
import socket
import time
from collections.abc import AsyncIterator, Iterator
from threading import Event

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

from app.api.bounds import connections
from tests.app.api.conftest import running

BOUND = 1.0
"""Seconds: a busy machine needs some hundredths to take a head that is sent at once."""


LOOK = 4.0
"""Seconds: a busy machine may rest for one."""

SLOW = 40_000
"""Bytes a second: more than a look asks for, and less than the 170 KB that the system hands on at a time."""

CHUNK = b"x" * 2**16
LARGE = 16 * 2**20
"""Bytes: more than a system's buffers hold."""

given_up: "queue.SimpleQueue[str]" = queue.SimpleQueue()
"""Which endless answers have ended, in their order."""


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a server with short bounds, an answer that takes longer, one without an end, and a large one."""
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1.5 * BOUND)
        return "done"

    @app.get("/endless/{name}")
    async def endless(name: str) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield CHUNK
                    await asyncio.sleep(0)  # As agents do, who wait for models: only then can they be cancelled.
            finally:
                given_up.put(name)

        return StreamingResponse(chunks())

    @app.get("/large")
    async def large() -> Response:
        return Response(bytes(LARGE))

    with running(app, http=connections.bounded(BOUND, LOOK)) as made:
        yield made


@pytest.fixture
def connection(client: httpx.Client) -> Iterator[socket.socket]:
    """A bare connection to it."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=30) as made:
        yield made


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(connection: socket.socket, begun: bytes) -> None:
    """Whoever sends a byte now and then gains no time."""
    connection.sendall(begun)

    assert connection.recv(100) == b"", "the server hangs up"


def test_a_later_head_has_the_same_bound(connection: socket.socket) -> None:
    """An answer buys one no connection for ever."""
    connection.sendall(b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 404 ")
    connection.sendall(b"GET / HT")

    rest = b"".join(iter(lambda: connection.recv(4096), b""))  # An answer may come in parts.
    assert (answer + rest).count(b"HTTP/1.1") == 1, "the server hangs up"


def test_an_answer_may_take_longer(client: httpx.Client) -> None:
    """It is not the client who is waited for."""
    assert client.get("/slow").json() == "done"


def asked(client: httpx.Client, path: str) -> socket.socket:
    """A connection that has asked for an answer."""
    connection = socket.socket()
    connection.settimeout(30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    connection.connect((client.base_url.host, client.base_url.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def test_an_answer_that_is_not_read_is_given_up(client: httpx.Client) -> None:
    """It would hold its request, and what that holds, for ever."""
    with asked(client, "/endless/unread"):
        assert given_up.get(timeout=30) == "unread"


def test_an_answer_may_be_read_slowly(client: httpx.Client) -> None:
    """For longer than the bound, and so slowly that the system takes nothing more for longer than that."""
    size, begun = 0, time.monotonic()
    with asked(client, "/large") as connection:
        while (passed := time.monotonic() - begun) < 2.5 * LOOK:
            size += len(connection.recv(max(1, int(passed * SLOW) - size)))
            Event().wait(LOOK / 40)
        while got := len(connection.recv(LARGE)):
            size += got
            if size >= LARGE:
                return

    pytest.fail(f"the server hung up after {size} bytes")


class Transport:
    """A connection with an answer that its client does not read."""

    def __init__(self, size: int) -> None:
        """Have that many bytes in memory."""
        self.size, self.aborted = size, False

    def get_write_buffer_size(self) -> int:
        """As asyncio's."""
        return self.size

    def abort(self) -> None:
        """As asyncio's."""
        self.aborted = True


@pytest.mark.usefixtures("kept")
def test_answers_that_are_not_read_have_a_bound_together() -> None:
    """Who reads nothing is given up for others: the first ones, and as many as it takes."""
    answers = connections.Answers(look=30, most=100)
    finished, reads, first, second, third = (Transport(size) for size in (90, 40, 40, 30, 20))

    answers.add(finished)
    answers.remove(finished)
    answers.add(reads)
    answers.add(first)
    reads.size = 30
    answers.add(second)
    assert not any(each.aborted for each in (finished, reads, first, second)), "together as much as may be"
    answers.add(third)
    assert [each.aborted for each in (finished, reads, first, second, third)] == [False, False, True, False, False]

    answers.add(Transport(70))
    assert [each.aborted for each in (reads, second, third)] == [False, True, True]
