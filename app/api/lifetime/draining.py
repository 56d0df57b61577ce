"""Ends a server without cutting anybody off: it first says that it will, then takes nobody new, then waits."""

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings, variable

_LOG: Final = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_LEFT: Final = 2.0
"""Seconds for what is left once all is answered or cut off, and the database let go."""

_MARK: Final = "session_db_draining"


class Drain(Settings):
    """How long connections last, and the end of a server may take.

    A server that closes an idle connection at the moment at which a balancer sends a request on it costs that request.
    uvicorn closes after 5 s, nginx and AWS's balancers after 60 s (Elastic Load Balancing, "Connection idle timeout").
    """

    grace: float = variable(
        "API_GRACE",
        1,
        "seconds after SIGTERM in which new connections are still taken, for balancers to notice",
        ge=0,
        le=3600,
    )
    keep_alive: int = variable(
        "API_KEEP_ALIVE",
        75,
        "seconds for which an idle connection of a client is kept; more than a balancer keeps its own",
        ge=1,
        le=3600,
    )
    seconds: int = variable("API_DRAIN", 20, "seconds after that in which running requests may finish", ge=0, le=3600)


def install(app: FastAPI) -> None:
    """Put it around everything that is there already.

    Args:
        app: ADK's app.
    """
    app.add_middleware(Draining, of=app)


def begun(app: FastAPI) -> bool:
    """Whether a server is about to end.

    Args:
        app: ADK's app.
    """
    return bool(getattr(app.state, _MARK, False))


class Draining:
    """Asks clients with an open connection to leave, once the server is about to end."""

    def __init__(self, app: ASGIApp, of: FastAPI) -> None:
        """Stand around `app`.

        Args:
            app: Whom to pass requests on to.
            of: The app that knows whether the server is about to end.
        """
        self._app, self._of = app, of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and begun(self._of):
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


class Server(uvicorn.Server):
    """Uvicorn's, which drains on the first signal, and ends at once on the second.

    Args:
        config: Uvicorn's; its `timeout_graceful_shutdown` bounds the running requests.
        app: The app to tell.
        grace: Seconds between SIGTERM and the closed door; SIGINT is of somebody who waits at a terminal.
        last: Seconds for what is done after that by others, for example the last export of traces.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, grace: float, last: float = 0) -> None:
        """Take all over; nothing runs yet."""
        super().__init__(config)
        self._app, self._grace, self._last = app, grace, last
        self._signal: signal.Signals | None = None
        self._begun, self._closing = float("inf"), float("inf")
        self._told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # Of signal's shape.
        """Called by the signals that uvicorn takes; logs nothing, since it may interrupt whoever is logging.

        Args:
            sig: The signal.
            frame: Where it came.
        """
        if self._signal is not None:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        setattr(self._app.state, _MARK, True)
        self._signal = signal.Signals(sig)
        self._begun = time.monotonic()
        self._closing = self._begun + self._open_for(self._signal)

    async def on_tick(self, counter: int) -> Any:
        """Called ten times a second (uvicorn 0.54 `Server.main_loop`).

        Args:
            counter: Of the calls.
        """
        if self._signal is not None and not self._told:
            self._told = True
            self._tell(self._signal)
        if time.monotonic() >= self._closing:
            self.should_exit = True
        return await super().on_tick(counter)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; from its end on nothing holds the process that cannot be cut off.

        Args:
            sockets: Those to serve on.
        """
        await super().serve(sockets)
        if self._signal is not None:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            timer = threading.Timer(_LEFT + self._last, self._leave)
            timer.daemon = True
            timer.start()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and the last line of the log, once nothing runs any more.

        Args:
            sockets: Those to serve on.
        """
        super().run(sockets)
        seconds = max(0.0, time.monotonic() - self._begun)
        _LOG.info("ended after %.1f s", seconds, extra={"seconds": round(seconds, 1)})

    def _leave(self) -> None:
        """Python would wait for threads, and asyncio for tasks that pass over being cancelled, for ever."""
        _LOG.warning("left without waiting for work of agents that cannot be cut off")
        logging.shutdown()
        os._exit(0)

    def _open_for(self, sig: signal.Signals) -> float:
        return self._grace if sig == signal.SIGTERM else 0

    def _tell(self, sig: signal.Signals) -> None:
        running = len(self.server_state.tasks)
        _LOG.info(
            "ending by %s: %d running, new connections for %g s more, then up to %s s to finish",
            sig.name,
            running,
            self._open_for(sig),
            self.config.timeout_graceful_shutdown,
            extra={"signal": sig.name, "running": running},
        )
