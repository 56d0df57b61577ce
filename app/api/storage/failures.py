"""Turns whatever goes wrong behind it into an answer that says whether to try again, and never into a bare 500."""

import asyncio
import functools
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, ValidationException, WebSocketRequestValidationError
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import environment
from app.api.kinds import told
from app.api.lifetime import exits
from app.api.problem import problem
from app.api.storage import sessions
from app.errors import SessionDatabaseError

_LOG: Final = logging.getLogger(__name__)

_CUT_OFF: Final = (
    "this server has ended before the request did. Read the session, and send what is missing: what the request had "
    "stored before is kept"
)


def install(app: FastAPI) -> None:
    """Put it around everything that is there already; what is added later sees its answers.

    Args:
        app: ADK's app.

    Raises:
        InvalidSettingError: AGENTS_DIR names no folder.
    """
    app.add_exception_handler(HTTPException, functools.partial(_refused, agents=str(environment.agents_dir())))
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(WebSocketRequestValidationError, _misfit)
    app.add_middleware(Failures)


class Failures:
    """The last resort: an exception that nobody has made an answer of becomes one."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand around `app`.

        Args:
            app: Whom to pass requests on to.
        """
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, work = False, sessions.Work()

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.body" and not message.get("more_body"):
                work.held.end()  # The answer alone is left, however slowly it is read.
            await send(message)

        sessions.work.set(work)
        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if not started:
                await _cancelled()(scope, receive, send)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            if started:  # The client sees that it is cut off, and nothing else can be told any more.
                raise
            await answer(error if isinstance(error, Exception) else exits.ExitError())(scope, receive, send)
        finally:
            work.held.end()


def _cancelled() -> Response:
    """Uvicorn lets go of what has not finished within API_DRAIN; who else raises it is an agent that fails."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return problem(503, _CUT_OFF, {"Retry-After": "1"})
    return answer(exits.ExitError())


def answer(error: Exception) -> Response:
    """What a client gets instead of an exception, which is logged where nobody has foreseen it.

    Args:
        error: What was raised.
    """
    if isinstance(error, StaleSessionError):
        return problem(409, str(error), retry=True)
    if isinstance(error, SessionNotFoundError):
        return problem(404, "Session not found")
    if isinstance(error, SessionDatabaseError):
        kind = told(type(error))
        headers = {} if kind.after is None else {"Retry-After": str(kind.after)}
        return problem(kind.status, str(error), headers, retry=kind.retry)
    _LOG.error("unforeseen %s", type(error).__name__, exc_info=error)
    return problem(500, "this server failed in a way that nobody has foreseen; its log has more under this request_id")


async def _refused(_: Request, error: Exception, *, agents: str) -> Response:
    """ADK raises this one too where it has caught another (google-adk 2.13 `_create_session`)."""
    assert isinstance(error, HTTPException)  # noqa: S101  # Starlette's promise; for the type checker.
    cause = error.__cause__
    if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and isinstance(cause, Exception):
        return answer(cause)
    if error.status_code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return Response(status_code=error.status_code, headers=error.headers)
    # ADK names the folder in which it has looked for an agent, which is nobody's business outside.
    return problem(error.status_code, str(error.detail).replace(agents, "agents"), error.headers)


async def _misfit(_: Request, error: Exception) -> Response:
    """FastAPI's own answer repeats what was sent."""
    assert isinstance(error, ValidationException)  # noqa: S101  # As above.
    found = [_misfitting(each) for each in error.errors()]
    said = "; ".join(f"{each['at']}: {each['expected']}" for each in found)
    return problem(422, f"expected another request: {said}", errors=found)


def _misfitting(found: Mapping[str, Any]) -> dict[str, str]:
    return {"at": ".".join(str(part) for part in found["loc"]), "expected": str(found["msg"])}
