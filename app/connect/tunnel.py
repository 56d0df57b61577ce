"""The programs that open a way to a server, started before psql and ended after it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from app.connect import inherited
from app.connect.ways.interface import LOOPBACK, Hop
from app.errors import DatabaseUnavailableError

_OPEN_SECONDS: Final = 60.0
"""How long a program may take to open its port: Session Manager and Bastion take some seconds."""

_POLL_SECONDS: Final = 0.05

_END_SECONDS: Final = 3.0

_WORDS: Final = 300
"""Letters of what a program said last."""


@contextmanager
def opened(hops: Sequence[Hop], folder: Path) -> Iterator[list["Tunnel"]]:
    """Start programs, each once the one before it has opened its port; end them in the end.

    Args:
        hops: The programs.
        folder: A private folder for what they say.

    Raises:
        DatabaseUnavailableError: One ends, or opens no port within a minute.
    """
    with ExitStack() as stack:
        tunnels = []
        for number, hop in enumerate(hops):
            tunnel = Tunnel(hop, folder / f"{number}.log")
            stack.callback(tunnel.end)
            tunnel.wait()
            tunnels.append(tunnel)
        yield tunnels


class Tunnel:
    """One program that runs.

    It has a process group of its own, so that a Ctrl-C in psql does not reach it, and what it calls ends with it.
    """

    def __init__(self, hop: Hop, log: Path) -> None:
        """Start it; what it says goes into a file, since psql has the terminal."""
        self._hop = hop
        self._log = log
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                hop.argv,
                env=inherited.by_cloud(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def wait(self) -> None:
        """Wait until something takes a connection at its port.

        Raises:
            DatabaseUnavailableError: The program ends before, or takes more than a minute.
        """
        deadline = time.monotonic() + _OPEN_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection((LOOPBACK, self._hop.port), _POLL_SECONDS):
                return
            time.sleep(_POLL_SECONDS)
        raise self._unopened()

    def said(self) -> str:
        """What it said last, in one line."""
        return " ".join(self._log.read_text(errors="replace").split())[-_WORDS:]

    def end(self) -> None:
        """End it as Ctrl-C would, by which each of these programs closes its session; then by force."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
                break
        with suppress(ProcessLookupError):  # What it called may have outlived it.
            os.killpg(self._process.pid, signal.SIGKILL)

    def _unopened(self) -> DatabaseUnavailableError:
        ended = self._process.poll()
        how = f"it opened no port within {_OPEN_SECONDS:.0f} s" if ended is None else f"it ended with {ended}"
        message = f"expected {self._hop.argv[0]} to open the way, but {how}: {self.said() or 'it said nothing'}"
        return DatabaseUnavailableError(message)
