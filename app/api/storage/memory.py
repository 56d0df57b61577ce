"""Memory for what requests read of the database: bounded, waited for, and given back when they end."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

from app.api import garbage
from app.api.storage.sizes import Read

_AGAIN: Final = 1.0
"""Seconds in which a request reads the same again, as ADK does for each run, without its being weighed anew."""


class Room:
    """Bytes that may be in memory; whoever comes first is served first, so that what is large is not waiting for ever.

    Attributes:
        size: All of them.
        free: Those that nobody holds.
    """

    def __init__(self, size: int) -> None:
        """Begin empty.

        Args:
            size: Bytes.
        """
        self.size = self.free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int, *, more: bool = False) -> None:
        """Take bytes, once they are free.

        Args:
            size: How many.
            more: Whether to take them before others: whoever holds some ends the sooner.
        """
        if size <= self.free and (more or not self._waiting):
            self.free -= size
            return
        waiter = (size, asyncio.get_running_loop().create_future())
        self._waiting.insert(0 if more else len(self._waiting), waiter)
        try:
            await waiter[1]
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(waiter)
            # Cancelled after it was served, or before, which lets others go ahead.
            self.give_back(size if waiter[1].done() and not waiter[1].cancelled() else 0)
            raise

    def give_back(self, size: int) -> None:
        """Make room.

        Args:
            size: Bytes that were taken.
        """
        self.free += size
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self.free):
            wanted, future = self._waiting.popleft()
            if not future.done():
                self.free -= wanted
                future.set_result(None)


class Held:
    """What one request holds: its largest read, since waiting for its own others would never end.

    Attributes:
        over: Whether the request has ended, whose tasks may go on.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self.over = False
        self._rooms: Sequence[Room] = ()
        self._bytes, self._one = 0, asyncio.Lock()
        self._known: dict[Read, float] = {}

    async def grow(self, rooms: Sequence[Room], size: int) -> None:
        """Up to a size, once there is room.

        Args:
            rooms: The same ones, each time.
            size: Bytes, of each.
        """
        async with self._one:
            more = size - self._bytes
            if more > 0:
                await _take(rooms, more, more=self._bytes > 0)
                self._rooms, self._bytes = rooms, size
                if self.over:
                    self.end()

    def end(self) -> None:
        """Give all back."""
        self.over = True
        garbage.let_go(self._bytes)
        for room in self._rooms:
            room.give_back(self._bytes)
        self._bytes = 0

    def knows(self, read: Read) -> bool:
        """Whether the request has read the same just now.

        Args:
            read: What.
        """
        at = self._known.get(read)
        return at is not None and time.monotonic() - at < _AGAIN

    def learn(self, read: Read) -> None:
        """That it reads this now.

        Args:
            read: What.
        """
        self._known = {read: time.monotonic()}


async def _take(rooms: Sequence[Room], size: int, *, more: bool) -> None:
    """Of all or of none."""
    with ExitStack() as undo:
        for room in rooms:
            await room.take(size, more=more)
            undo.callback(room.give_back, size)
        undo.pop_all()
