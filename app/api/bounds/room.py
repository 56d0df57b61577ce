"""Memory for the bodies of requests: bounded for all of them, and for one user, so that others come in."""

from collections import Counter
from typing import Final

from app.api import garbage
from app.api.found import Caller

SMALL: Final = 2**16
"""Bytes that take no room: API_MAX_CONCURRENCY bounds them, and no large body keeps them out."""

_LARGEST_AT_ONCE: Final = 8
"""Bodies of API_MAX_BODY: each costs some four times its size, and docker compose gives a container 1 GiB."""

_PARTS: Final = 4
"""Of which one user has one."""

_STAYING: Final = 2
"""Of these one stays of a body that ADK has read: no longer the bytes and all that JSON is read through."""


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
        self.free = _LARGEST_AT_ONCE * largest
        self.share = self.free // _PARTS
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
        """Up to a size, or not at all.

        Args:
            size: Bytes that are there.

        Raises:
            NoRoomError: There is none, or the user has taken its share.
        """
        if size > SMALL:
            more = size - self._bytes
            if more > self._room.free:
                raise NoRoomError(503, "")
            if self._user is not None and self._room.of_user[self._user] + more > self._room.share:
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
