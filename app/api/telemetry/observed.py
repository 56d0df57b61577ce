"""Watches each request from outside: what it was, how it ended, how long it took."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.found import of

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Seen:
    """One request.

    Attributes:
        method: The method; `OTHER` where it is none that HTTP defines, since whoever calls makes them up.
        route: The path of the route as the app declares it; `none` where there was none. A path itself would name
            users, and as many different ones as somebody likes to ask for.
        status: The HTTP status; 499 where the client had gone before (nginx's number), 101 for a websocket.
        seconds: From the first byte to the last one.
    """

    method: str
    route: str
    status: int
    seconds: float


Tell = Callable[[Seen], None]


def install(app: FastAPI, tell: Sequence[Tell]) -> None:
    """Put it around everything that is there already.

    Args:
        app: ADK's app.
        tell: Each is called once for each request.
    """
    app.add_middleware(Observed, tell=tell)


class Observed:
    """Tells of each request when it has ended."""

    def __init__(self, app: ASGIApp, tell: Sequence[Tell]) -> None:
        """Stand around `app`.

        Args:
            app: Whom to pass requests on to.
            tell: Whom to tell.
        """
        self._app, self._tell = app, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 499

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            seen = Seen(_method(scope), _route(scope), status, time.perf_counter() - begun)
            for tell in self._tell:
                tell(seen)


def _method(scope: Scope) -> str:
    method = scope.get("method", "GET")
    return method if method in _METHODS else "OTHER"


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or of(scope).template or "none"
