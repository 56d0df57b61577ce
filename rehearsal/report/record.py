"""What a rehearsal came to, as frozen records whose fields are the keys of report.json."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rehearsal.report.drills import Drill


class Outcome(StrEnum):
    """How something ended."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Step:
    """One thing that an operator does.

    Attributes:
        name: Short, for example `drill failover`.
        commands: The command lines behind it, as one could type them; never with a secret.
        at: When it began, in seconds since the rehearsal did.
        seconds: How long it took.
        outcome: Unknown where it was never reached.
        told: What came of it, in one line; the command's own words where it failed.
        look: What to run to look further, where it failed.
    """

    name: str
    commands: tuple[str, ...]
    at: float
    seconds: float
    outcome: Outcome
    told: str
    look: str = ""


@dataclass(frozen=True)
class Promise:
    """Something that the project promises, and what the rehearsal saw of it.

    Attributes:
        name: For example `Acknowledged events lost`.
        value: What was measured, for example `0`.
        bar: What holds it, for example `0`; empty where it is measured and reported only.
        told: Where the value comes from, in one line.
        outcome: Unknown where the rehearsal did not come so far.
    """

    name: str
    value: str
    bar: str
    told: str
    outcome: Outcome


@dataclass(frozen=True)
class Facts:
    """What it was rehearsed on.

    Attributes:
        asked_version: PostgreSQL's major version in the stack file.
        ran_version: The version that really ran; empty where none did.
        hosts: The host names that were verified by TLS, by generation.
        machine: Processors and memory.
        system: The operating system.
        versions: The project's tools and packages by name.
    """

    asked_version: str
    ran_version: str
    hosts: Mapping[str, str]
    machine: str
    system: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Rehearsal:
    """All of it.

    Attributes:
        cloud: `gcp`, `aws` or `azure`.
        stack: The stack's name.
        started: When, in ISO 8601 with the time zone.
        seconds: How long it took.
        promises: The verdicts.
        steps: In order, those that were not reached among them.
        drills: Those that ran, in order.
        facts: What it was rehearsed on.
    """

    cloud: str
    stack: str
    started: str
    seconds: float
    promises: tuple[Promise, ...]
    steps: tuple[Step, ...]
    drills: tuple[Drill, ...]
    facts: Facts

    @property
    def held(self) -> bool:
        """Whether every step succeeded and every promise was kept."""
        return bool(self._outcomes) and all(each is Outcome.HELD for each in self._outcomes)

    @property
    def broken(self) -> bool:
        """Whether a step failed or a promise was broken; not where something was left out."""
        return Outcome.BROKEN in self._outcomes

    @property
    def whole(self) -> bool:
        """Whether every step was reached."""
        return all(each.outcome is not Outcome.UNKNOWN for each in self.steps)

    @property
    def _outcomes(self) -> list[Outcome]:
        return [*(each.outcome for each in self.promises), *(each.outcome for each in self.steps)]

    def record(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return {"held": self.held, **dataclasses.asdict(self)}
