"""Reads the body of a request, which may be too large, too slow, without an end, or one of too many."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bounds.limits import CLOSE, Limits
from app.api.bounds.room import Held, NoRoomError, Room, weight
from app.api.entry.users import OPEN
from app.api.found import of
from app.api.problem import problem


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
        self._room = Room(limits.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        held = Held(self._room, of(scope).caller)
        try:
            await self._handle(scope, receive, send, held)
        finally:
            held.let_go()

    async def _handle(self, scope: Scope, receive: Receive, send: Send, held: Held) -> None:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._read(scope, receive, held)
        except TimeoutError:
            detail = f"expected the body within {self._limits.body_seconds:g} s"
            await problem(408, detail, CLOSE)(scope, receive, send)
        except _TooLargeError:
            await problem(413, f"expected a body of at most {self._limits.body} bytes", CLOSE)(scope, receive, send)
        except NoRoomError as error:
            await problem(error.status, str(error), {**CLOSE, "Retry-After": "1"})(scope, receive, send)
        except _GoneError:
            return
        else:
            of(scope).body = body
            await self._app(scope, _again(body, receive, held), send)

    async def _read(self, scope: Scope, receive: Receive, held: Held) -> bytes:
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
                held.grow(weight(parts))
                return bytes(parts)


class _TooLargeError(Exception):
    """The body is larger than it may be."""


class _GoneError(Exception):
    """The client has hung up."""


def _again(body: bytes, receive: Receive, held: Held) -> Receive:
    """The body once more, then what really comes: ADK waits for the client to hang up."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        if not waiting:
            return await receive()
        # FastAPI reads and judges it in one go; whatever runs next on the loop runs after that.
        asyncio.get_running_loop().call_soon(held.settle)
        return waiting.pop()

    return again
