"""A connection on which nobody asks anything is not kept."""

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from app.api.bounds import heads
from tests.app.api.conftest import running

BOUND = 1.0
"""Seconds: a busy machine needs some hundredths to take a head that is sent at once."""


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a server with a short bound, and one answer that takes longer."""
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1.5 * BOUND)
        return "done"

    with running(app, http=heads.bounded(BOUND)) as made:
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
    assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")
    connection.sendall(b"GET / HT")

    assert connection.recv(100) == b""


def test_an_answer_may_take_longer(client: httpx.Client) -> None:
    """It is not the client who is waited for."""
    assert client.get("/slow").json() == "done"
