"""Who may use which route, and whose sessions: an allow-list of ADK's routes, closed to users by default."""

import importlib.util
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.found import Caller, Found, Pairs, of
from app.api.problem import problem

OPEN: Final = frozenset({"/livez", "/readyz", "/health"})
"""What an orchestrator asks without a token; they tell of the process and its database, and of no session."""


class Reach(Enum):
    """What a route asks of a caller who is bound to a user."""

    CALLER = auto()
    """To be known."""

    PATH = auto()
    """To be the user that the path names."""

    BODY = auto()
    """To be the user that the body names."""

    QUERY = auto()
    """To be the user that the query names."""

    OPERATOR = auto()
    """To be an operator, who is bound to no user."""


_SESSIONS: Final = "/apps/{app_name}/users/{user_id}/sessions"
_ARTIFACTS: Final = f"{_SESSIONS}/{{session_id}}/artifacts"
_ARTIFACT: Final = f"{_ARTIFACTS}/{{artifact_name:path}}"

ROUTES: Final[Mapping[str, Reach]] = {
    "/openapi.json": Reach.CALLER,
    "/docs": Reach.CALLER,
    "/docs/oauth2-redirect": Reach.CALLER,
    "/redoc": Reach.CALLER,
    "/health": Reach.CALLER,
    "/version": Reach.CALLER,
    "/list-apps": Reach.CALLER,
    "/apps/{app_name}/app-info": Reach.CALLER,
    _SESSIONS: Reach.PATH,
    f"{_SESSIONS}/{{session_id}}": Reach.PATH,
    _ARTIFACTS: Reach.PATH,
    _ARTIFACT: Reach.PATH,
    f"{_ARTIFACT}/versions": Reach.PATH,
    f"{_ARTIFACT}/versions/metadata": Reach.PATH,
    f"{_ARTIFACT}/versions/{{version_id}}": Reach.PATH,
    f"{_ARTIFACT}/versions/{{version_id}}/metadata": Reach.PATH,
    "/apps/{app_name}/users/{user_id}/memory": Reach.PATH,
    "/run": Reach.BODY,
    "/run_sse": Reach.BODY,
    "/run_live": Reach.QUERY,
    # It makes the server spend its own cloud credentials.
    "/agent-identity/finalize": Reach.OPERATOR,
    "/metrics": Reach.OPERATOR,
}
"""Every route of google-adk 2.13 without its web interface, and ours; one that is not here is an operator's."""

_NEEDS: Final = {"/agent-identity/finalize": "google.cloud.iamconnectorcredentials_v1alpha"}
"""Routes that ADK declares without the package that they need, and answers with 500."""

_APP_STATE: Final = "app:"
"""What ADK puts before the keys of the state that all users of an app share (google-adk 2.13 `State.APP_PREFIX`)."""


SHARED: Final = f"expected no state under {_APP_STATE}, which all users of the app share: it is an operator's"


class Gate:
    """Refuses who is not known, and users where they have no business."""

    def __init__(self, app: ASGIApp, *, routes: FastAPI) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass allowed requests on to.
            routes: The application whose routes count; they are looked up as its own router does.
        """
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in OPEN:
            found = of(scope)
            self._meet(scope, found)
            if refusal := _refusal(found):
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _meet(self, scope: Scope, found: Found) -> None:
        for route in self._routes.routes:
            match, child = route.matches(scope)
            if match == Match.FULL:
                found.template, found.params = getattr(route, "path", ""), child.get("path_params", {})
                return


def _refusal(found: Found) -> Response | None:
    if found.caller is None:
        return found.refusal or problem(401, "expected a caller who is known")
    if found.template is None:  # The router knows what to answer: 404 or 405.
        return None
    if (needed := _NEEDS.get(found.template)) and not _installed(needed):
        return problem(404, f"this server has no {found.template}: the Python package {needed} is not installed")
    return None if found.caller.operator else _refusal_of_user(found.caller, found.template, found)


def _refusal_of_user(caller: Caller, template: str, found: Found) -> Response | None:
    reach = ROUTES.get(template, Reach.OPERATOR)
    if reach is Reach.OPERATOR:
        return problem(403, f"expected an operator: {template} is no user's")
    if reach is Reach.PATH:
        return _unless_own(caller, [found.params.get("user_id")])
    if reach is Reach.QUERY:
        return _unless_own(caller, found.query.values_of("user_id"))
    return None


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # A parent of it is missing.
        return False


def _unless_own(caller: Caller, users: list[Any]) -> Response | None:
    if users and all(user == caller.user for user in users):
        return None
    return problem(403, "expected the user that the token names: the sessions of others are closed to it")


class Owners:
    """Refuses a body that names another user, or that writes what all users share."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] == "http" and (refusal := _refusal_of_body(of(scope))):
            await refusal(scope, receive, send)
            return
        of(scope).document = None  # A run may take minutes.
        await self._app(scope, receive, send)


def _refusal_of_body(found: Found) -> Response | None:
    if found.caller is None or found.caller.operator or found.template is None:
        return None
    document = found.document if isinstance(found.document, Pairs) else Pairs()
    own = _unless_own(found.caller, document.values_of("userId", "user_id"))
    if ROUTES.get(found.template) is Reach.BODY and own is not None:
        return own
    states: list[Any] = [document] if found.template == f"{_SESSIONS}/{{session_id}}" else []
    states += document.values_of("state", "stateDelta", "state_delta")
    return problem(403, SHARED) if writes_shared(states) else None


def writes_shared(states: list[Any]) -> bool:
    """Whether one of the states has what all users of an app share.

    Args:
        states: What stands where states do, as it was sent.
    """
    return any(name.startswith(_APP_STATE) for state in states if isinstance(state, Pairs) for name, _ in state)
