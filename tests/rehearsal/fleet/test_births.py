"""What a new managed server is, of every cloud: its name, its locks, its administrator."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
import pytest

from rehearsal.errors import FolderError, SettingsError, StatementError
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.fleet.spec import VendorName
from rehearsal.tls import Authority

HOSTS: Final[dict[VendorName, tuple[str, ...]]] = {
    "aws": ("sessions-prod.c8x2k1m0qzyd.eu-west-1.rds.amazonaws.com",),
    "gcp": ("a1b2c3d4e5f6.1x2y3z4w5v6u7.europe-west1.sql.goog", "10.20.0.3"),
    "azure": ("sessions-prod.postgres.database.azure.com",),
}

Fresh = Callable[[], Path]


class Connect(Protocol):
    """Opens a connection as a server's owner."""

    def __call__(self, server: ManagedServer, **other: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Take a server and libpq's parameters that shall differ."""


@pytest.fixture(scope="module", params=sorted(HOSTS))
def born(request: pytest.FixtureRequest, place: Path, authority: Authority, spec: Spec) -> Iterator[ManagedServer]:
    """A new server of each cloud."""
    vendor: VendorName = request.param
    wanted = replace(spec, vendor=vendor, hosts=HOSTS[vendor])
    with ManagedServer.create(place / f"born-{vendor}", wanted, authority) as server:
        yield server


def test_its_host_name_is_verified(born: ManagedServer, connect: Connect) -> None:
    """Every name that it has, and no other, though none resolves; encrypted, with a password that is hashed."""
    for host in born.spec.hosts:
        with connect(born, host=host) as connection:
            assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        connect(born, host="another.example")
    hashed = born.primary.execute("SELECT rolpassword ~ '^SCRAM-SHA-256' FROM pg_authid WHERE rolname = 'adk_owner'")
    assert hashed == [(True,)]


def test_nobody_comes_in_unencrypted(born: ManagedServer, connect: Connect) -> None:
    """In PostgreSQL's own words, as clouds say them."""
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry .* no encryption"):
        connect(born, sslmode="disable", sslrootcert="")


def test_the_clouds_own_roles_stay_its_own(born: ManagedServer, connect: Connect) -> None:
    """Neither its superuser nor its replication logs in from outside, not even with the right password."""
    body = born._body  # noqa: SLF001  # Nobody else has the cloud's own passwords.
    for role in (born.primary.superuser, body.replication):
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
            connect(born, user=role.name, password=role.password, dbname="postgres")


def test_its_administrator_is_no_superuser(born: ManagedServer, connect: Connect) -> None:
    """It makes tables, roles and databases, and may change nothing of the server's own."""
    with connect(born) as connection:
        rights = (
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
        )
        assert connection.execute(rights).fetchone() == (False, True, True, False)
        connection.execute("CREATE TABLE public.mine ()")
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'change-me'")
        connection.execute("CREATE DATABASE another")
        for statement in ("ALTER SYSTEM SET work_mem = '8MB'", "CREATE EXTENSION file_fdw", "SELECT pg_reload_conf()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with (
        connect(born, user="app") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema public"),
    ):
        connection.execute("CREATE TABLE public.theirs ()")


def test_databases_belong_to_whom_the_cloud_gives_them(born: ManagedServer) -> None:
    """The administrator on Amazon RDS; a role of the cloud's, of which it is a member, on the others."""
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'sessions'"
    owners = {"aws": "adk_owner", "gcp": "cloudsqlsuperuser", "azure": "azure_pg_admin"}

    assert born.primary.execute(owner) == [(owners[born.spec.vendor],)]


def test_names_that_the_cloud_has_taken_are_refused(born: ManagedServer) -> None:
    """Of roles and of databases."""
    superuser = born.primary.superuser.name
    with pytest.raises(StatementError, match="the cloud's own"):
        born.create_user(superuser, "change-me")
    with pytest.raises(StatementError, match="the cloud's own"):
        born.create_database("postgres")


def test_it_is_nobody_elses_business(born: ManagedServer) -> None:
    """It listens on the loopback address, in UTC, and says which version it really is."""
    assert born.primary.execute("SHOW listen_addresses") == [("127.0.0.1",)]
    assert born.primary.execute("SHOW timezone") == [("UTC",)]
    assert born.primary.execute("SHOW server_version")[0][0].startswith(f"{born.version} ")
    assert born.address == ("127.0.0.1", born.primary.port)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"parameters": {"work_mem": "lots"}}, SettingsError),
        ({"owner": "rdsadmin"}, StatementError),
        ({"database": "rdsadmin"}, StatementError),
    ],
    ids=["a parameter", "an owner", "a database"],
)
def test_a_birth_that_fails_leaves_nothing(
    fresh: Fresh, authority: Authority, spec: Spec, wrong: dict[str, Any], error: type[Exception]
) -> None:
    """No folder, and so no process that works in it."""
    folder = fresh()
    with pytest.raises(error):
        ManagedServer.create(folder, replace(spec, **wrong), authority)

    assert not folder.exists()


def test_a_server_may_begin_with_nobody(fresh: Fresh, authority: Authority, spec: Spec, connect: Connect) -> None:
    """As on Cloud SQL, where its users come later; or with an administrator who has no password yet."""
    bare = replace(spec, vendor="gcp", owner="", owner_password="", database=None)
    with ManagedServer.create(fresh(), bare, authority) as server:
        server.create_database("sessions")
        server.create_user("adk_owner")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(server, user="adk_owner")
        server.set_password("adk_owner", "change-me")
        with connect(server, user="adk_owner") as connection:
            connection.execute("CREATE TABLE public.mine ()")


@pytest.mark.parametrize("place_", ["taken", "nowhere"])
def test_a_folder_that_can_hold_no_server_is_refused(
    fresh: Fresh, authority: Authority, spec: Spec, place_: str
) -> None:
    """Before anything is made."""
    folder = fresh()
    if place_ == "taken":
        folder.mkdir()
    with pytest.raises(FolderError):
        ManagedServer.create(folder if place_ == "taken" else folder / "below", spec, authority)

    assert not any(folder.glob("*"))
