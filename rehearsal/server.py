"""The process of a server, started through its guard, so that it cannot outlive whoever started it."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from rehearsal import guard
from rehearsal.account import Account, environment
from rehearsal.errors import ServerError

Mode = Literal["fast", "immediate"]
"""How to stop: `fast` ends the sessions and shuts down; `immediate` is a crash, recovered from at the next start."""

_STOP_SECONDS: Final = 45.0
"""Above the guard's own patience, after which it kills the server."""


@dataclass
class Server:
    """One server process at a time, and its log.

    Attributes:
        postgres: The program.
        data: The data folder.
        log: The file for what it says.
        account: Who runs it.
    """

    postgres: Path
    data: Path
    log: Path
    account: Account
    _guard: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def running(self) -> bool:
        """Whether the process lives; it need not answer yet."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Start the process and return at once.

        Raises:
            ServerError: It runs already.
        """
        if self.running:
            message = f"expected a server that is not running in {self.data}; stop it first"
            raise ServerError(message)
        self._close(b"")
        identity = [] if self.account.uid is None else [f"--uid={self.account.uid}", f"--gid={self.account.gid}"]
        command = [sys.executable, "-I", "-S", guard.__file__, *identity, f"--log={self.log}", "--"]
        self._guard = subprocess.Popen(
            [*command, str(self.postgres), "-D", str(self.data)],
            stdin=subprocess.PIPE,
            env=environment(),
            start_new_session=True,  # Ctrl-C in the terminal is for the owner, which then stops the server in order.
        )

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the process and wait for its end; nothing happens where none runs.

        Args:
            mode: How.

        Raises:
            ServerError: It did not end.
        """
        if self._guard is None:
            return
        self._close(f"{mode}\n".encode())
        try:
            self._guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            message = f"expected the server in {self.data} to end within {_STOP_SECONDS:.0f} s.\n{self.said(lines=15)}"
            raise ServerError(message) from error
        self._guard = None

    def said(self, lines: int | None = None) -> str:
        """The log so far, or the last lines of it; an empty text where there is none yet."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def _close(self, words: bytes) -> None:
        """Tell the guard to end the server; nothing happens where it has ended by itself."""
        if self._guard is not None and self._guard.stdin is not None and not self._guard.stdin.closed:
            with contextlib.suppress(BrokenPipeError), self._guard.stdin as pipe:
                pipe.write(words)
