"""What came over websockets and is in memory still: bounded, and taken in no faster than agents take it."""

import asyncio
import sys
from contextvars import ContextVar
from typing import ClassVar, Final
from weakref import WeakValueDictionary

from google.adk.agents.live_request_queue import LiveRequest, LiveRequestQueue

from app.api import garbage
from app.api.found import Caller

_WAITING: Final = 10 * 2**20
"""Bytes of messages that agents have not taken yet; a larger one comes in alone. Minutes of audio."""

_KEPT: Final = 32 * 2**20
"""Bytes that ADK keeps for as long as the websocket is open: the session's events grow with each turn of a user."""

_ALL: Final = 128 * 2**20
"""Bytes of both, and of messages that wait for room, over all websockets of the process."""

_PATIENCE: Final = 15.0
"""Seconds for room: uvicorn, which reads no pong meanwhile, would hang up after 20 (uvicorn 0.54 `ws_ping_timeout`)."""

_PART: Final = 400
"""Bytes for each mark of JSON, since an empty part of a content becomes an object of 775 (google-genai 1)."""


class FullError(Exception):
    """A message finds no room. For example, the agent works on one for a minute, and hundreds follow."""


class Room:
    """What the websockets of one user, or one of somebody else's, hold in memory.

    Attributes:
        waiting: Bytes of messages that no agent has taken yet.
        kept: Bytes that stay until their websocket ends.
        of_all: Both, and what waits for room, in all rooms of the process.
    """

    of_all: ClassVar[int] = 0

    def __init__(self) -> None:
        """Begin empty."""
        self.waiting = self.kept = 0
        self._changed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Take room for a message, once there is some.

        Args:
            size: Bytes.

        Raises:
            FullError: There was none for 15 seconds, or there is none in the process.
        """
        self._take_of_all(size)
        try:
            async with asyncio.timeout(_PATIENCE):
                while self.waiting and self.waiting + size > _WAITING:
                    self._changed.clear()
                    await self._changed.wait()
        except BaseException as error:
            Room.of_all -= size
            if not isinstance(error, TimeoutError):
                raise
            message = "expected fewer messages at one time: the agent has not taken them yet. Read the session"
            raise FullError(message) from None
        self.waiting += size

    def keep(self, size: int) -> None:
        """Take room for what stays.

        Args:
            size: Bytes.

        Raises:
            FullError: There is none.
        """
        if self.kept and self.kept + size > _KEPT:
            message = f"expected at most {_KEPT} bytes over open websockets: connect again"
            raise FullError(message)
        self._take_of_all(size)
        self.kept += size

    def give_back(self, waiting: int, kept: int = 0) -> None:
        """Make room.

        Args:
            waiting: Bytes that wait no more.
            kept: Bytes that are kept no more.
        """
        self.waiting -= waiting
        self.kept -= kept
        Room.of_all -= waiting + kept
        self._changed.set()

    @staticmethod
    def _take_of_all(size: int) -> None:
        if Room.of_all + size > max(_ALL, 2 * size):  # A turn waits and stays.
            message = "expected less over all websockets of this server: connect again later"
            raise FullError(message)
        Room.of_all += size


_rooms: Final[WeakValueDictionary[str, Room]] = WeakValueDictionary()


def room_of(caller: Caller | None) -> Room:
    """That of a user, the same one for all websockets that are open; a new one for others, who may be many.

    Args:
        caller: Who asks.
    """
    if caller is None or caller.user is None:
        return Room()
    return _rooms.setdefault(caller.name, Room())


class Backlog:
    """The messages of one websocket."""

    def __init__(self, room: Room) -> None:
        """Hold nothing yet.

        Args:
            room: What there is room in.
        """
        self._room = room
        self._came = self._coming = self._waiting = self._kept = 0
        self._sizes: dict[int, int] = {}

    async def let_in(self, text: str, *, stays: bool) -> None:
        """Wait until there is room for a message, which then goes to the queue.

        Args:
            text: The message.
            stays: Whether ADK keeps it until the websocket ends.

        Raises:
            FullError: There is none.
        """
        size = _size(text)
        if stays:
            self._room.keep(size)
            self._kept += size
        await self._room.take(size)
        self._came += size
        self._waiting += size
        self._coming = size

    def sent(self, request: LiveRequest) -> None:
        """The message is in the queue.

        Args:
            request: As ADK has read it.
        """
        self._sizes[id(request)], self._coming = self._coming, 0

    def taken(self, request: LiveRequest) -> None:
        """The agent has it.

        Args:
            request: As it was in the queue; also one that did not come over the websocket.
        """
        size = self._sizes.pop(id(request), 0)
        self._waiting -= size
        self._room.give_back(size)

    def end(self) -> None:
        """Give all back: the websocket has ended."""
        self._room.give_back(self._waiting, self._kept)
        garbage.let_go(self._came)
        self._came = self._waiting = self._kept = 0
        self._sizes.clear()


def _size(text: str) -> int:
    return sys.getsizeof(text) + _PART * sum(text.count(mark) for mark in "{[,")


backlog: Final[ContextVar[Backlog]] = ContextVar("backlog")
"""Of the websocket that runs; ADK makes its queue in the same task."""


class Queue(LiveRequestQueue):
    """ADK's, which tells its websocket what the agent has taken."""

    def __init__(self) -> None:
        """Belong to the websocket that runs."""
        super().__init__()
        self._backlog = backlog.get(Backlog(Room()))

    def send(self, req: LiveRequest) -> None:
        """As ADK's."""
        self._backlog.sent(req)
        super().send(req)

    async def get(self) -> LiveRequest:
        """As ADK's."""
        request = await super().get()
        self._backlog.taken(request)
        return request
