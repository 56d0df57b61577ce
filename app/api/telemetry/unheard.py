"""Exceptions that nobody hears, of threads and of objects at their end, go to the log; Python prints them in words."""

import logging
import sys
import threading
from typing import Any, Final

_LOG: Final = logging.getLogger(__name__)


def install() -> None:
    """For the whole process, which is a server's own."""
    threading.excepthook = _of_thread
    sys.unraisablehook = _of_object


def _of_thread(of: Any) -> None:
    if of.exc_type is not SystemExit:  # Which ends a thread and is no error (Python, `threading.excepthook`).
        _LOG.error("a thread has ended", exc_info=of.exc_value)


def _of_object(of: Any) -> None:
    _LOG.error("an exception that nobody could be told", exc_info=of.exc_value)
