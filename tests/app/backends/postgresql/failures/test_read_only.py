"""Servers that take no writes, or nobody yet."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from app import dsn, verbs
from app.backends.interface import Target
from app.errors import NotReadyError, ReadOnlyDatabaseError
from rehearsal import configuration
from rehearsal.account import Account
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed
from rehearsal.server import Server


@pytest.fixture(params=[15, 18])
def primary(request: pytest.FixtureRequest, place: Any) -> Iterator[Cluster]:
    """A server that others can follow."""
    with Cluster.create(place(), binaries(request.param, print)) as cluster:
        yield cluster


@contextmanager
def half_started(cluster: Cluster) -> Iterator[None]:
    """Runs a server that is stopped, without waiting until it answers."""
    server = Server(
        cluster.binaries / "postgres", cluster.folder / "data", cluster.folder / "server.log", Account.unprivileged()
    )
    server.start()
    try:
        yield
    finally:
        server.stop("immediate")


def test_a_standby_is_told(primary: Cluster, place: Any, refused: Any) -> None:
    """Alone, asked for writes, and as the only two hosts of a URI; the bootstrapped schema on it is whole."""
    made = managed(primary, "sessions")
    verbs.bootstrap(Target.of(made.admin))
    with primary.standby(place()) as standby:
        alone = made.admin.set(port=standby.port)
        place_ = f"127.0.0.1:{standby.port}"
        pair = dsn.parse(f"postgresql://{made.admin.username}:{made.admin.password}@{place_},{place_}/sessions")

        refused(Target.of(alone), ReadOnlyDatabaseError, "standby", "ame the primary")
        for url in (alone.update_query_dict({"target_session_attrs": "read-write"}), pair):
            refused(Target.of(url), ReadOnlyDatabaseError, "standby", "name the primary", command=False)


def test_a_standby_that_lets_nobody_read_is_told(primary: Cluster, place: Any, refused: Any, until: Any) -> None:
    """With `hot_standby` off."""
    made = managed(primary, "sessions")
    standby = primary.standby(place())
    settings = configuration.settings(standby.address, {"hot_standby": "off"})
    file = standby.folder / "data" / configuration.FILE
    Account.unprivileged().write(file, configuration.render(settings))
    with half_started(standby):
        until(lambda: "entering standby mode" in standby.log)
        target = Target.of(made.admin.set(port=standby.port))
        refused(target, ReadOnlyDatabaseError, "name the primary", command=False)


def test_a_database_set_read_only_is_told(server_database: ManagedDatabase, refused: Any, unchanged: Any) -> None:
    """`default_transaction_read_only`, as some clouds set it when storage runs out; a whole schema needs no write."""
    target, cluster = Target.of(server_database.admin), server_database.cluster
    setting = SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    cluster.execute(setting.format(Identifier(server_database.name), SQL("on")))
    with unchanged():
        refused(target, ReadOnlyDatabaseError, "takes no writes", verbs=("bootstrap",))

    cluster.execute(setting.format(Identifier(server_database.name), SQL("off")))
    verbs.bootstrap(target)
    cluster.execute(setting.format(Identifier(server_database.name), SQL("on")))
    with unchanged():
        assert verbs.bootstrap(target).steps == ()
        refused(target, ReadOnlyDatabaseError, "takes no writes", verbs=("verify",))


def test_a_server_that_starts_up_is_told(primary: Cluster, refused: Any, until: Any) -> None:
    """Here it restores from an archive that does not answer."""
    target = Target.of(managed(primary, "sessions").admin)
    primary.stop()
    (primary.folder / "data" / "recovery.signal").touch()
    with (primary.folder / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'sleep 600'\n")

    with half_started(primary):
        until(lambda: primary.log.count("listening on Unix socket") == 2)
        refused(target, NotReadyError, "starting up", "Try again", command=False)


def test_a_server_that_shuts_down_is_told(primary: Cluster, refused: Any, session: Any, until: Any) -> None:
    """It waits for the last session of its clients, and takes no new one."""
    target = Target.of(managed(primary, "sessions").admin)
    process = int((primary.folder / "data" / "postmaster.pid").read_text().split()[0])
    with session(target.owner):
        os.kill(process, signal.SIGTERM)
        until(lambda: "received smart shutdown request" in primary.log)
        refused(target, NotReadyError, "shutting down", "Try again", command=False)
    until(lambda: not primary.running)
