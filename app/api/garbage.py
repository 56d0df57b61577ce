"""Memory of what is over: given back when much of it has piled up, since Python itself counts objects and not bytes."""

import asyncio
import ctypes
import gc
from contextlib import suppress
from typing import Final

_MUCH: Final = 16 * 2**20
"""Bytes."""

_THRESHOLDS: Final = (700, 10, 10)
"""Python's own (Python documentation, "gc": `set_threshold`); a command line has set others, for its imports."""

_SOON: Final = 0.05
"""Seconds, in which whoever lets go comes to its end, and refers to nothing any more."""


class _Heap:
    """What was let go of since the last collection, in bytes, and the loop that has the next one before it."""

    let_go = 0
    awaited: asyncio.AbstractEventLoop | None = None


def settle() -> None:
    """Look no more at what is there already: ADK is some hundred thousand objects, which all stay.

    Each collection would look through them, so that Python puts it off until a quarter as many new ones are there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def let_go(size: int) -> None:
    """Count what a request or a websocket lets go of; its objects may refer to one another, and stay until looked at.

    To be called on a loop.

    Args:
        size: Bytes.
    """
    _Heap.let_go += size
    if _Heap.let_go > _MUCH and (loop := asyncio.get_running_loop()) is not _Heap.awaited:
        loop.call_later(_SOON, _collect)
        _Heap.awaited = loop


def _collect() -> None:
    _Heap.let_go, _Heap.awaited = 0, None
    gc.collect()
    _trim()


def _trim() -> None:
    """Give the system what is free: glibc keeps it, some half of what large requests had (malloc_trim(3))."""
    with suppress(AttributeError):  # Another C library.
        ctypes.CDLL(None).malloc_trim(0)
