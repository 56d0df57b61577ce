"""The drill `failover`: the standby takes over under load, and no acknowledged event is lost."""

from collections.abc import Iterator
from typing import NamedTuple

from app.backends.interface import Report as Tell
from app.control.interface import Control, Server, server
from app.drills import engine, figures
from app.drills.load import Load, Settings
from app.drills.place import Place, Process, process
from app.drills.plain import cleaned, compared, served
from app.drills.report import Change, FailoverReport, LoadReport, Report, rounded
from app.errors import CloudRefusedError, InvalidSettingError


def run(place: Place, control: Control, settings: Settings, *, seconds: float, tell: Tell) -> Report:
    """Write, let the standby take over, write on, compare, and see that the stack has nothing to change.

    Args:
        place: The database of a stack.
        control: The control plane that its server is under.
        settings: How much is written.
        seconds: For how long, before the request and after the cloud calls it done.
        tell: Takes lines of progress.

    Raises:
        InvalidSettingError: The server has no standby.
        CloudRefusedError: The cloud does not do it.
        DatabaseUnavailableError: The database cannot be used before or afterwards; the kind says why.
    """
    record = place.exported
    instance = record.text("instance")
    before, old = ready(control, instance), process(place)
    load = Load(place.target.app, settings)
    try:
        with load:
            tell(f"{settings.writers} writers for {seconds:g} s")
            load.lasting(seconds)
            tell(f"failover of {instance}")
            span = _failed_over(load, control, instance)
            tell(f"done after {span.end - span.start:.1f} s; {settings.writers} writers for {seconds:g} s")
            load.lasting(seconds)
        found = compared(load)
    finally:
        cleaned(load)
    zone, new = Change(before.zone, server(control, instance).zone), process(place)
    tell(f"preview of stack {record.stack}")
    changes = engine.run("preview", record)
    return Report(
        drill="failover",
        **place.described(),
        server_version=new.version,
        started=load.journal.started,
        broken=(*served(load), *found.broken(), *_broken(old, new, changes)),
        load=LoadReport.of(load, found),
        failover=_seen(load, span, zone, Change(old.started.isoformat(), new.started.isoformat()), changes),
    )


def ready(control: Control, instance: str) -> Server:
    """The server, if it can fail over now; read-only.

    Args:
        control: Its cloud.
        instance: Its name as in the record.

    Raises:
        InvalidSettingError: It has no standby.
        CloudRefusedError: It is in another operation, or not there.
    """
    found = server(control, instance)
    if not found.standby:
        message = (
            f"expected a server with a standby, but {instance} has none. "
            "Set high_availability: true in the stack file, and run make up"
        )
        raise InvalidSettingError(message)
    if not found.available:
        message = f"expected {instance} to be available, but its cloud says {found.status}. Try again later"
        raise CloudRefusedError(message)
    return found


class _Span(NamedTuple):
    """From the request until the cloud calls it done, in seconds since the load began."""

    start: float
    end: float


def _failed_over(load: Load, control: Control, instance: str) -> _Span:
    requested = load.journal.now()
    control.failover(instance)
    return _Span(requested, load.journal.now())


def _seen(load: Load, span: _Span, zone: Change, started: Change, changes: dict[str, int]) -> FailoverReport:
    answers = load.journal.acknowledged
    return FailoverReport(
        requested_at=round(span.start, 3),
        completed_at=round(span.end, 3),
        gap_seconds=rounded(figures.gap(answers, load.settings.writers, *span)),
        silence_seconds=round(figures.longest((each.answered for each in answers), *span), 3),
        zone=zone,
        server_started=started,
        preview_changes=changes,
    )


def _broken(old: Process, new: Process, changes: dict[str, int]) -> Iterator[str]:
    if old.started == new.started:
        yield f"the same server process answers as before, since {old.started:%Y-%m-%d %H:%M:%S}: none took over"
    if changes:
        told = ", ".join(f"{count} to {name}" for name, count in changes.items())
        yield f"the stack wants to change what the failover left: {told}"
