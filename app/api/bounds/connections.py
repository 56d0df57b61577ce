"""uvicorn's side of a connection, with bounds for whoever neither asks nor reads.

uvicorn ends a connection that is idle after an answer, and none that never asked or does not read what it is answered:
each costs a file descriptor, and an answer its memory, for as long as its client likes.
"""

import asyncio
import fcntl
import socket
import sys
import termios
import time
from contextlib import suppress
from typing import ClassVar, Final, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.api import garbage

_LOOK: Final = 30.0
"""Seconds between two looks at how far a client has read that keeps the server waiting."""

_LEAST: Final = 30 * 2**10
"""Bytes that it has read by then: the slowest modem did more."""

_IN_SYSTEM: Final = 2**18
"""Bytes of an answer that the system takes in advance, doubled: by itself Linux takes megabytes, out of sight and of
every bound, which no client needs on a way of less than a tenth of a second (Linux, "tcp": `SO_SNDBUF`)."""

_UNREAD: Final = 64 * 2**20
"""Bytes of answers that are in memory since their clients read slowly; the slowest are given up first."""


def bounded(seconds: float, look: float = _LOOK, unread: int = _UNREAD) -> type[asyncio.Protocol]:
    """The protocol as `uvicorn.Config` takes it for `http`; it bounds a head that does not end by its size as well.

    Args:
        seconds: From the connection, or from the first byte of a later request, to the end of the head.
        look: Seconds in which a client that keeps the server waiting reads 30 KiB.
        unread: Bytes of all answers that wait for their clients.
    """
    return type("Bounded", (_Connection,), {"head_seconds": seconds, "answers": Answers(look, unread)})


class Unread(Protocol):
    """Of `asyncio.Transport` what counts here."""

    def get_write_buffer_size(self) -> int:
        """Bytes that are in memory."""

    def abort(self) -> None:
        """Hang up, and forget them."""


class Answers:
    """Those that are longer than their clients read, in the order in which that began."""

    def __init__(self, look: float, most: int) -> None:
        """Wait for nobody yet.

        Args:
            look: Seconds, as `bounded`.
            most: Bytes of all of them.
        """
        self.look, self._most = look, most
        self._waiting: dict[Unread, tuple[float, int]] = {}

    def add(self, transport: Unread) -> None:
        """Wait for one more client; where that is too much, no longer for those that read the least.

        Args:
            transport: Its connection.
        """
        self._waiting[transport] = time.monotonic(), transport.get_write_buffer_size()
        over = sum(each.get_write_buffer_size() for each in self._waiting) - self._most
        if over > 0:
            self._give_up(over)

    def remove(self, transport: Unread) -> None:
        """It has read, or is gone.

        Args:
            transport: Its connection.
        """
        _, size = self._waiting.pop(transport, (0, 0))
        garbage.let_go(size)

    def _give_up(self, over: int) -> None:
        for each in sorted(self._waiting, key=self._speed):
            if over <= 0:
                return
            self.remove(each)
            over -= each.get_write_buffer_size()
            each.abort()

    def _speed(self, transport: Unread) -> float:
        """Bytes in a second, since it is waited for; the first one comes first where several read nothing."""
        since, size = self._waiting[transport]
        return (size - transport.get_write_buffer_size()) / max(time.monotonic() - since, self.look / 1000)


class _Connection(H11Protocol):
    """uvicorn's for h11 (uvicorn 0.54)."""

    head_seconds: ClassVar[float]
    answers: ClassVar[Answers]
    _deadline: asyncio.TimerHandle | None = None
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio's."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _IN_SYSTEM)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """As asyncio's."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio's."""
        self._stop()
        self._has_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """As asyncio's: the client reads more slowly than it is answered."""
        super().pause_writing()
        self.answers.add(self.transport)
        self._next_look = self.loop.call_later(self.answers.look, self._look, self._unread())

    def resume_writing(self) -> None:
        """As asyncio's."""
        self._has_read()
        super().resume_writing()

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:  # A head is there; what follows is no longer this one's.
            self._stop()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look(self, before: int) -> None:
        left = self._unread()
        if self.transport.get_protocol() is not self:  # A websocket has taken over, with a bound of its own.
            self._has_read()
        elif left > before - _LEAST:
            self.transport.abort()
        else:
            self._next_look = self.loop.call_later(self.answers.look, self._look, left)

    def _unread(self) -> int:
        """Bytes that are on their way, those that the system has among them, which takes more only now and then."""
        found = bytearray(4)
        with suppress(OSError):  # It has ended meanwhile.
            fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, found)
        return self.transport.get_write_buffer_size() + int.from_bytes(found, sys.byteorder)

    def _has_read(self) -> None:
        self.answers.remove(self.transport)
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
