"""Looks at the command lines of this machine's processes while a rehearsal runs, as any user of it could."""

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
        known: set[tuple[int, float]] = set()
        while not self._end.wait(_SECONDS):
            for process in psutil.process_iter(["create_time", "cmdline"]):
                name = (process.pid, process.info["create_time"])
                if name not in known:
                    known.add(name)
                    self.seen.add(" ".join(process.info["cmdline"] or ()))
