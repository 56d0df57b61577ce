"""The drill `load`: writes for a while, and holds what is stored against what was acknowledged."""

from contextlib import suppress

from app.backends.interface import Report as Tell
from app.drills import stored
from app.drills.load import Load, Settings
from app.drills.place import Place, process
from app.drills.report import LoadReport, Report
from app.drills.stored import Comparison
from app.errors import DatabaseUnavailableError


def run(place: Place, settings: Settings, seconds: float, tell: Tell) -> Report:
    """Write, compare, and delete what was written.

    Args:
        place: The database.
        settings: How much is written.
        seconds: For how long.
        tell: Takes lines of progress.

    Raises:
        DatabaseUnavailableError: The database cannot be used; the kind says why.
    """
    version = process(place).version
    tell(f"{settings.writers} writers for {seconds:g} s")
    load = Load(place.target.app, settings)
    try:
        with load:
            load.lasting(seconds)
        found = compared(load)
    finally:
        cleaned(load)
    return Report(
        drill="load",
        **place.described(),
        server_version=version,
        started=load.journal.started,
        broken=(*served(load), *found.broken()),
        load=LoadReport.of(load, found),
    )


def compared(load: Load) -> Comparison:
    """A load that has stopped, held against what its database has of it; read-only.

    Args:
        load: The load.

    Raises:
        DatabaseUnavailableError: The database cannot be read; the kind says why.
    """
    found = stored.read(load.url, load.run, load.settings.writers)
    return stored.compared(found, load.journal.known(), load.journal.unanswered)


def served(load: Load) -> tuple[str, ...]:
    """A sentence where writers went without an answer for longer than any client waits.

    Args:
        load: The load.
    """
    if not load.journal.acknowledged:
        return ("no event was acknowledged at all",)
    if count := len(load.journal.unanswered):
        return (f"{count} events were given up after {load.settings.patience:g} s",)
    return ()


def cleaned(load: Load) -> None:
    """Delete what a load wrote, as far as the database lets us; the next drill deletes what is left."""
    with suppress(DatabaseUnavailableError):
        stored.clean(load.url, load.run, load.settings.writers)
