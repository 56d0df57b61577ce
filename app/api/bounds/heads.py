"""uvicorn's side of a connection, with a bound for the time in which the head of a request has to be there.

uvicorn ends a connection that is idle after an answer, and none that never asked: each costs a file descriptor for as
long as its client likes, and whoever has used them all up keeps everybody out.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def bounded(seconds: float) -> type[asyncio.Protocol]:
    """The protocol as `uvicorn.Config` takes it for `http`; it bounds a head that does not end by its size as well.

    Args:
        seconds: From the connection, or from the first byte of a later request, to the end of the head.
    """

    class Bounded(H11Protocol):
        """uvicorn's for h11 (uvicorn 0.54)."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """As asyncio's."""
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            """As asyncio's."""
            super().data_received(data)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            """As asyncio's."""
            self._stop()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self.conn.their_state is not h11.IDLE:  # A head is there; what follows is no longer this one's.
                self._stop()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self.transport.close)

        def _stop(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Bounded
