"""One writer of a load: a session of its own, one event after the other, each repeated until it is surely stored."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.drills import events
from app.drills.journal import Acknowledged, Journal, Key

if TYPE_CHECKING:
    from google.adk.events import Event
    from google.adk.sessions.database_session_service import DatabaseSessionService
    from google.adk.sessions.session import Session

_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 1.0

_LOOKED_AT: Final = 3
"""How many of the last events are read to see whether an attempt was stored: it can only be the very last."""


@dataclass
class Writer:
    """Appends events through ADK as an API server does that retries.

    Attributes:
        service: ADK's.
        run: The load's id.
        index: Which writer, from 0 on.
        journal: Where every answer is noted.
        patience: How long one event is tried, in seconds.
        kind: Names an error for the journal.
        turn: Held while an event is on its way; whoever holds it instead makes the writer wait between two events.
    """

    service: "DatabaseSessionService"
    run: str
    index: int
    journal: Journal
    patience: float
    kind: Callable[[Exception], str]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _number: int = field(default=0, init=False)
    _session: "Session | None" = field(default=None, init=False)

    async def open(self) -> None:
        """Make the session; an error is the caller's, who then has no load.

        Raises:
            Exception: Whatever ADK raises.
        """
        name = events.session_id(self.run, self.index)
        self._session = await self.service.create_session(app_name=events.APP, user_id=events.USER, session_id=name)

    async def write(self, interval: float, stop: asyncio.Event) -> None:
        """Append events until told to stop; the one on its way is still brought to an end.

        Args:
            interval: The least time between the beginnings of two events, in seconds.
            stop: Set to end it.
        """
        loop = asyncio.get_running_loop()
        # So that the writers do not move in step.
        due = loop.time() + interval * random.random()  # noqa: S311  # No secret hangs on it.
        while not await _set_within(stop, due - loop.time()):
            due = max(due + interval, loop.time())
            async with self.turn:
                if not stop.is_set():
                    await self._append()

    async def _append(self) -> None:
        self._number += 1
        key, sent = Key(self.index, self._number), self.journal.now()
        try:
            async with asyncio.timeout(self.patience):
                attempts, confirmed = await self._until_stored(events.event(self.run, self.index, self._number))
        except TimeoutError:
            self.journal.unanswered.append(key)
            self._session = None
        except asyncio.CancelledError:
            self.journal.unanswered.append(key)
            raise
        else:
            self.journal.acknowledged.append(Acknowledged(key, sent, self.journal.now(), attempts, confirmed))

    async def _until_stored(self, event: "Event") -> tuple[int, bool]:
        """How many attempts it took, and whether it was one whose answer was lost that stored the event."""
        attempts = 0
        while True:
            attempts += 1
            try:
                if self._session is None:
                    self._session = session = await self._reloaded()
                    if any(stored.id == event.id for stored in session.events):
                        return attempts, True
                await self.service.append_event(self._session, event)
            except Exception as error:  # noqa: BLE001  # Of whatever kind: an agent's client would see it too.
                self.journal.failed(self.kind(error))
                # After an error nobody knows whether the event was stored, and the session in memory may be stale.
                self._session = None
                await asyncio.sleep(_delay(attempts))
            else:
                return attempts, False

    async def _reloaded(self) -> "Session":
        from google.adk.errors.session_not_found_error import SessionNotFoundError  # noqa: PLC0415  # Keeps --help quick.
        from google.adk.sessions.base_session_service import GetSessionConfig  # noqa: PLC0415  # As above.

        session = await self.service.get_session(
            app_name=events.APP,
            user_id=events.USER,
            session_id=events.session_id(self.run, self.index),
            config=GetSessionConfig(num_recent_events=_LOOKED_AT),
        )
        if session is None:
            raise SessionNotFoundError
        return session


async def _set_within(flag: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(flag.wait(), max(seconds, 0))
    except TimeoutError:
        return False
    return True


def _delay(attempts: int) -> float:
    """Doubled each time up to a second, and spread, so that clients do not come back in one moment."""
    longest: float = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(attempts - 1, 10))
    return longest * random.uniform(0.5, 1)  # noqa: S311  # No secret hangs on it.
