"""Work that Ctrl-C does not cut off, however often it is pressed: it comes afterwards."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Final

_ASKED: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep Ctrl-C and SIGTERM waiting until the end of the body, which has to be quick; in the main thread alone.

    Raises:
        KeyboardInterrupt: One of them came meanwhile.
    """
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in _ASKED}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        raise KeyboardInterrupt
