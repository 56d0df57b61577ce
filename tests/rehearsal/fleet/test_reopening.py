"""What another process makes of a server whose owner was killed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from rehearsal.cluster import Cluster
from rehearsal.errors import FolderError, ServerError
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.tls import Authority

OWNER = """
import sys, time
from pathlib import Path
from rehearsal.fleet import ManagedServer
server = ManagedServer.open(Path(sys.argv[1]))
server.start()
print("running", flush=True)
time.sleep(600)
"""


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server."""


@pytest.mark.parametrize("standby", [True, False], ids=["with a standby", "alone"])
def test_a_killed_owner_costs_nothing(
    fresh: Callable[[], Path],
    authority: Authority,
    spec: Spec,
    connect: Connect,
    standby: bool,  # noqa: FBT001
) -> None:
    """Opened at once, while the old processes still end: same address, same data, same standby, same past."""
    folder = fresh()
    made = ManagedServer.create(folder, replace(spec, standby=standby), authority)
    address, earliest = made.address, made.earliest_restorable()
    made.stop()
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "running\n"
        with connect(made) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        owner.send_signal(signal.SIGKILL)
    with ManagedServer.open(folder) as opened:
        with connect(opened) as connection:
            assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]
        assert opened.address == address
        assert opened.has_standby == standby
        assert opened.earliest_restorable() == earliest
        assert opened.spec == replace(made.spec)


@pytest.mark.parametrize("start", [1, 2], ids=["before the standby took over", "before the new standby was there"])
def test_an_owner_that_dies_in_a_failover_loses_nothing(
    fresh: Callable[[], Path],
    authority: Authority,
    spec: Spec,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    start: int,
) -> None:
    """Whoever opens the server completes it."""
    server = ManagedServer.create(fresh(), replace(spec, standby=True), authority)
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    starts: list[Cluster] = []
    really = Cluster.start

    def until_killed(cluster: Cluster) -> None:
        starts.append(cluster)
        if len(starts) == start:
            message = "killed"
            raise ServerError(message)
        really(cluster)

    with monkeypatch.context() as patch:
        patch.setattr(Cluster, "start", until_killed)
        if start == 2:
            server.failover()
        with pytest.raises(ServerError, match="killed"):
            (server.failover if start == 1 else server.rejoin)()
    server.stop("immediate")
    with ManagedServer.open(server.folder) as opened, connect(opened) as connection:
        assert opened.address == server.address
        assert connection.execute("SELECT one, pg_is_in_recovery() FROM kept").fetchall() == [(1, False)]
        opened.rejoin()
        assert opened.has_standby


def test_a_folder_without_a_server_is_not_opened(fresh: Callable[[], Path]) -> None:
    """Nor is one made there."""
    with pytest.raises(FolderError, match="managed server"):
        ManagedServer.open(fresh())


def test_no_file_that_others_can_read_has_a_password(
    fresh: Callable[[], Path], authority: Authority, spec: Spec
) -> None:
    """The owner's is in no file at all, and the cloud's own only in files of their owner."""
    secret = "change-me-and-find-me"
    with ManagedServer.create(fresh(), replace(spec, owner_password=secret, standby=True), authority) as server:
        server.set_password("adk_owner", f"{secret}-2")
        server.create_user("another", f"{secret}-3")
        server.backup("one")
        own = server.archive.secrets
        texts = {path: path.read_bytes() for path in server.folder.rglob("*") if path.is_file()}

        assert secret not in f"{server.describe()}{server.spec!r}{own!r}"
    assert [path for path, text in texts.items() if secret.encode() in text] == []
    for password in (own.superuser, own.replication):
        holders = [path for path, text in texts.items() if password.encode() in text]
        assert holders
        assert all(path.stat().st_mode & 0o077 == 0 for path in holders if path.exists())
