"""Looks at the command lines of this machine's processes while a rehearsal runs, as any user of it could."""

import contextlib
import threading
from types import TracebackType
from typing import Final, Self

import psutil

_SECONDS: Final = 0.2


class Watch:
    """Collects every command line that it sees between entering and leaving.

    Attributes:
        seen: The command lines, each once.
    """

    def __init__(self) -> None:
        """Nothing is watched yet."""
        self.seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Start to look."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        known: set[int] = set()
        while not self._end.wait(_SECONDS):
            running = set(psutil.pids())
            for pid in running - known:
                # One that has ended meanwhile, or is somebody's whom we may not look at.
                with contextlib.suppress(psutil.Error):
                    self.seen.add(" ".join(psutil.Process(pid).cmdline()))
            known = running
