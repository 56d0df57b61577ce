"""How much may run at one time: of all clients, so that the server can do it, and of one, so that others come in."""

from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bounds.limits import Limits
from app.api.bounds.rates import client_of
from app.api.entry.users import OPEN
from app.api.found import Caller, of
from app.api.problem import problem

_PARTS: Final = 50
"""Of which one user has one: whoever waits in a websocket costs next to nothing, and would keep the others out."""


class Crowd:
    """Answers 503 while as many requests run as may.

    Not uvicorn's `limit_concurrency`, which counts idle connections and refuses health checks as well: a server that is
    merely busy would be ended.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass requests on to.
            limits: The bound.
        """
        self._app, self._free = app, limits.concurrency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN:
            await self._app(scope, receive, send)
        elif not self._free:
            await problem(503, "expected fewer requests at one time", {"Retry-After": "1"})(scope, receive, send)
        else:
            self._free -= 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._free += 1


class Share:
    """Answers 429 to a client of whom as many requests run as may."""

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass requests on to.
            limits: The bound.
        """
        self._app, self._asked, self._of_user = app, limits.share, max(1, limits.concurrency // _PARTS)
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        caller = of(scope).caller
        client, bound = client_of(caller, scope), self._bound(caller)
        if bound is not None and self._running[client] >= bound:
            detail = f"expected at most {bound} requests, streams and websockets of one client at one time"
            await problem(429, detail, {"Retry-After": "1"})(scope, receive, send)
            return
        self._running[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]

    def _bound(self, caller: Caller | None) -> int | None:
        of_user = self._of_user if caller is not None and caller.user is not None else None
        return of_user if self._asked is None else self._asked
