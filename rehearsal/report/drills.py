"""The drills' reports as `session-db drill … --json` prints them, in frozen records; what a page does not show is left.

Source of every name and unit: `session-db drill --help`, and `app/drills/report.py` behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from rehearsal.errors import ReportError

BIN_SECONDS: Final = 0.1
"""The width of a step in the series of a load."""


@dataclass(frozen=True)
class Gap:
    """The writers' longest waits in seconds: the median writer's, and the worst one's."""

    p50: float
    p100: float


@dataclass(frozen=True)
class Latency:
    """From the first attempt to the acknowledgement, in milliseconds."""

    p50: float
    p95: float
    p100: float


@dataclass(frozen=True)
class Load:
    """Writers on a database, held against what it has stored.

    Attributes:
        writers: Sessions that were written at once.
        seconds: How long they wrote.
        acknowledged: Events that the database said it has.
        lost: Of these, those that it has not.
        duplicated: Events that are stored more than once.
        unexpected: Events that are stored, and were never acknowledged.
        altered: Events with another content.
        torn: Sessions whose state is not that of their last event.
        unanswered: Events that were given up.
        retried: Events that took more than one attempt.
        per_second: Acknowledged events a second.
        latency_ms: How long they took.
        gap_seconds: The writers' longest waits.
        errors: Failed attempts by kind.
        acknowledged_per_100_ms: A series over the load.
        errors_per_100_ms: Likewise.
    """

    writers: int
    seconds: float
    acknowledged: int
    lost: int
    duplicated: int
    unexpected: int
    altered: int
    torn: int
    unanswered: int
    retried: int
    per_second: float
    latency_ms: Latency
    gap_seconds: Gap
    errors: Mapping[str, int]
    acknowledged_per_100_ms: tuple[int, ...]
    errors_per_100_ms: tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """Something before and after."""

    before: str | None
    after: str | None


@dataclass(frozen=True)
class Failover:
    """What clients saw of a failover; moments are seconds since the load began."""

    requested_at: float
    completed_at: float
    gap_seconds: Gap
    silence_seconds: float
    zone: Change
    server_started: Change
    preview_changes: Mapping[str, int]


@dataclass(frozen=True)
class Restore:
    """A moment restored beside the server in use; `mark_at` is in seconds since the load began."""

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


@dataclass(frozen=True)
class Rotation:
    """A rotation under load; moments are seconds since the load began."""

    role: Change
    up_started_at: float
    up_ended_at: float
    changes: Mapping[str, int]


@dataclass(frozen=True)
class Drill:
    """One drill; of its parts it has the one that it is named after.

    Attributes:
        drill: `failover`, `restore` or `rotate`.
        server_version: PostgreSQL's own, for example `15.18`.
        held: Whether every promise was kept.
        broken: A sentence for each that was not.
        load: The writers; for `rotate` those in the role before.
        failover: The failover.
        restore: The restore.
        rotate: The rotation.
        load_after: The writers in the role after a rotation.
    """

    drill: str
    server_version: str
    held: bool
    broken: tuple[str, ...]
    load: Load
    failover: Failover | None = None
    restore: Restore | None = None
    rotate: Rotation | None = None
    load_after: Load | None = None

    @property
    def loads(self) -> tuple[Load, ...]:
        """All writers of the drill."""
        return (self.load,) if self.load_after is None else (self.load, self.load_after)


_ADAPTER: Final = TypeAdapter(Drill)


def read(answer: Mapping[str, Any]) -> Drill:
    """A drill's report, out of its JSON.

    Args:
        answer: What `session-db drill … --json` printed.

    Raises:
        ReportError: It is none.
    """
    try:
        return _ADAPTER.validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"expected the report of a drill, for example of `session-db drill failover --json`: {place}: "
        raise ReportError(message + first["msg"]) from None
