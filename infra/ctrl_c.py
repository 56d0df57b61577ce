"""Ctrl-C while nothing is under way yet, or any more: one line and an exit code instead of a traceback."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

_EXIT_CODE: Final = 130
"""That of `InterruptedByUserError`, whose module would have to be imported first."""

_ANSWER: Final = b'{"error": {"kind": "InterruptedByUserError", "message": "stopped as asked"}}\n'


def answered_at_once() -> None:
    """From now on Ctrl-C ends this process at once, even in the middle of an import.

    Where the process was started with Ctrl-C ignored, as by `nohup` or `&` in a script, that is left as it is.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Within, Ctrl-C is a KeyboardInterrupt as usual, so that what the body has begun is ended in order."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    """Without Python's own shutdown, which imports and waits for threads."""
    os.write(2, b"error: stopped as asked\n")
    if "--json" in sys.argv:
        os.write(1, _ANSWER)
    os._exit(_EXIT_CODE)
