"""Runs the API server: bootstraps what is missing, and says where it is once it really answers."""

import ipaddress
import signal
import socket
import sys
import threading
import urllib.request
from typing import Final

import uvicorn
from sqlalchemy import URL

from app import start
from app.backends import choice
from app.backends.interface import Report
from app.errors import InvalidSettingError, ServerUnavailableError

_ANSWER_SECONDS: Final = 30.0


def run(url: URL, host: str, port: int, report: Report) -> None:
    """Serve until SIGINT or SIGTERM, which end the process with exit code 0.

    Args:
        url: The session database, which is bootstrapped first.
        host: A loopback address: ADK's routes have no authentication.
        port: The port, 0 for a free one.
        report: Called with a line when the server answers.

    Raises:
        InvalidSettingError: The host is no loopback address.
        ServerUnavailableError: The port is taken, or the server does not answer.
        SessionDatabaseError: The database cannot be used.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _require_loopback(host)
    listener = _listen(host, port)
    start.make_ready(url)
    report("loading ADK")
    # Imported late: ADK takes seconds, and a port that is taken should not.
    from app.server import adk_app  # noqa: PLC0415

    base = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(adk_app(host, url), log_level="warning", timeout_graceful_shutdown=10))
    threading.Thread(target=_announce, args=(base, report), daemon=True).start()
    with choice.of(url).in_use(url):
        server.run(sockets=[listener])


def _leave(*_: object) -> None:
    """End well: uvicorn shuts down on a signal, then raises it once more for whoever handled it before, which is this.

    Source: uvicorn 0.54 `Server.capture_signals`.
    """
    sys.exit(0)


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = (
            f"expected a loopback address, since ADK's routes have no authentication, got {host}. "
            "For example: --host 127.0.0.1"
        )
        raise InvalidSettingError(message)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, since asyncio turns Nagle's algorithm off for no other: an answer would wait 40 ms for the client's ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        message = (
            f"expected to listen on {host}:{port}, but {error.strerror or error}. "
            f"Choose another port, for example: --port {port + 1}"
        )
        raise ServerUnavailableError(message) from None
    return listener


def _announce(base: str, report: Report) -> None:
    """The listener takes the request at once, and the answer comes when the app is ready: no polling is needed."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # A proxy cannot reach our loopback.
    try:
        with direct.open(f"{base}/docs", timeout=_ANSWER_SECONDS):
            report(f"ADK API server: {base}/docs")
    except OSError as error:
        report(f"no answer from {base}/docs within {_ANSWER_SECONDS:.0f} s: {error}")
