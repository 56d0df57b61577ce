"""The drill `rotate`: the passwords of a stack change under load, and no request fails."""

from collections.abc import Iterator

from app.backends.interface import Report as Tell
from app.drills import engine, place
from app.drills.load import Load, Settings
from app.drills.place import Place, process
from app.drills.plain import cleaned, compared, served
from app.drills.report import Change, LoadReport, Report, RotateReport
from app.drills.stored import Comparison
from app.errors import InvalidSettingError


def run(at: Place, settings: Settings, *, seconds: float, tell: Tell) -> Report:
    """Write as the role in use, run `up`, write on as that role, then as the new one.

    Args:
        at: The database of a stack in whose file `rotation` has been counted up since.
        settings: How much is written.
        seconds: For how long, before and after `up`, and as the new role.
        tell: Takes lines of progress.

    Raises:
        InvalidSettingError: `rotation` was not counted up: the role is the same afterwards.
        StackUnavailableError: `up` failed.
        DatabaseUnavailableError: The database cannot be used; the kind says why.
    """
    record = at.exported
    if not engine.run("preview", record):
        raise _unasked(at)
    load = Load(at.target.app, settings)
    try:
        with load:
            tell(f"{settings.writers} writers as {at.target.app.username} for {seconds:g} s")
            load.lasting(seconds)
            tell(f"up of stack {record.stack}")
            started = load.journal.now()
            changes = engine.run("up", record)
            ended = load.journal.now()
            load.lasting(seconds)
        found = compared(load)
    finally:
        cleaned(load)
    now = _rotated(at)
    tell(f"{settings.writers} writers as {now.target.app.username} for {seconds:g} s")
    second, again = _written(now, settings, seconds)
    return Report(
        drill="rotate",
        **at.described(),
        server_version=process(now).version,
        started=load.journal.started,
        broken=(*_broken("the role in use", load, found), *_broken("the new role", second, again)),
        load=LoadReport.of(load, found),
        rotate=RotateReport(
            role=Change(at.target.app.username, now.target.app.username),
            up_started_at=round(started, 3),
            up_ended_at=round(ended, 3),
            changes=changes,
        ),
        load_after=LoadReport.of(second, again),
    )


def _rotated(before: Place) -> Place:
    record = before.exported
    after = place.find(record.stack, rehearse=record.rehearsal)
    if after.target.app.username == before.target.app.username:
        raise _unasked(after)
    return after


def _unasked(at: Place) -> InvalidSettingError:
    return InvalidSettingError(
        f"expected `rotation` in Pulumi.{at.exported.stack}.yaml to be counted up before the drill, but the role is "
        f"{at.target.app.username} as before. For example, from 0: rotation: 1"
    )


def _written(at: Place, settings: Settings, seconds: float) -> tuple[Load, Comparison]:
    load = Load(at.target.app, settings)
    try:
        with load:
            load.lasting(seconds)
        return load, compared(load)
    finally:
        cleaned(load)


def _broken(who: str, load: Load, found: Comparison) -> Iterator[str]:
    if errors := load.journal.errors():
        told = ", ".join(f"{count} {kind}" for kind, count in errors.items())
        yield f"requests of {who} failed: {told}"
    yield from (*served(load), *found.broken())
