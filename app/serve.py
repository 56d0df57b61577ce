"""Runs the API server: bootstraps what is missing, says where it is once it really answers, and drains in the end."""

import logging
import os
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable
from typing import Final

from sqlalchemy import URL

from app import dsn, environment, misspelt, start
from app.api import garbage
from app.api.bounds.limits import Limits
from app.api.entry import access
from app.api.lifetime.draining import Drain
from app.api.storage.stores import Stores
from app.api.telemetry import logs, traces, unheard
from app.backends import choice
from app.backends.interface import Report
from app.credentials.choice import Proof
from app.engine import Pool
from app.errors import ServerUnavailableError

_LOG: Final = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 30.0

GROUPS: Final = (start.Start, Pool, Proof, access.Access, Limits, Stores, Drain, logs.Logs)
"""All settings of a server, as the documentation has them."""


def run(url: URL, host: str, port: int, report: Report, first: Callable[[], object] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, which end the process with exit code 0; a second one ends it at once.

    Args:
        url: The session database, which is waited for and bootstrapped first.
        host: The address; one that others can reach only where API_ACCESS says who checks them.
        port: The port, 0 for a free one.
        report: Called with a line of progress, the last one when the server answers; where the log is JSON, the lines
            are in the log, in its form.
        first: What is to be done in the database before it is looked at; it is waited for as well.

    Raises:
        InvalidSettingError: A setting does not fit, or nobody would check the callers of that host.
        ServerUnavailableError: The port is taken, or the server does not answer.
        SessionDatabaseError: The database cannot be used.
    """
    os.umask(0o077)  # What users say is no other account's, wherever ADK and agents write it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    report = _teller(report)
    report(f"database: {dsn.masked(url)}")
    _warn(report)
    _judge(host, url, report)
    listener = _listen(host, port)
    if first is not None:
        start.once_up(first, report)
    start.make_ready(url, report)
    report("loading ADK")
    # Imported late: ADK takes seconds, and a port that is taken should not.
    from app import server  # noqa: PLC0415

    running = server.running(host, url)
    unheard.install()
    garbage.settle()
    port = listener.getsockname()[1]
    threading.Thread(target=_announce, args=(_base(host, port), _base(_near(host), port), report), daemon=True).start()
    with choice.of(url).in_use(url):
        running.run(sockets=[listener])


def _leave(*_: object) -> None:
    """Nothing is served yet."""
    sys.exit(0)


def _teller(report: Report) -> Report:
    """People read standard error; a program that reads JSON may get both streams as one, as of a container."""
    settings = logs.Logs.read()
    if settings.form == "text":
        return report
    logs.install(settings, environment.agents_dir())
    return lambda line: _LOG.info("%s", line)


def _warn(report: Report) -> None:
    known = [name for group in GROUPS for name, *_ in group.documented()]
    for line in misspelt.lines(environment.names(), known):
        report(f"warning: {line}")


def _judge(host: str, url: URL, report: Report) -> None:
    """All settings, and the files that they name, before anything is waited for."""
    entry = access.Access.read()
    if entry.unasked is not None:
        report(f"warning: {entry.unasked}")
    entry.require(host)
    access.tokens_of(entry)
    start.judge(url)
    traces.judge()
    for settings in GROUPS:
        settings.read()


def _base(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _near(host: str) -> str:
    """Where this process itself reaches an address that stands for all of the machine's."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # Nothing is bound here.


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
            f"Choose another port, for example: --port {port + 1}, or make serve PORT={port + 1}"
        )
        raise ServerUnavailableError(message) from None
    return listener


def _announce(shown: str, base: str, report: Report) -> None:
    """The listener takes the request at once, and the answer comes when the app is ready: no polling is needed."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # A proxy cannot reach our loopback.
    try:
        with direct.open(f"{base}/livez", timeout=_ANSWER_SECONDS):
            report(f"ADK API server: {shown}/docs")
    except OSError as error:
        report(f"no answer from {base}/livez within {_ANSWER_SECONDS:.0f} s: {error}")
