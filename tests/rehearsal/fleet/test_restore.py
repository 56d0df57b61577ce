"""A moment of the past, exact to the transaction: all before it, nothing after."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from rehearsal.errors import RestorableError
from rehearsal.fleet import Archive, ManagedServer, Spec
from rehearsal.fleet.archive import now
from rehearsal.tls import Authority

Fresh = Callable[[], Path]


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server."""


@pytest.fixture(scope="module")
def source(place: Path, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """A server that has a past, shared by this file; with a standby, as in production."""
    with ManagedServer.create(place / "source", replace(spec, standby=True), authority) as server:
        server.primary.execute("CREATE TABLE noted (number serial, word text)", "sessions")
        server.primary.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO adk_owner", "sessions")
        server.primary.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO adk_owner", "sessions")
        yield server


@pytest.fixture
def moment(source: ManagedServer, connect: Connect) -> dt.datetime:
    """A moment between two transactions: `before` was committed, `after` came next."""
    source.primary.execute("TRUNCATE noted", "sessions")
    with connect(source) as connection:
        connection.execute("INSERT INTO noted (word) VALUES ('before')")
        between = now()
        connection.execute("INSERT INTO noted (word) VALUES ('after')")
    return between


@pytest.fixture
def restore(
    source: ManagedServer, authority: Authority, spec: Spec, fresh: Fresh, kept: contextlib.ExitStack
) -> Callable[..., ManagedServer]:
    """Restores the source beside itself, as one without a standby, and stops the copy at the end."""

    def run(time: dt.datetime | None = None, **other: Any) -> ManagedServer:
        wanted = replace(spec, **{"name": "restored", "owner_password": "", **other})
        return kept.enter_context(source.restore(fresh(), wanted, authority, time))

    return run


def words(server: ManagedServer) -> list[str]:
    """What is stored."""
    return [word for (word,) in server.primary.execute("SELECT word FROM noted ORDER BY number", "sessions")]


def test_a_moment_is_exact_to_the_transaction(
    source: ManagedServer, moment: dt.datetime, restore: Callable[..., ManagedServer]
) -> None:
    """The commit before it is in, the next one is not; the source goes on with both."""
    restored = restore(moment)

    assert words(restored) == ["before"]
    assert words(source) == ["before", "after"]
    assert source.has_standby


def test_the_very_time_of_a_commit_includes_it(
    source: ManagedServer, connect: Connect, restore: Callable[..., ManagedServer]
) -> None:
    """To the microsecond, as PostgreSQL itself has recorded it."""
    source.primary.execute("TRUNCATE noted", "sessions")
    source.set_parameters({"track_commit_timestamp": "on"})
    source.restart()
    with connect(source) as connection:
        for number in range(20):
            connection.execute("INSERT INTO noted (word) VALUES (%s)", (str(number),))
    times = "SELECT pg_xact_commit_timestamp(xmin) FROM noted WHERE word = '9'"
    ((tenth,),) = source.primary.execute(times, "sessions")
    source.set_parameters({})
    source.restart()

    assert words(restore(tenth)) == [str(number) for number in range(10)]
    assert words(restore(tenth - dt.timedelta(microseconds=1))) == [str(number) for number in range(9)]


def test_the_last_moment_has_everything_that_was_acknowledged(
    source: ManagedServer, moment: dt.datetime, connect: Connect, restore: Callable[..., ManagedServer]
) -> None:
    """With no time named; and a copy with a standby of its own fails over like any other."""
    assert moment < now()
    restored = restore(None, standby=True)
    with connect(restored) as connection:
        connection.execute("INSERT INTO noted (word) VALUES ('apart')")
    restored.failover()

    assert words(restored) == ["before", "after", "apart"]
    assert words(source) == ["before", "after"]


def test_the_latest_moment_is_restorable_and_now_once_more(
    source: ManagedServer, moment: dt.datetime, restore: Callable[..., ManagedServer]
) -> None:
    """It includes what was acknowledged before anybody asked."""
    latest = source.latest_restorable()

    assert latest is not None
    assert moment < latest < now()
    assert words(restore(latest)) == ["before", "after"]


def test_the_past_outlives_failovers(
    source: ManagedServer, moment: dt.datetime, connect: Connect, restore: Callable[..., ManagedServer]
) -> None:
    """Moments before, between and after two crashes; what a crashed primary had not archived is there as well."""
    moments = [moment]
    for word in ("once", "twice"):
        source.failover()
        source.rejoin()
        with connect(source) as connection:
            connection.execute("INSERT INTO noted (word) VALUES (%s)", (word,))
        moments.append(now())
    source.primary.execute("INSERT INTO noted (word) VALUES ('late')", "sessions")

    assert [words(restore(each)) for each in moments] == [
        ["before"],
        ["before", "after", "once"],
        ["before", "after", "once", "twice"],
    ]


def test_a_restored_server_has_a_past_of_its_own(
    moment: dt.datetime, connect: Connect, restore: Callable[..., ManagedServer], fresh: Fresh, authority: Authority
) -> None:
    """It begins where it was restored."""
    restored = restore(moment)
    with connect(restored) as connection:
        connection.execute("INSERT INTO noted (word) VALUES ('mine')")
        between = now()
        connection.execute("INSERT INTO noted (word) VALUES ('more')")
    with pytest.raises(RestorableError):
        restored.restore(fresh(), restored.spec, authority, moment)
    with restored.restore(fresh(), restored.spec, authority, between) as again:
        assert words(again) == ["before", "mine"]


@pytest.mark.parametrize("base", ["first", "later"])
def test_what_was_deleted_comes_back_from_its_archive(
    base: str, authority: Authority, spec: Spec, fresh: Fresh, connect: Connect
) -> None:
    """A server's last commit and a moment before, from its first backup or from a later one; nothing else is kept."""
    folder = fresh()
    with ManagedServer.create(folder, spec, authority) as server:
        server.primary.execute("CREATE TABLE noted (number serial, word text)", "sessions")
        server.primary.execute("INSERT INTO noted (word) VALUES ('before')", "sessions")
        if base == "later":
            server.backup("later")
        between = now()
        server.primary.execute("INSERT INTO noted (word) VALUES ('last')", "sessions")
        server.delete(keep_archive=True)
    archive = Archive.open(folder)

    assert [path.name for path in folder.iterdir()] == ["archive"]
    for time, stored in ((None, ["before", "last"]), (between, ["before"])):
        with ManagedServer.restored(archive, fresh(), spec, authority, time) as restored, connect(restored):
            assert words(restored) == stored


def test_a_deleted_server_leaves_nothing(authority: Authority, spec: Spec, fresh: Fresh) -> None:
    """Unless its archive is to be kept."""
    folder = fresh()
    with ManagedServer.create(folder, spec, authority) as server:
        server.delete(keep_archive=False)

    assert not folder.exists()
    with pytest.raises(RestorableError, match="archive was kept"):
        Archive.open(folder)


def test_a_moment_that_no_archive_holds_is_refused(
    source: ManagedServer, restore: Callable[..., ManagedServer]
) -> None:
    """Before the first backup, in the future, or in nobody's time zone; the message names what is held."""
    earliest = source.earliest_restorable()
    assert earliest is not None
    for time in (earliest - dt.timedelta(microseconds=1), now() + dt.timedelta(hours=1)):
        with pytest.raises(RestorableError, match=f"between {earliest.isoformat().replace('+', '.')} and 2"):
            restore(time)
    with pytest.raises(RestorableError, match="time zone"):
        restore(now().replace(tzinfo=None))


def test_a_restored_owner_has_the_password_that_is_asked_for(
    source: ManagedServer, connect: Connect, restore: Callable[..., ManagedServer]
) -> None:
    """Or the one of that moment, where none is."""
    source.latest_restorable()
    restored = restore(None, owner_password="another")

    connect(restored, password="another").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(restored)


def test_backups_are_listed_and_labels_taken_once(source: ManagedServer) -> None:
    """With when they began and how large they are."""
    made = source.backup("nightly")

    assert [each.label for each in source.backups()] == ["first", "nightly"]
    assert made.started_at < made.finished_at < now()
    assert made.size > 10_000_000
    with pytest.raises(RestorableError, match="nightly-2"):
        source.backup("nightly")
