"""Users, databases, parameters and the disk of a managed server that runs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from rehearsal.errors import SettingsError, StatementError
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.tls import Authority

TINY = 2**-30
"""GiB in a byte."""


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server and libpq's parameters that shall differ."""


@pytest.fixture(scope="module")
def server(place: Path, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """A server of Cloud SQL, whose users and databases have an interface, with a standby."""
    with ManagedServer.create(place / "contents", replace(spec, vendor="gcp", standby=True), authority) as made:
        yield made


def test_users_come_and_go(server: ManagedServer, connect: Connect) -> None:
    """One with objects stays, and PostgreSQL says why; one by the cloud's token has no password."""
    server.create_user("second", "change-me")
    with connect(server, user="second") as connection:
        connection.execute("CREATE TABLE seconds ()")
    with pytest.raises(StatementError, match="some objects depend on it") as refused:
        server.drop_user("second")
    assert refused.value.sqlstate == "2BP01"
    with connect(server, user="second") as connection:
        connection.execute("DROP TABLE seconds")
    server.drop_user("second")
    with pytest.raises(StatementError, match="does not exist"):
        server.drop_user("second")

    server.create_user("robot@project.iam", iam=True)
    member = "SELECT pg_has_role('robot@project.iam', 'cloudsqliamuser', 'MEMBER'), rolpassword FROM pg_authid"
    assert server.primary.execute(f"{member} WHERE rolname = 'robot@project.iam'") == [(True, None)]


def test_a_password_changes_for_new_connections(server: ManagedServer, connect: Connect) -> None:
    """Those that are open stay, as clients of a rotation rely on; nobody reads it in the log."""
    with connect(server) as still:
        server.set_password("adk_owner", "another it's")
        connect(server, password="another it's").close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(server)
        assert still.execute("SELECT 1").fetchone() == (1,)
    server.set_password("adk_owner", "change-me")
    with pytest.raises(StatementError, match="does not exist"):
        server.set_password("nobody", "find-me")

    assert "find-me" not in server.primary.log
    assert "another it" not in server.primary.log


def test_databases_come_and_go(server: ManagedServer, connect: Connect) -> None:
    """One in use stays, unless it is taken by force."""
    server.create_database("extra")
    with pytest.raises(StatementError, match="already exists"):
        server.create_database("extra")
    with connect(server, dbname="extra"):
        with pytest.raises(StatementError, match="being accessed by other users"):
            server.drop_database("extra")
        server.drop_database("extra", force=True)

    with pytest.raises(StatementError, match="does not exist"):
        server.drop_database("extra")


def test_parameters_are_what_was_set_last(server: ManagedServer) -> None:
    """Those that need a restart are named; the clouds' own, and those of other versions, do no harm."""
    assert server.set_parameters({"work_mem": "9MB", "max_connections": "50"}) == ["max_connections"]
    assert server.primary.execute("SHOW work_mem") == [("9MB",)]
    server.restart()
    assert server.primary.execute("SHOW max_connections") == [("50",)]

    odd = {"cloudsql.iam_authentication": "on", "shared_buffers": "{DBInstanceClassMemory/32768}", "of_tomorrow": "1"}
    assert server.set_parameters({**odd, "shared_preload_libraries": "pg_stat_statements,nothing_like_it"}) == [
        "max_connections",
        "shared_preload_libraries",
    ]
    assert server.ignored == ["of_tomorrow", "shared_buffers"]
    assert server.primary.execute("SHOW work_mem") == [("4MB",)]
    server.restart()
    assert server.primary.execute("SHOW shared_preload_libraries") == [("pg_stat_statements",)]

    with pytest.raises(SettingsError, match="work_mem"):
        server.set_parameters({"work_mem": "lots"})
    assert server.primary.execute("SHOW shared_preload_libraries") == [("pg_stat_statements",)]
    assert "work_mem" not in server.spec.parameters
    server.set_parameters({})
    server.restart()
    assert server.has_standby


def test_a_full_disk_grows_and_then_makes_the_server_read_only(server: ManagedServer, connect: Connect) -> None:
    """As far as it may; sessions that are open notice at their next transaction, and so they do once there is room."""
    used = server.size_bytes * TINY
    with connect(server) as connection:
        connection.execute("CREATE TABLE heavy (byte int)")
        grown = server.set_storage(used, used * 2)
        assert used < grown.gib < used * 2
        assert not grown.full
        assert server.spec.storage_gib == grown.gib

        assert server.set_storage(used, used * 1.01).full
        assert server.read_only
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO heavy VALUES (1)")
        server.failover()
        server.rejoin()
    with connect(server) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO heavy VALUES (1)")
        assert not server.set_storage(20, 0).full
        assert not server.read_only
        connection.execute("INSERT INTO heavy VALUES (1)")


def test_a_description_is_plain(server: ManagedServer) -> None:
    """As JSON has it; where, which version, and between which moments it can be restored."""
    told = server.describe()

    assert (told["port"], told["version"]) == (server.address[1], server.version)
    assert told["spec"]["hosts"] == list(server.spec.hosts)
    assert told["earliest_restorable"] < str(told["latest_restorable"] or "9999")
