"""What a request asks for: a path and a query that mean the same to everybody who reads them."""

import unicodedata
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.found import Pairs, of
from app.api.problem import problem

_FREE: Final = ":path}"
"""How a route ends the one part that may have slashes: the name of an artifact."""


def install(app: FastAPI) -> None:
    """Keep the path as it was sent, before anybody changes it.

    Args:
        app: ADK's app.
    """
    app.add_middleware(Kept)


class Kept:
    """Takes the path as it was sent out of ADK's hands.

    With ADK_DEFAULT_APP_NAME it replaces it by the decoded one, and raises for names that are not Latin (google-adk
    2.13 `_DefaultAppRewriteMiddleware`).
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand around `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket"):
            of(scope).path = scope.pop("raw_path", None)
        await self._app(scope, receive, send)


class Targets:
    """Refuses a path or query that means one thing here and another to whoever passes it on, and keeps the query."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket") and (fault := _fault(scope)):
            await problem(400, fault)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _fault(scope: Scope) -> str | None:
    try:
        path = unquote_to_bytes(sent(scope)).decode()
        # As Starlette takes it apart, which would read bytes that are not ASCII as Latin-1 (`QueryParams`).
        query = scope["query_string"].decode("ascii")
        pairs = Pairs(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100))
    except (UnicodeDecodeError, ValueError):
        return "expected a path and a query that are UTF-8, percent-encoded, with at most 100 parameters"
    if any(_control(text) for text in (path, *(part for pair in pairs for part in pair))):
        return "expected no control characters in the path and the query"
    if "\\" in path or not {".", ".."}.isdisjoint(path.split("/")):
        return "expected a path without .. and backslashes"
    of(scope).query = pairs
    return pairs.repeated()


def _control(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)


def fault_of_names(scope: Scope) -> str | None:
    """Why the path may be cut into names in another way than the route does; None where it cannot.

    Routes are matched after decoding, so that `%2F` cuts like a slash; who matches before sees one name.

    Args:
        scope: Of a request whose route is known.
    """
    template, path = of(scope).template or "", sent(scope)
    before = scope["path"].removesuffix(unquote_to_bytes(path).decode())  # Of ADK's, with a default app.
    names = (before.encode() + path).removeprefix(scope.get("root_path", "").encode()).lower().split(b"/")
    if _FREE in template:
        names = names[: template.partition(_FREE)[0].count("/")]
    if any(b"%2f" in name for name in names):
        return "expected a path without encoded slashes, but in the name of an artifact"
    return None


def sent(scope: Scope) -> bytes:
    """The path of a request as it was sent, as far as that is known.

    Args:
        scope: Of the request.
    """
    return of(scope).path or scope["path"].encode(errors="surrogateescape")
