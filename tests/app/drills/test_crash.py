"""A primary that crashes under load, and its synchronous standby, which takes over at the same address."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from app.backends.interface import Target
from app.drills import figures, stored
from app.drills.load import Load, Settings
from app.drills.report import LoadReport
from app.verbs import bootstrap
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed

Pair = tuple[Cluster, Cluster, ManagedDatabase]

SETTINGS = Settings(writers=4, rate=50, patience=60)


@pytest.fixture
def pair(ground: Path) -> Iterator[Pair]:
    """A primary whose every commit waits for the standby, and a bootstrapped database on it."""
    name = f"pair-{secrets.token_hex(2)}"
    with (
        Cluster.create(ground / name, binaries(15, print)) as primary,
        primary.standby(ground / f"{name}-s") as standby,
    ):
        database = managed(primary, "sessions")
        bootstrap(Target.of(database.admin))
        primary.reconfigure({"synchronous_standby_names": "*"})
        yield primary, standby, database


def fail_over(primary: Cluster, standby: Cluster) -> None:
    """Crash the primary, and let the standby take over its port."""
    primary.stop("immediate")
    standby.stop()
    standby.port = primary.port
    standby.start()  # Read-only at first, as clients of a cloud see it too.
    standby.execute("SELECT pg_promote()")


def lasting_until(load: Load, count: int) -> None:
    """Until so many events more are acknowledged."""
    wanted = len(load.journal.acknowledged) + count
    while len(load.journal.acknowledged) < wanted:
        load.lasting(0.02)
        assert load.running, "the load ended by itself"


def report_of(load: Load, url: URL) -> LoadReport:
    """The load held against what is stored."""
    found = stored.read(url, load.run, load.settings.writers)
    return LoadReport.of(load, stored.compared(found, load.journal.known(), load.journal.unanswered))


def test_no_acknowledged_event_is_lost_in_a_crash(pair: Pair) -> None:
    """The clients see a pause and errors, repeat what was not answered, and store nothing twice."""
    primary, standby, database = pair
    with Load(database.admin, SETTINGS) as load:
        lasting_until(load, 40)
        requested = load.journal.now()
        fail_over(primary, standby)
        completed = load.journal.now()
        lasting_until(load, 40)

    report = report_of(load, database.admin)

    assert (report.lost, report.duplicated, report.unexpected, report.altered, report.torn) == (0, 0, 0, 0, 0)
    assert report.acknowledged == report.stored == report.attempted >= 80
    assert report.retried > 0, "every writer had an event on its way or met the closed port"
    assert set(report.errors) & {"ConnectionLostError", "ClosedPortError", "DatabaseUnavailableError"}
    gap = figures.gap(load.journal.acknowledged, 4, requested, completed)
    assert 0 < gap.p50 <= gap.p100
    assert round(gap.p100, 3) <= report.gap_seconds.p100, "a report has milliseconds"
    assert sum(report.errors_per_100_ms) == sum(report.errors.values())


def test_what_never_reached_the_standby_is_found_lost(pair: Pair) -> None:
    """The check is not blind: without a synchronous standby the same crash loses what was acknowledged."""
    primary, standby, database = pair
    primary.reconfigure({"synchronous_standby_names": ""})
    with Load(database.admin, SETTINGS) as load:
        lasting_until(load, 20)
        standby.stop()
        lasting_until(load, 20)
        fail_over(primary, standby)
        lasting_until(load, 20)

    report = report_of(load, database.admin)

    assert report.lost >= 20
    assert report.examples[0].endswith(": lost")
    assert report.duplicated == 0
