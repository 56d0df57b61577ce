"""The drill `restore`: a moment under load, restored beside the server in use, has all before it and none after."""

import datetime as dt
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from app.backends.interface import Report as Tell
from app.backends.postgresql.connection import opened, reading, scalar
from app.control import kept, waiting
from app.control.interface import Control, Server, server
from app.drills import restored, stored
from app.drills.journal import Key
from app.drills.load import Load, Settings
from app.drills.place import Place, process
from app.drills.plain import cleaned, compared, served
from app.drills.report import LoadReport, Report, RestoreReport
from app.drills.stored import Comparison
from app.stack import Record


@dataclass(frozen=True)
class Mark:
    """A moment at which no event was on its way.

    Attributes:
        moment: By the server's clock, a full second: no cloud cuts it off.
        at: The same in seconds since the load began.
        acknowledged: What had been acknowledged by then.
        unanswered: What had been given up by then.
        restorable_after: How long until the cloud called it restorable, in seconds; None where it does not tell.
    """

    moment: dt.datetime
    at: float
    acknowledged: frozenset[Key]
    unanswered: Collection[Key]
    restorable_after: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of the restore.

    Attributes:
        server: The restored server.
        compared: What it has, held against the mark.
        rpo: The age of the latest restorable moment at the request, in seconds; None where the cloud does not tell.
        available_after: From the request until the cloud called it available, in seconds.
        rto: From the request until it was read and compared, in seconds.
    """

    server: Server
    compared: Comparison
    rpo: float | None
    available_after: float
    rto: float


@dataclass(frozen=True)
class Drill:
    """One restore drill.

    Attributes:
        place: The database of a stack.
        control: The control plane that its server is under.
        settings: How much is written.
        seconds: For how long, before the mark and after it is restorable.
        tell: Takes lines of progress.
        keep: Whether the restored server stays.
    """

    place: Place
    control: Control
    settings: Settings
    seconds: float
    tell: Tell
    keep: bool = False

    def run(self) -> Report:
        """Write, mark, write on, restore beside, compare, and discard what was restored.

        Raises:
            CloudRefusedError: The cloud does not do it.
            DatabaseUnavailableError: One of the databases cannot be used; the kind says why.
        """
        version = process(self.place).version
        load = Load(self.place.target.app, self.settings)
        try:
            with load:
                mark = self._written(load)
            found = compared(load)
            outcome = self._restored(load, mark)
        finally:
            cleaned(load)
        return Report(
            drill="restore",
            **self.place.described(),
            server_version=version,
            started=load.journal.started,
            broken=(*served(load), *found.broken(), *_broken(outcome.compared)),
            load=LoadReport.of(load, found),
            restore=self._report(mark, outcome),
        )

    def _written(self, load: Load) -> Mark:
        self.tell(f"{self.settings.writers} writers for {self.seconds:g} s")
        load.lasting(self.seconds)
        mark = self._marked(load)
        self.tell(f"marked {mark.moment:%Y-%m-%d %H:%M:%S} UTC, with {len(mark.acknowledged)} events before it")
        waited = time.monotonic()
        found = waiting.restorable(self.control, self.place.exported.text("instance"), mark.moment)
        told = None if found.latest_restorable is None else round(time.monotonic() - waited, 3)
        self.tell(f"restorable; {self.settings.writers} writers for {self.seconds:g} s")
        load.lasting(self.seconds)
        return Mark(mark.moment, mark.at, mark.acknowledged, mark.unanswered, told)

    def _marked(self, load: Load) -> Mark:
        """A full second between the last event before and the first one after, by the server's own clock."""
        with load.held():
            now, at = process(self.place).now.astimezone(dt.UTC), load.journal.now()
            moment = now.replace(microsecond=0) + dt.timedelta(seconds=1)
            mark = Mark(
                moment,
                round(at + (moment - now).total_seconds(), 3),
                load.journal.known(),
                tuple(load.journal.unanswered),
            )
            waits = self.place.target.waits
            with opened(self.place.target.app, waits) as connection, reading(connection, waits):
                scalar(
                    connection, "SELECT pg_sleep_until(CAST(:moment AS timestamptz) + interval '50 ms')", moment=moment
                )
        return mark

    def _restored(self, load: Load, mark: Mark) -> Outcome:
        instance = self.place.exported.text("instance")
        latest = server(self.control, instance).latest_restorable
        rpo = None if latest is None else (process(self.place).now - latest).total_seconds()
        self.tell(f"restore of {instance} beside it")
        requested = time.monotonic()
        made = self.control.restore(instance, mark.moment)
        with ExitStack() as afterwards:
            if not self.keep:
                afterwards.callback(self._discarded, made.instance)
            there = waiting.available(self.control, made.instance)
            available = time.monotonic() - requested
            self.tell(f"{there.instance} is available after {available:.1f} s")
            with restored.reached(self.place, there) as url:
                found = restored.read(url, load.run, self.settings.writers)
            held = stored.compared(found, mark.acknowledged, mark.unanswered)
            return Outcome(there, held, rpo, available, time.monotonic() - requested)

    def _discarded(self, instance: str) -> None:
        kept.discard(self.control, instance, self.tell)

    def _report(self, mark: Mark, outcome: Outcome) -> RestoreReport:
        held = outcome.compared
        return RestoreReport(
            mark=mark.moment.isoformat(),
            mark_at=mark.at,
            expected=len(mark.acknowledged),
            found=held.stored,
            missing=len(held.lost),
            unexpected=len(held.unexpected),
            altered=len(held.altered),
            torn=len(held.torn),
            restorable_after_seconds=mark.restorable_after,
            rpo_seconds=None if outcome.rpo is None else round(outcome.rpo, 3),
            available_after_seconds=round(outcome.available_after, 3),
            rto_seconds=round(outcome.rto, 3),
            server=outcome.server.instance,
            host=outcome.server.host,
            kept=self.keep,
            adopt=outcome.server.adopt,
            stack_file=tuple(_adopting(self.place.exported, outcome.server)),
        )


def _adopting(record: Record, made: Server) -> Iterator[str]:
    """The list of generations with one more; what stands with the others stays as it is in the stack file."""
    known = list(dict(record.outputs.get("servers") or {}))
    yield "servers:"
    yield from (f"  - id: {each}" for each in known)
    number = len(known) + 1
    while f"g{number}" in known:
        number += 1
    yield f"  - {{id: g{number}, adopt: {made.adopt}}}"


def _broken(held: Comparison) -> Iterator[str]:
    if held.lost:
        yield f"{len(held.lost)} events from before the mark are missing in the restored server"
    if held.unexpected:
        yield f"{len(held.unexpected)} events from after the mark are in the restored server"
    if held.altered or held.torn or held.duplicated:
        yield "events or states in the restored server are not as they were written"
