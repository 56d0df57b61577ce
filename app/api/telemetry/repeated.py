"""Keeps a log from filling a disk with one message, as asyncio would when file descriptors have run out."""

import logging
import time
from collections.abc import Callable
from typing import Final

_PAUSE: Final = 60.0
"""Seconds between two lines of one message."""


class Repeated(logging.Filter):
    """Lets a message of a logger through once a minute, whatever its arguments and its exception are.

    CPython goes on to accept as often as its backlog has turns, and logs each with a traceback
    (`asyncio.selector_events`, `_accept_connection`).
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Nothing was said yet.

        Args:
            now: Seconds of a clock that only goes forward.
        """
        super().__init__()
        self._now, self._last = now, dict[object, float]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        words, now = str(record.msg)[:100], self._now()
        if now - self._last.get(words, -_PAUSE) < _PAUSE:
            return False
        self._last = {each: said for each, said in self._last.items() if now - said < _PAUSE} | {words: now}
        return True
