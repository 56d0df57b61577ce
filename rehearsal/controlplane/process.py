"""The process of a control plane: it meets its clients in a file, and ends in order when it is asked to."""

import os
import secrets
import signal
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import uvicorn

from rehearsal.controlplane import meeting
from rehearsal.controlplane.app import application
from rehearsal.controlplane.clouds import RULES
from rehearsal.controlplane.meeting import Meeting
from rehearsal.controlplane.plane import ControlPlane

_HOST: Final = "127.0.0.1"
_GRACE_SECONDS: Final = 5
"""How long open requests may take at the end."""


def run(folder: Path) -> None:
    """Be the control plane of a folder until somebody asks for the end; waits for one that is just ending.

    Where it was before, it is again, as far as the port is free, so that addresses in records stay right.

    Args:
        folder: The rehearsal's; it exists.
    """
    folder = folder.resolve()
    with meeting.life(folder), _listening(folder) as listener:
        token = _token(folder)
        url = f"http://{_HOST}:{listener.getsockname()[1]}/{token}"
        plane = ControlPlane(folder, url, RULES)
        plane.start()
        server: uvicorn.Server

        def stop() -> None:
            server.should_exit = True

        app = application(plane, token, stop)
        # The token stands in every path: no access log.
        config = uvicorn.Config(
            app, access_log=False, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS, lifespan="on"
        )
        server = uvicorn.Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises what it caught once more when it has ended.
            signal.signal(number, lambda *_: None)
        meeting.announce(folder, Meeting(url, os.getpid()))
        server.run(sockets=[listener])


def _listening(folder: Path) -> socket.socket:
    before = meeting.find(folder)
    for port in (urlsplit(before.url).port if before else 0, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port or 0))
            listener.listen()
        except OSError:
            listener.close()
        else:
            return listener
    message = f"expected a free port on {_HOST}"
    raise OSError(message)


def _token(folder: Path) -> str:
    before = meeting.find(folder)
    return urlsplit(before.url).path.strip("/") if before else secrets.token_urlsafe(24)
