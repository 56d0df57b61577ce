"""Runs the steps of a rehearsal one after the other, shows them, and has a report of them at every moment."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.markup import escape

from rehearsal.errors import RehearsalError, StepError
from rehearsal.report import broken, page, promises
from rehearsal.report.record import Outcome, Rehearsal, Step
from rehearsal.run import facts, layout
from rehearsal.run.life import Life
from rehearsal.run.story import Work
from rehearsal.run.undisturbed import undisturbed

_NOT_REACHED: Final = "not reached"
_MARKS: Final = {Outcome.HELD: "[green]✓[/]", Outcome.BROKEN: "[red]✗[/]"}


@dataclass
class Runner:
    """One run.

    Attributes:
        life: What the steps share.
        story: The steps by name, in order.
        console: Where they are shown.
        folder: Where the report goes.
        steps: Those that ran.
    """

    life: Life
    story: Mapping[str, Work]
    console: Console
    folder: Path
    steps: list[Step] = field(default_factory=list)
    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    _start: float = field(default_factory=time.monotonic)

    def run(self) -> Rehearsal:
        """Go through the story up to its end, or to the first step that fails.

        Returns:
            What is in the report by then.

        Raises:
            KeyboardInterrupt: It was stopped; the report is written before.
        """
        page.write(self.rehearsal(), self.folder)  # What is there is an earlier one's.
        try:
            for name, work in self.story.items():
                follows = self._step(name, work)
                page.keep(self.rehearsal(), self.folder)
                if not follows:
                    break
        finally:
            # Before what takes its time to end: whoever asked to stop may ask again.
            with undisturbed():
                rehearsal = self.rehearsal()
                page.write(rehearsal, self.folder)
            self.life.close()
        return rehearsal

    def rehearsal(self) -> Rehearsal:
        """All of it as it stands; read-only."""
        reached = {each.name for each in self.steps}
        open_ = (name for name in self.story if name not in reached)
        left = [Step(name, (), 0.0, 0.0, Outcome.UNKNOWN, _NOT_REACHED) for name in open_]
        return Rehearsal(
            cloud=self.life.cloud,
            stack=self.life.commands.stack,
            started=self.started.isoformat(),
            seconds=round(time.monotonic() - self._start, 1),
            promises=promises.judged(self.life.findings),
            steps=(*self.steps, *left),
            drills=tuple(self.life.findings.drills),
            facts=facts.facts(self.life),
        )

    def _step(self, name: str, work: Work) -> bool:
        """Whether the next step can follow: a promise that is broken ends nothing, a command that fails does."""
        at, typed = time.monotonic(), len(self.life.commands.typed)
        outcome, told, look, follows = Outcome.BROKEN, "stopped as asked", "", False
        try:
            told, wrong = self._done(name, work)
            follows, outcome = True, Outcome.BROKEN if wrong else Outcome.HELD
        except (RehearsalError, httpx.HTTPError) as error:
            told, look = str(error), self._look(error)
        finally:
            commands, seconds = tuple(self.life.commands.typed[typed:]), time.monotonic() - at
            step = Step(name, commands, round(at - self._start, 2), round(seconds, 2), outcome, told, look)
            self.steps.append(step)
            self._show(step)
        return follows

    def _done(self, name: str, work: Work) -> tuple[str, bool]:
        """What came of a step, and whether it broke a promise; shows meanwhile what its commands say."""
        before = list(broken.sentences(self.life.findings))
        with self.console.status(name) as status:
            self.life.commands.tell = lambda line: status.update(f"{name}  [dim]{escape(line[:100])}[/]")
            told = work(self.life)
        found = broken.added(before, list(broken.sentences(self.life.findings)))
        return "; ".join(found) or told, bool(found)

    def _look(self, error: Exception) -> str:
        known = error.look if isinstance(error, StepError) else ""
        return known or f"less {layout.shown(self.life.commands.folder)}/*.log"

    def _show(self, step: Step) -> None:
        told = escape(step.told).replace("\n", "\n" + " " * 36)
        self.console.print(f"  {_MARKS[step.outcome]} {step.name:22} {step.seconds:5.1f} s  {told}")
