"""How plugins and commands reach the control plane of a rehearsal; the first who needs it starts it."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rehearsal.claim import claim
from rehearsal.controlplane import meeting
from rehearsal.errors import CloudRefusalError, ControlPlaneError

FOLDER_VARIABLE: Final = "SESSION_DB_REHEARSAL"
"""The environment variable with the rehearsal's folder."""

_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 90.0
_PING_SECONDS: Final = 30.0
"""Long, since one that is busy with servers on a busy machine is no dead one."""

_POLL_SECONDS: Final = 0.02
_LOG_LINES: Final = 15


@dataclass(frozen=True)
class ControlPlaneClient:
    """A control plane that lives.

    Attributes:
        url: Where; a vendor's endpoint is below it, for example `<url>/aws`.
        pid: Its process.
    """

    url: str = field(repr=False)
    pid: int

    def call(self, verb: str, /, **asked: Any) -> dict[str, Any]:
        """Ask for something and wait until it is done, however long that takes.

        Args:
            verb: For example "servers.create".
            asked: Its arguments; what JSON can carry.

        Returns:
            The answer.

        Raises:
            CloudRefusalError: The cloud refuses.
            ControlPlaneError: It does not answer any more.
        """
        return self._post(verb, asked, None)

    def ping(self) -> bool:
        """Whether it answers."""
        try:
            self._post("ping", {}, _PING_SECONDS)
        except (ControlPlaneError, CloudRefusalError):
            return False
        return True

    def _post(self, verb: str, asked: dict[str, Any], timeout: float | None) -> dict[str, Any]:
        body = json.dumps(asked).encode()
        url = f"{self.url}/internal/{verb}"
        request = urllib.request.Request(url, body, method="POST")  # noqa: S310  # Our own address.
        try:
            with _OPENER.open(request, timeout=timeout) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from error
        except (OSError, ValueError) as error:
            message = f"expected the rehearsal's control plane to answer {verb}: {error}"
            raise ControlPlaneError(message) from error
        return answer


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Not through a proxy that the developer has exported: it is on this machine."""


def connect(folder: Path) -> ControlPlaneClient:
    """Reach the control plane of a folder, and start it where none lives.

    Args:
        folder: The rehearsal's; made where it is not there.

    Raises:
        FolderError: It has somebody's files in it, or cannot be made.
        ControlPlaneError: It did not start.
    """
    claim(folder)
    with (folder / "connect.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Who comes second finds what the first has started.
        found = _living(folder)
        return found if found is not None else _start(folder)


def running(folder: Path) -> ControlPlaneClient | None:
    """Reach the control plane of a folder; None where none lives. Read-only."""
    return _living(folder)


def stop(folder: Path) -> None:
    """End the control plane of a folder and its servers, in order; nothing happens where none lives.

    Raises:
        ControlPlaneError: It did not end.
    """
    found = meeting.find(folder)
    if found is None or not meeting.is_alive(folder):
        return
    try:
        ControlPlaneClient(found.url, found.pid).call("stop")
    except ControlPlaneError:  # It hears signals, even where it does not answer any more.
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while meeting.is_alive(folder):
        if time.monotonic() > deadline:
            message = f"expected the control plane to end within {_STOP_SECONDS:.0f} s.\n{_said(folder)}"
            raise ControlPlaneError(message)
        time.sleep(_POLL_SECONDS)


def _living(folder: Path) -> ControlPlaneClient | None:
    found = meeting.find(folder)
    if found is None or not meeting.is_alive(folder):
        return None
    client = ControlPlaneClient(found.url, found.pid)
    return client if client.ping() else None


def _start(folder: Path) -> ControlPlaneClient:
    with os.fdopen(os.open(folder / meeting.LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "rehearsal.controlplane", str(folder)],
            cwd=Path(__file__).parents[2],  # Where the package is, for Python to find.
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # It outlives whoever needed it first, and hears no Ctrl-C of theirs.
        )
    threading.Thread(target=process.wait, daemon=True).start()  # Where it ends first, it leaves no zombie.
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        found = meeting.find(folder)
        if found is not None and found.pid == process.pid:
            client = ControlPlaneClient(found.url, found.pid)
            if client.ping():
                return client
        time.sleep(_POLL_SECONDS)
    process.kill()
    message = f"expected a control plane that starts in {folder}. Its log ends with:\n{_said(folder)}"
    raise ControlPlaneError(message)


def _said(folder: Path) -> str:
    path = folder / meeting.LOG
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-_LOG_LINES:])


def _refusal(error: urllib.error.HTTPError) -> CloudRefusalError:
    try:
        told = json.load(error)
        return CloudRefusalError(told["code"], told["message"], error.code)
    except (ValueError, KeyError):
        return CloudRefusalError("InternalError", f"HTTP {error.code}", error.code)
