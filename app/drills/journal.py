"""What the writers of a load were told, and when: the one record that the database is held against afterwards."""

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Key(NamedTuple):
    """One event: whose, and which.

    Attributes:
        writer: The writer, from 0 on; each has a session of its own.
        number: The event in that session, from 1 on.
    """

    writer: int
    number: int


@dataclass(frozen=True)
class Acknowledged:
    """An event that the database said it has.

    Attributes:
        key: The event.
        sent: When it was first tried, in seconds since the load began.
        answered: When it was acknowledged, likewise.
        attempts: How often it was tried.
        confirmed: Whether the answer to an attempt was lost, and a later question found the event stored.
    """

    key: Key
    sent: float
    answered: float
    attempts: int
    confirmed: bool


@dataclass(frozen=True)
class Failure:
    """An attempt that ended in an error, which the writer then repeated.

    Attributes:
        at: When, in seconds since the load began.
        kind: The name of our error, else that of the driver's or ADK's.
    """

    at: float
    kind: str


@dataclass
class Journal:
    """Everything that happened to the events of one load; written by the load's own thread alone.

    Attributes:
        started: When the load began, by this machine's clock.
        acknowledged: In the order of the answers.
        unanswered: Given up: whether they are stored is not known, and either is right.
        failures: The attempts that failed, in their order.
    """

    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    acknowledged: list[Acknowledged] = field(default_factory=list)
    unanswered: list[Key] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    _origin: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Seconds since the load began, by a clock that never goes back."""
        return time.monotonic() - self._origin

    def failed(self, kind: str) -> None:
        """Note an attempt that failed just now."""
        self.failures.append(Failure(self.now(), kind))

    def known(self) -> frozenset[Key]:
        """The events that were acknowledged so far; read-only."""
        return frozenset(each.key for each in list(self.acknowledged))

    def errors(self) -> dict[str, int]:
        """How often attempts failed, by kind; read-only."""
        return dict(sorted(Counter(each.kind for each in list(self.failures)).items()))
