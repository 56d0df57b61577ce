"""What a database has of a load, read through ADK, and how that compares with what the writers were told."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL

from app.backends.postgresql.failures import concealed
from app.drills import events, service
from app.drills.journal import Key

if TYPE_CHECKING:
    from google.adk.sessions.session import Session

_STALE_SECONDS: Final = 86400.0
"""A drill takes less; an older session under the drills' name is of one that was killed."""

_EXAMPLES: Final = 10


@dataclass(frozen=True)
class Stored:
    """What was found.

    Attributes:
        counts: How often each event is stored.
        altered: Events whose content is not what was sent.
        torn: Writers whose session's state is not that of its last event.
    """

    counts: Counter[Key] = field(default_factory=Counter)
    altered: frozenset[Key] = frozenset()
    torn: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Comparison:
    """How what is stored differs from what was acknowledged.

    Attributes:
        stored: How many events are stored, each counted once.
        lost: Acknowledged and not stored.
        duplicated: Stored more than once.
        unexpected: Stored, though it was neither acknowledged nor left without an answer.
        altered: Stored with another content.
        torn: Writers whose session's state is not that of its last event.
    """

    stored: int
    lost: frozenset[Key]
    duplicated: frozenset[Key]
    unexpected: frozenset[Key]
    altered: frozenset[Key]
    torn: frozenset[int]

    def broken(self) -> tuple[str, ...]:
        """A sentence for each promise that was broken; none where all is as it was acknowledged."""
        told = {
            "acknowledged events are lost": self.lost,
            "events are stored more than once": self.duplicated,
            "events are stored that were never acknowledged": self.unexpected,
            "events are stored with another content": self.altered,
            "sessions have another state than that of their last event": self.torn,
        }
        return tuple(f"{len(keys)} {words}" for words, keys in told.items() if keys)

    def examples(self) -> tuple[str, ...]:
        """Some of the events that differ, for whoever looks into it."""
        kinds = {
            "lost": self.lost,
            "stored twice": self.duplicated,
            "never acknowledged": self.unexpected,
            "altered": self.altered,
        }
        named = [
            f"writer {key.writer}, event {key.number}: {kind}" for kind, keys in kinds.items() for key in sorted(keys)
        ]
        return tuple(named[:_EXAMPLES])


def compared(stored: Stored, acknowledged: frozenset[Key], unanswered: Collection[Key] = ()) -> Comparison:
    """Hold what is stored against what was acknowledged; pure.

    An acknowledged event has to be there once. One whose writer gave up may be there or not.

    Args:
        stored: What was found.
        acknowledged: What has to be there.
        unanswered: What may be there.
    """
    found = frozenset(stored.counts)
    return Comparison(
        stored=len(found),
        lost=acknowledged - found,
        duplicated=frozenset(key for key, count in stored.counts.items() if count > 1),
        unexpected=found - acknowledged - frozenset(unanswered),
        altered=stored.altered,
        torn=stored.torn,
    )


def read(url: URL, run: str, writers: int) -> Stored:
    """Everything that is stored of a load, session by session; read-only.

    Args:
        url: The database, in the role that servers use.
        run: The load's id.
        writers: How many it had.

    Raises:
        DatabaseUnavailableError: The database cannot be read; the kind says why.
    """
    with concealed(url):
        return asyncio.run(_read(url, run, writers))


def clean(url: URL, run: str, writers: int) -> None:
    """Delete the sessions of a load, and what killed drills left; ADK's rows of state for the drills' app stay.

    Args:
        url: The database, in the role that servers use.
        run: The load's id.
        writers: How many it had.

    Raises:
        DatabaseUnavailableError: The database cannot be written to; the kind says why.
    """
    with concealed(url):
        asyncio.run(_clean(url, run, writers))


async def _read(url: URL, run: str, writers: int) -> Stored:
    counts: Counter[Key] = Counter()
    altered: set[Key] = set()
    torn: set[int] = set()
    async with service.opened(url, 1) as adk:
        for writer in range(writers):
            name = events.session_id(run, writer)
            session = await adk.get_session(app_name=events.APP, user_id=events.USER, session_id=name)
            if session is None:
                continue
            _count(session, writer, counts, altered)
            last = max((key.number for key in counts if key.writer == writer), default=None)
            if session.state.get(events.COUNT) != last:
                torn.add(writer)
    return Stored(counts, frozenset(altered), frozenset(torn))


def _count(session: "Session", writer: int, counts: Counter[Key], altered: set[Key]) -> None:
    for event in session.events:
        # By its number, not by its id: the key of the table would hide an event that is stored twice.
        number = events.number_of(event)
        key = Key(writer, -1 if number is None else number)
        counts[key] += 1
        if number is None or not events.is_unaltered(event, number):
            altered.add(key)


async def _clean(url: URL, run: str, writers: int) -> None:
    own = {events.session_id(run, writer) for writer in range(writers)}
    async with service.opened(url, 1) as adk:
        left = await adk.list_sessions(app_name=events.APP, user_id=events.USER)
        for session in left.sessions:
            if session.id in own or session.last_update_time < time.time() - _STALE_SECONDS:
                await adk.delete_session(app_name=events.APP, user_id=events.USER, session_id=session.id)
