"""How much one client may ask: the size and time of a body, and requests in a time."""

import asyncio
import math
import time
from typing import Final

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from pydantic import field_validator
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import address
from app.api.found import of
from app.api.problem import problem
from app.api.tokens import Caller
from app.api.users import OPEN
from app.settings import Settings, variable

_RATE: Final = "600/minute"
_LONGEST_TARGET: Final = 8000
"""Bytes: what every server and client is to bear (RFC 9110 section 4.1)."""

_LARGEST_HEAD: Final = 32 * 2**10
"""Bytes: four times a large JWT."""

_CLOSE: Final = {"Connection": "close"}
"""The rest of a body that is not read would otherwise be taken for the next request."""


class Limits(Settings):
    """The bounds of requests; those of one client hold in each replica by itself."""

    body: int = variable(
        "API_MAX_BODY", 10 * 2**20, "bytes of a request's body, and of a websocket's message", ge=2**10, le=2**30
    )
    head_seconds: float = variable(
        "API_HEAD_TIMEOUT", 30, "seconds in which the head of a request has to be there", ge=1, le=3600
    )
    body_seconds: float = variable("API_BODY_TIMEOUT", 30, "seconds in which a body has to be there", ge=1, le=3600)
    concurrency: int = variable(
        "API_MAX_CONCURRENCY", 1000, "requests, streams and websockets at one time", ge=10, le=100_000
    )
    share: int | None = variable(
        "API_CLIENT_CONCURRENCY",
        None,
        "of these, those of one client; where unset a tenth for the user of a JWT, and no bound for others, behind "
        "whom many people may be",
        example="100",
        ge=1,
        le=100_000,
    )
    rate: str | None = variable(
        "API_RATE",
        None,
        f"requests of one client; where unset {_RATE} for the user of a JWT and for an address whose tokens are "
        "refused, and no bound for others, behind whom many people may be",
        example=_RATE,
    )

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None and any(item.amount < 1 for item in parse_many(value)):
            message = "a rate lets one request through, or more"
            raise ValueError(message)
        return value


class Heads:
    """Refuses a head that is too large, or that tells two ends of its body.

    uvicorn bounds what has not wholly arrived, 64 KiB; a head that comes at once may be larger (h11
    `max_incomplete_event_size`).
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket") and (refusal := _refusal(scope)):
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _refusal(scope: Scope) -> Response | None:
    headers = scope["headers"]
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_TARGET:
        return problem(414, f"expected a path and a query of at most {_LONGEST_TARGET} bytes", _CLOSE)
    if sum(len(name) + len(value) for name, value in headers) > _LARGEST_HEAD:
        return problem(431, f"expected headers of at most {_LARGEST_HEAD} bytes", _CLOSE)
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
        # The way to smuggle a second request past a proxy that reads the other one (RFC 9112 section 6.3).
        return problem(400, "expected either Content-Length or Transfer-Encoding", _CLOSE)
    return None


class TooOftenError(Exception):
    """A client asks more often than it may. For example, 600 tokens that are refused within a minute.

    Attributes:
        seconds: After which it may again.
    """

    def __init__(self, seconds: int) -> None:
        """Take the seconds."""
        super().__init__(f"expected fewer requests: ask again in {seconds} s")
        self.seconds = seconds

    @property
    def answer(self) -> Response:
        """What the client is told."""
        return problem(429, str(self), {"Retry-After": str(self.seconds)})


class Rates:
    """Counts the requests of each client."""

    def __init__(self, limits: Limits) -> None:
        """Take the bound; nobody has asked yet.

        Args:
            limits: The bound.
        """
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._asked = parse_many(limits.rate) if limits.rate else None
        self._of_one = parse_many(_RATE)

    async def count(self, caller: Caller | None, scope: Scope) -> None:
        """Count one request.

        Args:
            caller: Who makes it; None for somebody who is not known, and is told by the address.
            scope: Of the request.

        Raises:
            TooOftenError: It is one too many.
        """
        client = caller.name if caller else address.client(scope)
        for item in self._bounds(caller):
            if not await self._limiter.hit(item, client):
                until = (await self._limiter.get_window_stats(item, client)).reset_time
                raise TooOftenError(max(1, math.ceil(until - time.time())))

    def _bounds(self, caller: Caller | None) -> list[RateLimitItem]:
        if self._asked is not None:
            return self._asked
        return self._of_one if caller is None or caller.user is not None else []


class Rate:
    """Answers 429 to a client that asks too often, and says when it may again."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass requests on to.
            rates: Counts them.
        """
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in OPEN:
            found = of(scope)
            try:
                if found.caller is not None or not found.counted:
                    await self._rates.count(found.caller, scope)
            except TooOftenError as error:
                await error.answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._read(scope, receive)
        except TimeoutError:
            detail = f"expected the body within {self._limits.body_seconds:g} s"
            await problem(408, detail, _CLOSE)(scope, receive, send)
        except _TooLargeError:
            await problem(413, f"expected a body of at most {self._limits.body} bytes", _CLOSE)(scope, receive, send)
        except _GoneError:
            return
        else:
            of(scope).body = body
            await self._app(scope, _again(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
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
            if not message.get("more_body", False):
                return bytes(parts)


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
