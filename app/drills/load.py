"""A load on a session database: writers in a thread of their own, so that a drill can act on the server meanwhile."""

import asyncio
import secrets
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from app.backends.postgresql import failures
from app.drills import service
from app.drills.journal import Journal
from app.drills.writer import Writer

_T = TypeVar("_T")

_MARGIN: Final = 10.0
"""What a wait for the writers is longer than their own patience, in seconds."""

_GRACE: Final = 3.0
"""How long events on their way may take to end where the load is given up, in seconds."""


@dataclass(frozen=True)
class Settings:
    """How much is written.

    Attributes:
        writers: How many sessions are written at once; each needs one connection.
        rate: Events of each writer a second, at most; 0 for no limit.
        patience: How long one event is tried again before it is given up, in seconds.
    """

    writers: int = 8
    rate: float = 20.0
    patience: float = 300.0

    @property
    def interval(self) -> float:
        """The least time between two events of a writer, in seconds."""
        return 1 / self.rate if self.rate else 0.0


@dataclass
class Load:
    """Writers that run inside `with`; at its end each brings the event on its way to an end.

    Attributes:
        url: The database, as the role that servers use.
        settings: How much is written.
        run: The load's id, which begins the ids of its sessions and events.
        journal: What the writers were told.
        seconds: How long it ran; 0 while it does.
    """

    url: URL
    settings: Settings = field(default_factory=Settings)
    run: str = field(default_factory=lambda: f"d-{secrets.token_hex(4)}")
    journal: Journal = field(default_factory=Journal, init=False)
    seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Lay out the thread, which does not run yet."""
        self._thread = threading.Thread(target=self._main, name=self.run, daemon=True)
        self._ready: Future[None] = Future()
        self._writers: list[Writer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._broken: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        """Make the sessions, and start the writers.

        Raises:
            DatabaseUnavailableError: The database cannot be written to; the kind says why.
        """
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the writers: in order, or within seconds where the body ended in an error."""
        if kind is None:
            self.stop()
        elif self._thread.is_alive():
            self._abandon()

    def stop(self) -> None:
        """Begin no further event, and wait for those on their way; nothing happens where it has stopped."""
        if self.seconds:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.seconds = self.journal.now()
        if self._broken is not None:
            raise self._broken

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every writer between two events while the body runs: nothing is on its way then.

        Raises:
            TimeoutError: A writer does not come to an end with its event.
        """
        self._call(self._hold())
        try:
            yield
        finally:
            self._call(self._go_on())

    def lasting(self, seconds: float) -> None:
        """Let the writers write for a while.

        Args:
            seconds: How long.
        """
        self._thread.join(seconds)

    @property
    def running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(self.settings.patience + _MARGIN)

    def _main(self) -> None:
        try:
            asyncio.run(self._written())
        except BaseException as error:  # noqa: BLE001  # It belongs to the thread that waits for us.
            if self._ready.done():
                self._broken = error
            else:
                self._ready.set_exception(self._told(error))

    def _told(self, error: BaseException) -> BaseException:
        """A database's error as ours, without its cause, which quotes statements."""
        ours = failures.meaning(error, self.url) if isinstance(error, DBAPIError) else None
        return error if ours is None else ours

    async def _written(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        count = self.settings.writers
        async with service.opened(self.url, count) as adk:
            self._writers = [self._writer(adk, index) for index in range(count)]
            await asyncio.gather(*(writer.open() for writer in self._writers))
            self.journal = Journal()  # Connecting is no part of the load.
            for writer in self._writers:
                writer.journal = self.journal
            self._tasks = [
                asyncio.create_task(writer.write(self.settings.interval, self._stop)) for writer in self._writers
            ]
            self._ready.set_result(None)
            ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for error in ended:
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error

    def _writer(self, adk: Any, index: int) -> Writer:
        return Writer(
            adk, self.run, index, self.journal, self.settings.patience, lambda error: service.kind(error, self.url)
        )

    async def _hold(self) -> None:
        await asyncio.gather(*(writer.turn.acquire() for writer in self._writers))

    async def _go_on(self) -> None:
        for writer in self._writers:
            writer.turn.release()

    def _abandon(self) -> None:
        """Most events on their way end by themselves; one that waits for a server that is gone does not."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_GRACE)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
