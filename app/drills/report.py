"""The reports of the drills, as frozen records whose fields are the keys of the JSON."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from app.drills import figures
from app.drills.figures import Gap
from app.drills.load import Load
from app.drills.stored import Comparison


@dataclass(frozen=True)
class Latency:
    """From the first attempt to the acknowledgement, in milliseconds."""

    p50: float
    p95: float
    p100: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """The percentiles of what single events took, in seconds."""
        return cls(*(round(figures.percentile(seconds, percent) * 1000, 2) for percent in (50, 95, 100)))


@dataclass(frozen=True)
class LoadReport:
    """What a load came to.

    Attributes:
        run: Its id, which begins the ids of its sessions and events.
        writers: How many sessions were written at once.
        rate: Events of each writer a second, at most; 0 for no limit.
        seconds: How long it ran.
        attempted: Events that were sent.
        acknowledged: Events that the database said it has.
        confirmed: Of these, those whose answer was lost and which a later question found stored.
        retried: Events that took more than one attempt.
        unanswered: Events that were given up; whether they are stored or not, either is right.
        stored: Events that are stored, each counted once.
        lost: Acknowledged, and not stored.
        duplicated: Stored more than once.
        unexpected: Stored, and never acknowledged.
        altered: Stored with another content.
        torn: Sessions whose state is not that of their last event.
        examples: Some of the events that differ.
        per_second: Acknowledged events a second.
        latency_ms: How long they took.
        gap_seconds: The longest pauses of the writers.
        silence_seconds: The longest time in which no writer got an answer.
        errors: Failed attempts by kind; each was repeated.
        acknowledged_per_100_ms: A series over the whole load.
        errors_per_100_ms: Likewise.
    """

    run: str
    writers: int
    rate: float
    seconds: float
    attempted: int
    acknowledged: int
    confirmed: int
    retried: int
    unanswered: int
    stored: int
    lost: int
    duplicated: int
    unexpected: int
    altered: int
    torn: int
    examples: tuple[str, ...]
    per_second: float
    latency_ms: Latency
    gap_seconds: Gap
    silence_seconds: float
    errors: Mapping[str, int]
    acknowledged_per_100_ms: tuple[int, ...]
    errors_per_100_ms: tuple[int, ...]

    @classmethod
    def of(cls, load: Load, compared: Comparison) -> Self:
        """A load that has stopped, held against what is stored.

        Args:
            load: The load.
            compared: The comparison.
        """
        journal, seconds = load.journal, load.seconds
        answers = journal.acknowledged
        moments = [each.answered for each in answers]
        return cls(
            run=load.run,
            writers=load.settings.writers,
            rate=load.settings.rate,
            seconds=round(seconds, 3),
            attempted=len(answers) + len(journal.unanswered),
            acknowledged=len(answers),
            confirmed=sum(each.confirmed for each in answers),
            retried=sum(each.attempts > 1 for each in answers) + len(journal.unanswered),
            unanswered=len(journal.unanswered),
            stored=compared.stored,
            lost=len(compared.lost),
            duplicated=len(compared.duplicated),
            unexpected=len(compared.unexpected),
            altered=len(compared.altered),
            torn=len(compared.torn),
            examples=compared.examples(),
            per_second=round(len(answers) / seconds, 1) if seconds else 0.0,
            latency_ms=Latency.of([each.answered - each.sent for each in answers]),
            gap_seconds=rounded(figures.gap(answers, load.settings.writers, 0, seconds)),
            silence_seconds=round(figures.longest(moments, 0, seconds), 3),
            errors=journal.errors(),
            acknowledged_per_100_ms=figures.series(moments, seconds),
            errors_per_100_ms=figures.series((each.at for each in journal.failures), seconds),
        )


@dataclass(frozen=True)
class Change:
    """Something before and after."""

    before: str | None
    after: str | None


@dataclass(frozen=True)
class FailoverReport:
    """What clients saw of a failover; moments are seconds since the load began.

    Attributes:
        requested_at: When it was asked for.
        completed_at: When the cloud called it done.
        gap_seconds: The longest pauses of the writers around it.
        silence_seconds: The longest time around it in which no writer got an answer.
        zone: Where the primary is.
        server_started: When PostgreSQL started there; another moment means another server process.
        preview_changes: What an `up` would change afterwards.
    """

    requested_at: float
    completed_at: float
    gap_seconds: Gap
    silence_seconds: float
    zone: Change
    server_started: Change
    preview_changes: Mapping[str, int]


@dataclass(frozen=True)
class RestoreReport:
    """A point in time, restored beside the server in use.

    Attributes:
        mark: The point, a full second of the server's clock at which no writer wrote.
        mark_at: The same in seconds since the load began.
        expected: Events acknowledged before it.
        found: Events in the restored server.
        missing: Expected, and not there.
        unexpected: There, and from after the mark, or never acknowledged.
        altered: There with another content.
        torn: Sessions whose state is not that of their last event.
        restorable_after_seconds: From the mark until the cloud called it restorable; None where it does not tell.
        rpo_seconds: At the request, the age of the latest moment that could be restored; None likewise.
        available_after_seconds: From the request until the cloud called the new server available.
        rto_seconds: From the request until its data was read and compared.
        server: The new server's name in its cloud.
        host: Its name or address.
        kept: Whether it is still there.
        adopt: By what a stack file adopts it.
        stack_file: The lines that do.
    """

    mark: str
    mark_at: float
    expected: int
    found: int
    missing: int
    unexpected: int
    altered: int
    torn: int
    restorable_after_seconds: float | None
    rpo_seconds: float | None
    available_after_seconds: float
    rto_seconds: float
    server: str
    host: str
    kept: bool
    adopt: str
    stack_file: tuple[str, ...]


@dataclass(frozen=True)
class RotateReport:
    """A rotation under load; moments are seconds since the load began.

    Attributes:
        role: The app role of the exported URI.
        up_started_at: When `up` was started.
        up_ended_at: When it had ended.
        changes: What it changed.
    """

    role: Change
    up_started_at: float
    up_ended_at: float
    changes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a drill ends with; the parts that it has none of are left out of the JSON.

    Attributes:
        drill: Which.
        stack: The stack; None where the database came from the environment.
        backend: The stack's cloud.
        rehearsal: Whether it was one.
        database: The URI, masked.
        server_version: PostgreSQL's own.
        started: When the load began.
        broken: A sentence for each promise that was broken.
        load: The load.
        failover: The failover.
        restore: The restore.
        rotate: The rotation.
        load_after: The load in the role after a rotation.
    """

    drill: str
    stack: str | None
    backend: str | None
    rehearsal: bool
    database: str
    server_version: str
    started: dt.datetime
    broken: tuple[str, ...]
    load: LoadReport
    failover: FailoverReport | None = None
    restore: RestoreReport | None = None
    rotate: RotateReport | None = None
    load_after: LoadReport | None = None

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return not self.broken

    def record(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        parts = ("failover", "restore", "rotate", "load_after")
        known = dataclasses.asdict(self).items()
        shown = {name: value for name, value in known if name not in parts or value is not None}
        return shown | {"started": self.started.isoformat(), "held": self.held}


def rounded(gap: Gap) -> Gap:
    """A gap in full milliseconds."""
    return Gap(round(gap.p50, 3), round(gap.p100, 3))
