"""Memory for the bodies of requests: bounded for all of them, and for one user, so that others come in."""

from collections import Counter
from typing import Final

from app.api import garbage
from app.api.found import Caller

SMALL: Final = 2**16
"""Bytes that take no room: API_MAX_CONCURRENCY bounds them, and no large body keeps them out."""

_PART: Final = 200
"""Bytes for each object and list: an empty part of a content, two bytes of JSON, becomes an object of 775 (google-genai
1); a hundred thousand of them, as many as a body may have, are the share of a user."""

_LARGEST_AT_ONCE: Final = 8
"""Bodies of API_MAX_BODY: each costs some four times its size, and docker compose gives a container 1 GiB."""

_PARTS: Final = 4
"""Of which one user has one."""

_STAYING: Final = 2
"""Of these one stays of a body that ADK has read: no longer the bytes and all that JSON is read through."""


def weight(body: bytes | bytearray) -> int:
    """Bytes that a body counts for: its own, and more for what it makes of few.

    Args:
        body: JSON, whose texts may have the same marks, and count for a little more than they are.
    """
    return len(body) + _PART * (body.count(b"{") + body.count(b"["))


class NoRoomError(Exception):
    """A body finds no room. For example, eight others of 10 MiB are being read.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, whose: str) -> None:
        """Tell whose bodies there are too many of."""
        super().__init__(f"expected fewer large bodies{whose} at one time")
        self.status = status


class Room:
    """What there is for all bodies."""

    def __init__(self, largest: int) -> None:
        """Begin empty.

        Args:
            largest: Bytes of the largest body.
        """
        self.size = self.free = _LARGEST_AT_ONCE * largest
        self.share = self.size // _PARTS
        self.of_user: Counter[str] = Counter()


class Held:
    """What one body takes of it."""

    def __init__(self, room: Room, caller: Caller | None) -> None:
        """Take nothing yet.

        Args:
            room: What there is.
            caller: Who sends the body; only a user has a share, since behind others many people may be.
        """
        self._room, self._bytes = room, 0
        self._user = caller.name if caller is not None and caller.user is not None else None

    def grow(self, size: int) -> None:
        """Up to a size, or not at all; what is larger than the room has it alone.

        Args:
            size: Bytes that are there, or that they will be.

        Raises:
            NoRoomError: There is none, or the user has taken its share.
        """
        if size > SMALL:
            more, room = size - self._bytes, self._room
            others, own = room.size - room.free - self._bytes, room.of_user[self._user] if self._user else 0
            if others and more > room.free:
                raise NoRoomError(503, "")
            if own > self._bytes and own + more > room.share:
                raise NoRoomError(429, " of one user")
            self._take(more)

    def settle(self) -> None:
        """ADK has read it."""
        self._take(self._bytes // _STAYING - self._bytes)

    def let_go(self) -> None:
        """It is answered."""
        garbage.let_go(self._bytes)
        self._take(-self._bytes)

    def _take(self, more: int) -> None:
        self._bytes += more
        self._room.free -= more
        if self._user is not None:
            self._room.of_user[self._user] += more
            if not self._room.of_user[self._user]:
                del self._room.of_user[self._user]
