"""How often a client may ask."""

import functools
import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bounds.limits import RATE, Limits
from app.api.entry import address
from app.api.entry.users import OPEN
from app.api.found import Caller, of
from app.api.problem import problem


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


def client_of(caller: Caller | None, scope: Scope) -> str:
    """Whose requests are counted together.

    Args:
        caller: Who makes a request; None for somebody who is not known, and is told by the address.
        scope: Of the request.
    """
    return caller.name if caller else address.client(scope)


class Rates:
    """Counts the requests of each client."""

    def __init__(self, limits: Limits) -> None:
        """Take the bound; nobody has asked yet.

        Args:
            limits: The bound.
        """
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._asked = parse_many(limits.rate) if limits.rate else None
        self._of_one = parse_many(RATE)

    async def count(self, caller: Caller | None, scope: Scope) -> None:
        """Count one request.

        Args:
            caller: Who makes it, as `client_of`.
            scope: Of the request.

        Raises:
            TooOftenError: It is one too many.
        """
        client = client_of(caller, scope)
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
            if scope["type"] == "websocket":
                found.count = functools.partial(self._rates.count, found.caller, scope)
        await self._app(scope, receive, send)
