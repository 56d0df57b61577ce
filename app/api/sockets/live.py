"""Websockets: what comes over one is looked through as a body is, and each ends with a word that says why."""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from google.adk.agents.live_request_queue import LiveRequest
from google.adk.cli import api_server
from pydantic import ValidationError
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.api.bounds.rates import TooOftenError
from app.api.content.documents import FaultError, Reader
from app.api.entry.users import SHARED, writes_shared
from app.api.found import Found, Pairs, of
from app.api.kinds import told
from app.api.problem import problem
from app.api.sockets import backlog
from app.api.storage import failures, sessions
from app.errors import SessionDatabaseError

_T = TypeVar("_T")

_LOG: Final = logging.getLogger(__name__)

_NO_TEXT, _UNFIT, _REFUSED, _BROKEN, _LATER = 1003, 1007, 1008, 1011, 1013
"""Why a websocket is closed (RFC 6455 section 7.4.1, and the registry that it opens)."""

_GONE: Final = 1006
"""What no end says, for one without a word (RFC 6455 section 7.4.1)."""

_LONGEST: Final = 123
"""Bytes of the reason (RFC 6455 section 5.5)."""

_UNREAD: Final = 30.0
"""Seconds in which a client has to read what is sent to it: one that never does would keep its place for ever."""

_YES: Final = ("1", "true", "t", "on", "yes", "y")
"""What pydantic takes for true in a query ("Booleans")."""


def install(app: FastAPI, read: Reader) -> None:
    """Put it right before ADK's routes, behind all that is there already.

    Args:
        app: ADK's app.
        read: Reads messages.
    """
    vars(api_server).update(traceback=_Unprinted, LiveRequestQueue=backlog.Queue)
    app.user_middleware.append(Middleware(Live, read=read))


class _Unprinted:
    """The part of `traceback` that ADK uses, but for printing what it has logged already (2.13 `run_agent_live`).

    Standard error is no log: nobody takes out of it what an exception quotes.
    """

    format_exception = staticmethod(traceback.format_exception)

    @staticmethod
    def print_exc() -> None:
        """Print nothing."""


class _EndError(Exception):
    """Why a websocket ends, with its code. For example, its token has expired."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Live:
    """Stands before ADK's `/run_live`, which takes whatever comes and is silent about what it cannot use."""

    def __init__(self, app: ASGIApp, *, read: Reader) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass good messages on to.
            read: Reads messages.
        """
        self._app, self._read = app, read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] == "websocket":
            await _Talk(scope, receive, send, self._read).run(self._app)
        else:
            await self._app(scope, receive, send)


class _Talk:
    """One websocket."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, read: Reader) -> None:
        self._scope, self._receive, self._send, self._read = scope, receive, send, read
        self._found: Found = of(scope)
        self._backlog = backlog.Backlog(backlog.room_of(self._found.caller))
        self._over: asyncio.Future[_EndError] = asyncio.get_running_loop().create_future()
        self._open = self._closed = self._gone = False
        self._status = 0

    async def run(self, app: ASGIApp) -> None:
        """Until it ends, and never by an exception."""
        work = sessions.Work(failed=self._fail)
        sessions.work.set(work)
        backlog.backlog.set(self._backlog)
        try:
            await app(self._scope, self.receive, self.send)
        except WebSocketDisconnect:  # The client has gone before it heard why.
            return
        except Exception as error:  # noqa: BLE001  # Whatever it is, the client is told.
            await failures.answer(error)(self._scope, self.receive, self.send)
        finally:
            self._backlog.end()
            work.held.end()

    async def receive(self) -> Message:
        """As ASGI. Where it ends, ADK hears that the client has gone, which is how it cleans up."""
        if self._closed:
            return {"type": "websocket.disconnect", "code": _REFUSED}
        try:
            message = await self._unless_over(self._receive())
            if message["type"] == "websocket.receive":
                turn = await self._judged(message.get("text"))
                await self._let_in(message["text"], turn=turn)
        except _EndError as end:
            await self._close(end.code, str(end))
            return {"type": "websocket.disconnect", "code": end.code}
        return message

    async def send(self, message: Message) -> None:
        """As ASGI."""
        kind = message["type"]
        if self._gone:
            await asyncio.sleep(0)  # It runs until it is cancelled.
        elif self._closed:
            if kind != "websocket.close":
                raise OSError  # As servers do (ASGI, "WebSocket", "Send - send event").
        elif kind == "websocket.close":
            await self._close(message.get("code", _REFUSED), str(message.get("reason") or ""))
        elif self._open and kind == "websocket.http.response.start":
            self._status = message["status"]
        elif self._open and kind == "websocket.http.response.body":
            code = _BROKEN if self._status >= 500 else _REFUSED  # noqa: PLR2004
            await self._close(code, json.loads(message["body"])["detail"])
        else:
            self._open = self._open or kind == "websocket.accept"
            try:
                await self._tell(message)
            except OSError:
                self._leave()

    async def _tell(self, message: Message) -> None:
        async with asyncio.timeout(_UNREAD):  # Its TimeoutError is an OSError, as of a client that has gone.
            await self._send(message)

    async def _unless_over(self, awaited: Awaitable[_T]) -> _T:
        until = self._found.caller.until if self._found.caller else None
        left = None if until is None else max(0.0, until - time.time())
        coming = asyncio.ensure_future(awaited)
        both: set[asyncio.Future[Any]] = {coming, self._over}
        try:
            await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                raise self._over.result()
            if not coming.done():
                raise _EndError(_REFUSED, "the token has expired")
            return coming.result()
        finally:
            coming.cancel()

    def _fail(self, error: SessionDatabaseError) -> None:
        if not self._over.done():
            self._over.set_result(_told(error))

    def _leave(self) -> None:
        """The client has gone. ADK hears of it where it reads: after a send that fails it would read, and log both."""
        self._gone = self._closed = True
        if not self._over.done():
            self._over.set_result(_EndError(_GONE, "the client has gone"))
        _LOG.info("the client of a websocket has gone")

    async def _judged(self, text: str | None) -> bool:
        """Whether it is a turn of the user, which becomes an event of the session (google-adk 2.13 `send_to_model`)."""
        if text is None:
            raise _EndError(_NO_TEXT, "expected messages of text")
        try:
            document = await self._read(text.encode())
            request = LiveRequest.model_validate_json(text)
        except FaultError as fault:
            raise _EndError(_UNFIT, str(fault)) from None
        except ValidationError as error:
            raise _EndError(_UNFIT, f"expected a LiveRequest of ADK's: {_misfit(error)}") from None
        if self._found.caller is not None and not self._found.caller.operator and _shared(document):
            raise _EndError(_REFUSED, SHARED)
        return bool(request.content or request.state_delta)

    async def _let_in(self, text: str, *, turn: bool) -> None:
        """A turn stays in ADK's session, sound only where it is saved. What was read of either is let go by now."""
        saved = any(str(each).lower() in _YES for each in self._found.query.values_of("save_live_blob"))
        try:
            if turn:
                await self._found.count()
            await self._unless_over(self._backlog.let_in(text, stays=turn or saved))
        except (TooOftenError, backlog.FullError) as error:
            raise _EndError(_LATER, str(error)) from None

    async def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):  # The client has gone.
            if self._open:
                cut = reason.encode()[:_LONGEST].decode(errors="ignore")
                await self._tell({"type": "websocket.close", "code": code, "reason": cut})
            else:
                known = self._found.template is not None
                refusal = (
                    problem(403, reason) if known else problem(404, "expected another path: there is no websocket")
                )
                await refusal(self._scope, self._receive, self._send)
        _LOG.info("a websocket is closed with %d", code)


def _told(error: SessionDatabaseError) -> _EndError:
    kind = told(type(error))
    code = _LATER if kind.retry else _UNFIT if kind.status < 500 else _BROKEN  # noqa: PLR2004
    return _EndError(code, f"{kind.words}. Read the session: what was stored before is kept")


def _misfit(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _shared(document: Any) -> bool:
    return isinstance(document, Pairs) and writes_shared(document.values_of("state_delta", "stateDelta"))
