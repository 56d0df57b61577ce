"""Lets reads of the database in: each is weighed before, and waits until there is memory for it."""

import asyncio
from typing import Any, Final
from weakref import WeakValueDictionary

from app.api.kinds import CrowdedReadsError, TooLargeReadError
from app.api.storage.memory import Held, Room
from app.api.storage.sizes import Call, HeavyError, Read, Sizes

_USERS: Final = 2
"""So many may read as much as one may: whoever has a long turn on a long session leaves room for others."""


class Reads:
    """Lets reads of one database in."""

    def __init__(self, sizes: Sizes, bound: int, patience: float) -> None:
        """Begin empty.

        Args:
            sizes: Tells how large they are.
            bound: Bytes of those of one user at one time, and of the largest one.
            patience: Seconds in which there has to be room.
        """
        self._sizes, self._bound, self._patience = sizes, bound, patience
        self._of_all = Room(_USERS * bound)
        self._of_user: WeakValueDictionary[str | None, Room] = WeakValueDictionary()

    async def through(self, read: Read, held: Held, call: Call) -> Any:
        """What is read, once there is room for it, which is held from then on.

        Args:
            read: What is about to be read.
            held: Of the request.
            call: Reads it.

        Raises:
            TooLargeReadError: It is larger than all of the room of a user.
            CrowdedReadsError: There was no room for so long.
            SQLAlchemyError: Or `sqlite3.Error`; the database fails.
        """
        if not held.knows(read):
            try:
                found = await self._sizes.small(read, call)
            except HeavyError as heavy:
                size = heavy.size
            else:
                held.learn(read)
                return found
            await self._take(read, held, size)
            held.learn(read)
        return await call()

    async def _take(self, read: Read, held: Held, size: int) -> None:
        if size > self._bound:
            raise TooLargeReadError(_too_large(read, self._bound))
        rooms = self._of_user.setdefault(read.user, Room(self._bound)), self._of_all
        try:
            async with asyncio.timeout(self._patience):
                await held.grow(rooms, size)
        except TimeoutError:
            message = "others read as much of the database as this server reads at one time"
            raise CrowdedReadsError(message) from None


def _too_large(read: Read, bound: int) -> str:
    if read.session is not None:
        what, then = "a session with its events", "begin another session, or delete this one"
    elif read.all:
        what, then = "a list of sessions with their states", "read sessions one by one, or delete some by their ids"
    else:
        what, then = "states of the user and the app", "have some of their keys deleted in the database"
    return f"expected {what} of at most {bound} bytes, as API_MAX_READ says: {then}"
