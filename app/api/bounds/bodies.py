"""Reads the body of a request, which may be too large, too slow, without an end, or one of too many."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bounds.limits import CLOSE, Limits
from app.api.entry.users import OPEN
from app.api.found import of
from app.api.problem import problem

_LARGEST_AT_ONCE: Final = 8
"""Bodies of API_MAX_BODY: each costs some four times its size, and docker compose gives a container 1 GiB."""


@dataclass
class _Room:
    """Bytes of all bodies that are not answered yet."""

    free: int


class Bodies:
    """Reads a body within its bounds, before anybody else has to.

    Not Starlette's `RequestBodyLimitMiddleware`, which answers in plain text and sets no time.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass requests on to.
            limits: The bounds.
        """
        self._app, self._limits = app, limits
        self._room = _Room(_LARGEST_AT_ONCE * limits.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        held = _Held(self._room)
        try:
            await self._handle(scope, receive, send, held)
        finally:
            held.let_go()

    async def _handle(self, scope: Scope, receive: Receive, send: Send, held: "_Held") -> None:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._read(scope, receive, held)
        except TimeoutError:
            detail = f"expected the body within {self._limits.body_seconds:g} s"
            await problem(408, detail, CLOSE)(scope, receive, send)
        except _TooLargeError:
            await problem(413, f"expected a body of at most {self._limits.body} bytes", CLOSE)(scope, receive, send)
        except _NoRoomError:
            detail = "expected fewer large bodies at one time"
            await problem(503, detail, {**CLOSE, "Retry-After": "1"})(scope, receive, send)
        except _GoneError:
            return
        else:
            of(scope).body = body
            await self._app(scope, _again(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive, held: "_Held") -> bytes:
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._limits.body:
            raise _TooLargeError
        parts = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            parts += message.get("body", b"")
            if len(parts) > self._limits.body:
                raise _TooLargeError
            held.grow(len(parts))
            if not message.get("more_body", False):
                return bytes(parts)


class _Held:
    """What one request takes of the room."""

    def __init__(self, room: _Room) -> None:
        self._room, self._bytes = room, 0

    def grow(self, size: int) -> None:
        """Up to a size, or not at all."""
        if size - self._bytes > self._room.free:
            raise _NoRoomError
        self._room.free -= size - self._bytes
        self._bytes = size

    def let_go(self) -> None:
        """When it is answered."""
        self._room.free += self._bytes
        self._bytes = 0


class _NoRoomError(Exception):
    """Others have sent as much as the server holds at one time."""


class _TooLargeError(Exception):
    """The body is larger than it may be."""


class _GoneError(Exception):
    """The client has hung up."""


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what really comes: ADK waits for the client to hang up."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
