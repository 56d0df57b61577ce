"""Finds out who asks, and keeps the requests of other machines out where nobody checks callers."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bounds.rates import Rates, TooOftenError
from app.api.entry import address, users
from app.api.entry.tokens import RefusedTokenError, Tokens, UnavailableKeysError
from app.api.found import Caller, of
from app.api.problem import problem


class Door:
    """Finds out who asks; refusing is left to whoever knows the route."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens | None, rates: Rates, loopback: bool) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass requests on to.
            tokens: What tells callers; None where nobody needs a token.
            rates: Counts those of whom the network has to be asked.
            loopback: Whether requests come from this machine alone.
        """
        self._app, self._tokens, self._rates, self._loopback = app, tokens, rates, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in users.OPEN:
            known = await self._known(scope)
            found = of(scope)
            found.caller, found.refusal = (known, None) if isinstance(known, Caller) else (None, known)
        await self._app(scope, receive, send)

    async def _known(self, scope: Scope) -> Caller | Response:
        if self._loopback and scope.get("client") and not address.is_loopback(scope["client"][0]):
            return problem(403, "expected a caller on this machine, since API_ACCESS is loopback")
        if self._tokens is None:
            return Caller(address.client(scope))
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return problem(401, "expected the header Authorization: Bearer <token>", {"WWW-Authenticate": "Bearer"})
        return await self._judged(self._tokens, token.strip(), scope)

    async def _judged(self, tokens: Tokens, token: str, scope: Scope) -> Caller | Response:
        async def permit() -> None:
            await self._rates.count(None, scope)
            of(scope).counted = True

        try:
            return await tokens.caller(token, permit)
        except TooOftenError as error:
            return error.answer
        except RefusedTokenError as error:
            return problem(401, str(error), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        except UnavailableKeysError as error:
            return problem(503, f"{error}; ask again", {"Retry-After": "5"})
