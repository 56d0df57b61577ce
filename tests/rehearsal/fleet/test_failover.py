"""What a client has been promised is on the standby, however the primary ends."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psutil
import psycopg
import pytest

from rehearsal.errors import StandbyError
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.tls import Authority

ENOUGH = 150
"""How many commits are acknowledged before and after each failover."""


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server."""


@pytest.fixture(scope="module")
def paired(place: Path, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """A server with a standby, shared by this file; a test leaves it with one."""
    with ManagedServer.create(place / "paired", replace(spec, standby=True), authority) as server:
        server.primary.execute("CREATE TABLE noted (writer int, number int)", "sessions")
        server.primary.execute("GRANT ALL ON noted TO adk_owner", "sessions")
        yield server


@pytest.fixture(autouse=True)
def whole(paired: ManagedServer) -> None:
    """The server has its standby before each test."""
    paired.set_standby(True)


class Writer(threading.Thread):
    """Commits one number after another and notes those that were acknowledged; connects again where it has to."""

    def __init__(self, name: int, connect: Callable[[], psycopg.Connection[tuple[Any, ...]]]) -> None:
        """Take a way to connect; nothing happens yet."""
        super().__init__()
        self.acknowledged: list[tuple[int, int]] = []
        self.errors: list[str] = []
        self._number, self._connect, self._more = name, connect, threading.Condition()
        self._done = threading.Event()

    def run(self) -> None:
        """Write until `finish`."""
        number = 0
        while not self._done.is_set():
            try:
                with self._connect() as connection:
                    while not self._done.is_set():
                        number += 1
                        connection.execute("INSERT INTO noted VALUES (%s, %s)", (self._number, number))
                        with self._more:
                            self.acknowledged.append((self._number, number))
                            self._more.notify_all()
            except psycopg.Error as error:
                self.errors.append(str(error))

    def wait_for_more(self) -> None:
        """Wait until it has written for a while from now on."""
        with self._more:
            wanted = len(self.acknowledged) + ENOUGH
            assert self._more.wait_for(lambda: len(self.acknowledged) >= wanted, 60), self.errors[-1:]

    def finish(self) -> None:
        """End after the commit that is under way."""
        self._done.set()
        self.join(60)


@contextlib.contextmanager
def writing(connect: Callable[[], psycopg.Connection[tuple[Any, ...]]]) -> Iterator[list[Writer]]:
    """Three clients that write inside."""
    writers = [Writer(number, connect) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.finish()


@pytest.mark.parametrize("clean", [False, True], ids=["crash", "switchover"])
def test_no_acknowledged_commit_is_lost(paired: ManagedServer, connect: Connect, clean: bool) -> None:  # noqa: FBT001
    """Through two failovers under load; clients find the server where it was."""
    paired.primary.execute("TRUNCATE noted", "sessions")
    address = paired.address
    with writing(lambda: connect(paired)) as writers:
        for _ in range(2):
            for writer in writers:
                writer.wait_for_more()
            paired.failover(clean=clean)
            for writer in writers:
                writer.wait_for_more()
            paired.rejoin()
    stored = paired.primary.execute("SELECT writer, number FROM noted", "sessions")
    acknowledged = {each for writer in writers for each in writer.acknowledged}

    assert acknowledged - set(stored) == set(), "these were acknowledged, and are gone"
    assert len(acknowledged) >= 12 * ENOUGH
    assert len(stored) == len(set(stored))
    assert paired.address == address
    assert all(writer.errors for writer in writers), "every client has seen the failovers"
    assert not any("read-only" in error for writer in writers for error in writer.errors)


def test_what_the_standby_has_not_seen_is_not_acknowledged(paired: ManagedServer, connect: Connect) -> None:
    """Its receiver is held while clients write, and let go when the primary has crashed: no promise is broken."""
    paired.primary.execute("TRUNCATE noted", "sessions")
    crashing = paired.primary
    ((receiver,),) = paired._body.pair.standby.execute("SELECT pid FROM pg_stat_wal_receiver")  # noqa: SLF001
    held = psutil.Process(receiver)
    with writing(lambda: connect(paired)) as writers:
        for writer in writers:
            writer.wait_for_more()
        held.suspend()
        counts = [len(writer.acknowledged) for writer in writers]
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'adk_owner'"
        while crashing.execute(query) != [(3,)] and all(
            len(writer.acknowledged) < count + ENOUGH for writer, count in zip(writers, counts, strict=True)
        ):
            pass
        crashing.stop("immediate")
        held.resume()
        paired.failover()
        for writer in writers:
            writer.wait_for_more()
    stored = set(paired.primary.execute("SELECT writer, number FROM noted", "sessions"))

    assert {each for writer in writers for each in writer.acknowledged} - stored == set()


def test_every_commit_waits_for_the_standby(paired: ManagedServer) -> None:
    """PostgreSQL itself says so; without one, it does not."""
    assert paired.has_standby
    assert paired.primary.execute("SELECT sync_state FROM pg_stat_replication") == [("sync",)]

    paired.set_standby(False)
    assert not paired.has_standby
    assert paired.primary.execute("SHOW synchronous_standby_names") == [("",)]
    assert paired.primary.execute("SELECT count(*) FROM pg_stat_replication") == [(0,)]


def test_a_server_without_a_standby_does_not_fail_over(paired: ManagedServer) -> None:
    """It goes on as it was."""
    paired.set_standby(False)
    with pytest.raises(StandbyError, match="set_standby"):
        paired.failover()

    assert paired.running


def test_a_failover_that_finds_no_standby_waits_for_one(paired: ManagedServer, connect: Connect) -> None:
    """Nobody has to `rejoin` in between."""
    first = paired.primary
    paired.failover()
    assert not paired.has_standby
    paired.failover()

    assert paired.primary is first
    with connect(paired) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)


def test_a_standby_that_dies_is_replaced(paired: ManagedServer, connect: Connect) -> None:
    """Until then commits wait: they were promised to be in two places."""
    standby = paired._body.pair.standby  # noqa: SLF001  # Nobody else kills it.
    standby.stop("immediate")
    with connect(paired) as connection:
        done = threading.Event()
        statement = "INSERT INTO noted VALUES (-1, -1)"

        def commit() -> None:
            connection.execute(statement)
            done.set()

        waiting = threading.Thread(target=commit)
        waiting.start()
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while paired.primary.execute(query) == [(0,)]:
            assert not done.is_set(), "a commit that is in one place only was acknowledged"
        paired.rejoin()
        waiting.join(60)

        assert done.is_set()
    assert paired.has_standby
    assert standby.running


def test_settings_that_a_standby_must_not_lag_behind_change_in_both_directions(paired: ManagedServer) -> None:
    """More connections and fewer: the standby is there again, and takes over with the new number."""
    for number in ("60", "25"):
        assert paired.set_parameters({"max_connections": number}) == ["max_connections"]
        paired.restart()
        assert paired.has_standby
        paired.failover()
        paired.rejoin()

        assert paired.primary.execute("SHOW max_connections") == [(number,)]
    paired.set_parameters({})
    paired.restart()
