"""A read replica follows its source through failovers, and goes its own way once it is promoted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psutil
import psycopg
import pytest

from rehearsal.errors import ServerError, StandbyError
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.fleet.archive import now
from rehearsal.tls import Authority

HOST = "sessions-replica.c8x2k1m0qzyd.eu-west-1.rds.amazonaws.com"

Fresh = Callable[[], Path]


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server and libpq's parameters that shall differ."""


@pytest.fixture
def source(fresh: Fresh, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """A server with a standby and something in it."""
    with ManagedServer.create(fresh(), replace(spec, standby=True), authority) as server:
        server.primary.execute("CREATE TABLE noted AS SELECT 0 AS number", "sessions")
        yield server


@pytest.fixture
def replica(source: ManagedServer, fresh: Fresh, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """Its replica."""
    with source.replica(fresh(), replace(spec, name="sessions-replica", hosts=(HOST,)), authority) as server:
        yield server


def note(server: ManagedServer, number: int) -> None:
    """Store a number."""
    server.primary.execute(f"INSERT INTO noted VALUES ({number})", "sessions")


def has(server: ManagedServer, *numbers: int) -> bool:
    """Whether it comes to have exactly these."""
    deadline = time.monotonic() + 30
    while (stored := server.primary.execute("SELECT number FROM noted ORDER BY 1", "sessions")) != [
        (number,) for number in numbers
    ]:
        if time.monotonic() > deadline:
            pytest.fail(f"expected {numbers}, not {stored}")
    return True


def test_a_replica_follows_and_is_read_only(source: ManagedServer, replica: ManagedServer, connect: Connect) -> None:
    """Under its own name and with the source's users; commits of the source do not wait for it."""
    note(source, 1)

    assert has(replica, 0, 1)
    assert replica.is_replica
    assert replica.address != source.address
    with connect(replica) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE mine ()")
    replica.stop("immediate")
    note(source, 2)
    replica.start()
    assert has(replica, 0, 1, 2)


def test_it_follows_the_new_primary(source: ManagedServer, replica: ManagedServer) -> None:
    """After a crash and after a switchover, since the address stays; so it does when both were opened again."""
    for number, clean in ((1, False), (2, True)):
        source.failover(clean=clean)
        source.rejoin()
        replica.rejoin()
        note(source, number)
    assert has(replica, 0, 1, 2)

    for server in (source, replica):
        server.stop("immediate")
    with ManagedServer.open(source.folder) as again, ManagedServer.open(replica.folder) as following:
        note(again, 3)
        assert has(following, 0, 1, 2, 3)


def test_one_that_has_gone_astray_is_copied_anew(source: ManagedServer, replica: ManagedServer) -> None:
    """It had what the primary lost with its crash; clients find it where it was."""
    crashing, standby, address = source.primary, source._body.pair.standby, replica.address  # noqa: SLF001
    ((receiver,),) = standby.execute("SELECT pid FROM pg_stat_wal_receiver")
    held = psutil.Process(receiver)
    held.suspend()
    source.primary.execute("SET synchronous_commit = local; INSERT INTO noted VALUES (9)", "sessions")
    assert has(replica, 0, 9)
    crashing.stop("immediate")
    held.kill()  # Let go, it would still read what has come to its socket.
    source.failover()
    note(source, 1)
    replica.rejoin()

    assert has(source, 0, 1)
    assert has(replica, 0, 1)
    assert replica.address == address


def test_a_promoted_replica_is_a_server_of_its_own(
    source: ManagedServer, replica: ManagedServer, connect: Connect, fresh: Fresh, authority: Authority
) -> None:
    """With a standby, a past that begins now, and nothing of its source's future."""
    replica.set_standby(False)
    note(source, 1)
    assert has(replica, 0, 1)
    address = replica.address
    replica.promote()
    replica.set_standby(True)
    note(source, 2)
    note(replica, 3)
    between = now()
    note(replica, 4)
    replica.failover()

    assert not replica.is_replica
    assert replica.address == address
    assert has(replica, 0, 1, 3, 4)
    assert has(source, 0, 1, 2)
    with connect(replica) as connection:
        connection.execute("CREATE TABLE mine ()")
    with contextlib.closing(connect(source)), replica.restore(fresh(), replica.spec, authority, between) as restored:
        assert has(restored, 0, 1, 3)


def test_what_only_one_of_them_can_is_refused_to_the_other(source: ManagedServer, replica: ManagedServer) -> None:
    """Promotion of a primary, failover of a replica."""
    with pytest.raises(ServerError, match="expected a replica"):
        source.promote()
    with pytest.raises(StandbyError):
        replica.failover()
    assert replica.latest_restorable() is None
