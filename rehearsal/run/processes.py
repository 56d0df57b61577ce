"""What a rehearsal has started and not yet seen the end of: written down, so that `clean` ends it after a kill."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import psutil

from rehearsal.errors import StepError
from rehearsal.run import layout

_GRACE_SECONDS: Final = 20.0
"""How long something that was asked to end may take: the engine finishes the step in hand."""


class Processes:
    """The processes of one cloud's rehearsal; each leads a session of its own.

    Args:
        cloud: Which cloud's.
    """

    def __init__(self, cloud: str) -> None:
        """Nothing is read yet."""
        self._cloud = cloud
        self._file = layout.RUNS / f"{cloud}.json"
        self._lock = layout.RUNS / f"{cloud}.lock"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only rehearsal of the cloud in this clone, until the end of the body or of this process.

        Raises:
            StepError: Another one runs.
        """
        layout.RUNS.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"expected no other rehearsal of {self._cloud} in this clone, but process {self.owner} is one"
                raise StepError(message, "python -m rehearsal status") from None
            self._write([_named(os.getpid())])
            yield
            self._file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def started(self, command: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
        """Start a command, and end it with its children where the body is left before it has ended.

        Args:
            command: Its arguments; never a secret, which every user of the machine could read.
            how: What `subprocess.Popen` takes besides.
        """
        with subprocess.Popen(command, text=True, start_new_session=True, **how) as process:
            self._write([*self._read(), _named(process.pid)])
            try:
                yield process
            finally:
                if process.poll() is None:
                    _end(psutil.Process(process.pid))
                process.wait()
                self._write([each for each in self._read() if each["pid"] != process.pid])

    @property
    def owner(self) -> int | None:
        """The process that rehearses the cloud, or was last seen to."""
        return next((each["pid"] for each in self._read()), None)

    def end(self) -> int:
        """End whatever an earlier rehearsal has left running, the rehearsal itself among it; returns how many."""
        ended = 0
        for each in self._read():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(each["pid"])
                if process.create_time() == each["created"] and process.pid != os.getpid():
                    _end(process)
                    ended += 1
        self._file.unlink(missing_ok=True)
        return ended

    def _read(self) -> list[dict[str, Any]]:
        with contextlib.suppress(FileNotFoundError):
            found: list[dict[str, Any]] = json.loads(self._file.read_text())
            return found
        return []

    def _write(self, known: list[dict[str, Any]]) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(known))
        draft.replace(self._file)


def _named(pid: int) -> dict[str, Any]:
    """A process, so that another one with its number is never taken for it."""
    return {"pid": pid, "created": psutil.Process(pid).create_time()}


def _end(process: psutil.Process) -> None:
    """As Ctrl-C does, to it alone, which ends its own; then by force, to all of its session.

    A control plane that one of them has started is in a session of its own: the cloud lives on.
    """
    process.send_signal(signal.SIGINT)
    psutil.wait_procs([process], timeout=_GRACE_SECONDS)
    left = [process, *_session(process.pid)]
    for each in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(left, timeout=_GRACE_SECONDS)


def _session(number: int) -> Iterator[psutil.Process]:
    for each in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(each.pid) == number:
                yield each


def gone(pid: int) -> None:
    """Wait for the end of a process that has been told to end; it may have let go of all that others see before.

    Args:
        pid: Its number.
    """
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(_GRACE_SECONDS)


def running() -> dict[str, int]:
    """The clouds that are rehearsed at this moment, with the process of each; read-only."""
    found = {}
    for cloud in layout.CLOUDS:
        with contextlib.suppress(FileNotFoundError), (layout.RUNS / f"{cloud}.lock").open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found[cloud] = Processes(cloud).owner or 0
    return found
