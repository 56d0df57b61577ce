"""Servers of every version: made, started, asked, changed, followed and stopped."""

import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, create_engine, text

from rehearsal import configuration
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.errors import FolderError, ServerError, SettingsError

Ask = Callable[[URL, str], list[Any]]

VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)


@pytest.fixture
def place(ground: Path) -> Path:
    """Where a server of the test's own is to be."""
    return ground / secrets.token_hex(4)


@VERSIONS
def test_a_server_is_of_its_version_and_reached_by_its_url(postgresql: Cluster, request: pytest.FixtureRequest) -> None:
    """By SQLAlchemy with psycopg, in UTF-8."""
    engine = create_engine(postgresql.superuser_uri())
    with engine.connect() as connection:
        number = connection.execute(text("SHOW server_version_num")).scalar_one()
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    engine.dispose()

    assert f"[{int(number) // 10000}]" in request.node.name
    assert encoding == "UTF8"


@VERSIONS
@pytest.mark.parametrize("way", ["address", "socket"])
def test_every_role_needs_its_password(postgresql: Cluster, ask: Ask, way: str) -> None:
    """The superuser too, by address and by socket."""
    right = postgresql.superuser_uri()
    if way == "socket":
        by_socket = {"host": str(postgresql.folder), "port": str(postgresql.port)}
        right = URL.create(right.drivername, right.username, right.password, database=right.database, query=by_socket)

    assert ask(right, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(right.set(password="change-me"), "SELECT 1")


def test_a_server_is_nobody_elses_business(postgresql: Cluster) -> None:
    """It listens on the loopback address only, and its password is in no file and in nothing printed."""
    password = postgresql.superuser.password

    assert postgresql.execute("SHOW listen_addresses") == [("127.0.0.1",)]
    assert all(password not in shown for shown in (repr(postgresql), postgresql.log, str(postgresql.superuser_uri())))
    for path in [*postgresql.folder.iterdir(), *(postgresql.folder / "data").glob("*.conf")]:
        assert not path.is_file() or password not in path.read_text(), path


def test_the_data_outlives_a_restart_and_a_crash(place: Path, postgresql: Cluster, ask: Ask) -> None:
    """On the same port, so that clients find it again; a stopped one is not there."""
    with Cluster.create(place, postgresql.binaries) as cluster:
        url = cluster.superuser_uri()
        cluster.execute("CREATE TABLE kept AS SELECT 1 AS one")
        cluster.restart()
        cluster.restart("immediate")

        assert ask(url, "SELECT one FROM kept") == [(1,)]
        assert "database system was not properly shut down" in cluster.log
    assert not cluster.running
    with pytest.raises(psycopg.OperationalError, match="refused"):
        ask(url, "SELECT 1")


def test_settings_change_while_the_server_runs(place: Path, postgresql: Cluster) -> None:
    """Those that need a restart are named, and are in force after it; quotes and backslashes are kept."""
    with Cluster.create(place, postgresql.binaries, settings={"work_mem": "5MB"}) as cluster:
        assert cluster.execute("SHOW work_mem") == [("5MB",)]

        assert cluster.reconfigure({"work_mem": "8MB", "app.motto": r"it's C:\new"}) == []
        assert cluster.execute("SHOW work_mem") == [("8MB",)]
        assert cluster.execute("SHOW app.motto") == [(r"it's C:\new",)]

        assert cluster.reconfigure({"max_connections": "17"}) == ["max_connections"]
        cluster.restart()
        assert cluster.execute("SHOW max_connections") == [("17",)]


@pytest.mark.parametrize("wrong", [{"work_men": "8MB"}, {"work_mem": "lots"}, {"max_connections": "many"}])
def test_a_setting_that_postgresql_refuses_changes_nothing(postgresql: Cluster, wrong: dict[str, str]) -> None:
    """Not even the others that came with it; the message has PostgreSQL's own words."""
    before = postgresql.execute("SHOW work_mem")
    with pytest.raises(SettingsError, match=f'parameter "{next(iter(wrong))}"'):
        postgresql.reconfigure({"maintenance_work_mem": "9MB", **wrong})

    assert postgresql.execute("SHOW work_mem") == before
    assert postgresql.execute("SHOW maintenance_work_mem") != [("9MB",)]
    assert postgresql.settings == {}


@VERSIONS
def test_a_standby_follows_and_is_read_only(place: Path, postgresql: Cluster) -> None:
    """It has what the primary wrote after the copy was made."""
    with Cluster.create(place, postgresql.binaries) as primary, primary.standby(place.with_suffix(".s")) as standby:
        primary.execute("CREATE TABLE followed AS SELECT 1 AS one")
        ((position,),) = primary.execute("SELECT pg_current_wal_lsn()")
        deadline = time.monotonic() + 20
        while standby.execute(f"SELECT pg_last_wal_replay_lsn() < '{position}'") == [(True,)]:
            assert time.monotonic() < deadline

        assert standby.port != primary.port
        assert standby.execute("SELECT one FROM followed") == [(1,)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.execute("DELETE FROM followed")


def test_a_port_that_somebody_takes_first_is_given_up(place: Path, postgresql: Cluster) -> None:
    """The server starts on another one."""
    with socket.create_server((configuration.HOST, 0)) as taken:
        cluster = Cluster.create(place, postgresql.binaries)
        cluster.port = taken.getsockname()[1]
        with cluster:
            assert cluster.port != taken.getsockname()[1]
            assert cluster.execute("SHOW port") == [(str(cluster.port),)]


def test_a_server_that_cannot_start_says_why(place: Path, postgresql: Cluster) -> None:
    """With the end of its log."""
    cluster = Cluster.create(place, postgresql.binaries, settings={"shared_buffers": "none"})
    with pytest.raises(ServerError, match=r'it ended(.|\n)*invalid value for parameter "shared_buffers"'):
        cluster.start()

    assert not cluster.running


def test_a_server_starts_once(postgresql: Cluster) -> None:
    """A second start is refused and leaves it alone."""
    with pytest.raises(ServerError, match="stop it first"):
        postgresql.start()

    assert postgresql.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("name", "words"), [("x" * 90, "at most 88 bytes"), ("", "File exists"), ("missing/folder", "can be made")]
)
def test_a_folder_that_can_hold_no_server_is_refused(place: Path, name: str, words: str) -> None:
    """Before anything is made."""
    place.mkdir()
    place.chmod(0o755)
    with pytest.raises(FolderError, match=words):
        Cluster.create(place / name, binaries(15, print))

    assert list(place.iterdir()) == []
