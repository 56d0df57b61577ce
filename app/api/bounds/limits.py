"""How much a client may ask, as settings; and the size of what comes before a body."""

from typing import Final

from limits import parse_many
from pydantic import field_validator
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.content.targets import sent
from app.api.problem import problem
from app.settings import Settings, variable

RATE: Final = "600/minute"
"""Of one client, where nobody has set it."""

_LONGEST_TARGET: Final = 8000
"""Bytes: what every server and client is to bear (RFC 9110 section 4.1)."""

_LARGEST_HEAD: Final = 32 * 2**10
"""Bytes: four times a large JWT."""

CLOSE: Final = {"Connection": "close"}
"""The rest of a body that is not read would otherwise be taken for the next request."""


class Limits(Settings):
    """The bounds of requests; those of one client hold in each replica by itself."""

    body: int = variable(
        "API_MAX_BODY", 10 * 2**20, "bytes of a request's body, and of a websocket's message", ge=2**10, le=2**30
    )
    read_bytes: int = variable(
        "API_MAX_READ",
        32 * 2**20,
        "bytes that are read of the database for one user at one time, and twice that for all of them; a session or a "
        "list that is larger is refused",
        ge=2**20,
        le=2**40,
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
        "of these, those of one client; where unset a fiftieth for the user of a JWT, and no bound for others, behind "
        "whom many people may be",
        example="20",
        ge=1,
        le=100_000,
    )
    rate: str | None = variable(
        "API_RATE",
        None,
        f"requests of one client; where unset {RATE} for the user of a JWT and for an address whose tokens are "
        "refused, and no bound for others, behind whom many people may be",
        example=RATE,
    )

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        try:
            amounts = [item.amount for item in parse_many(value or RATE)]
        except ValueError:
            message = "a rate is a number, a slash and a time; several of them are separated by semicolons"
            raise ValueError(message) from None  # The library quotes what may be no text that can be shown.
        if min(amounts) < 1:
            message = "a rate lets one request through, or more"
            raise ValueError(message)
        return value


class Heads:
    """Refuses a head that is too large, or that tells two ends of its body or two tokens.

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
    if len(sent(scope)) + len(scope["query_string"]) > _LONGEST_TARGET:
        return problem(414, f"expected a path and a query of at most {_LONGEST_TARGET} bytes", CLOSE)
    if sum(len(name) + len(value) for name, value in headers) > _LARGEST_HEAD:
        return problem(431, f"expected headers of at most {_LARGEST_HEAD} bytes", CLOSE)
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
        # The way to smuggle a second request past a proxy that reads the other one (RFC 9112 section 6.3).
        return problem(400, "expected either Content-Length or Transfer-Encoding", CLOSE)
    if [name for name, _ in headers].count(b"authorization") > 1:
        return problem(400, "expected one header Authorization", CLOSE)
    return None
