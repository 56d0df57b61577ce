"""What the steps of a rehearsal bring home; None, or nothing in a list, where a step was not reached."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from rehearsal.report.drills import Drill, Load


@dataclass(frozen=True)
class Up:
    """A run of `up`, `refresh` or `preview` that ought to find nothing to change.

    Attributes:
        after: What came before it, for example `the failover`.
        changes: What it changed or would change, by operation.
    """

    after: str
    changes: Mapping[str, int]


@dataclass(frozen=True)
class Kept:
    """Turns of a conversation that ought to be there exactly: each once, unaltered, in order.

    Attributes:
        turns: Turns that were answered before.
        found: Of these, those that are there.
        beyond: Turns besides: doubled, altered, or from after the moment.
        moved: Whether all are there, but in another order.
    """

    turns: int
    found: int
    beyond: int = 0
    moved: bool = False

    @classmethod
    def of(cls, turns: Sequence[str], found: Sequence[str]) -> Self:
        """Compare them; pure.

        Args:
            turns: What was answered before, in order.
            found: What is there, in order.
        """
        there = (Counter(turns) & Counter(found)).total()
        beyond = len(found) - there
        moved = there == len(turns) and not beyond and list(found) != list(turns)
        return cls(len(turns), there, beyond, moved)

    @property
    def whole(self) -> bool:
        """Whether there were any, and they are there exactly."""
        return self.turns == self.found > 0 and not self.beyond and not self.moved

    @property
    def told(self) -> str:
        """How they are found, for people; for example `5 of 6, 1 too many`."""
        rest = (f", {self.beyond} too many" if self.beyond else "") + (", out of order" if self.moved else "")
        return f"{self.found} of {self.turns}{rest}"


@dataclass(frozen=True)
class Served:
    """Turns of a conversation over HTTP, and what was there after the API server had gone.

    Attributes:
        after: What happened in between, for example `a restart`.
        kept: What is in the session afterwards.
    """

    after: str
    kept: Kept


@dataclass(frozen=True)
class Scan:
    """The search for generated passwords where they must not be in clear.

    Attributes:
        passwords: How many were looked for.
        places: What was searched, with its size in bytes or in lines, for people.
        found: Where one was; never the password.
    """

    passwords: int
    places: Mapping[str, str]
    found: tuple[str, ...]


@dataclass(frozen=True)
class Remains:
    """What the cloud still has after `destroy`.

    Attributes:
        left: Servers and other resources that should have gone.
        kept: What stays on purpose.
        backups: Final backups, which should be there.
        expected_backups: How many of them the cloud takes; Azure takes none.
    """

    left: tuple[str, ...]
    kept: tuple[str, ...]
    backups: tuple[str, ...]
    expected_backups: int


@dataclass
class Findings:
    """Filled step by step.

    Attributes:
        drills: Those that ran, in order.
        unchanged: Runs that ought to have nothing to change.
        served: Conversations that ought to outlive something.
        restored: The conversation up to the moment, in the generation that the stack file restored.
        refused: Whether a deletion of something protected was refused, by what it was.
        sslmodes: How the exported URI checks certificates, by generation.
        scan: The search for passwords.
        remains: What is left.
    """

    drills: list[Drill] = field(default_factory=list)
    unchanged: list[Up] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    restored: Kept | None = None
    refused: dict[str, bool] = field(default_factory=dict)
    sslmodes: dict[str, str] = field(default_factory=dict)
    scan: Scan | None = None
    remains: Remains | None = None

    def drill(self, name: str) -> Drill | None:
        """The drill of a name, where it ran."""
        return next((each for each in self.drills if each.drill == name), None)

    def loads(self) -> Iterator[Load]:
        """All writers of all drills."""
        for each in self.drills:
            yield from each.loads
