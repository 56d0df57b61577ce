"""Servers as plugins ask for them: everything blocks until it is done, and is refused in the cloud's words."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.errors import CloudRefusalError, ControlPlaneError

Ask = Callable[[str, str], list[Any]]
OWNED = {"owner": "adk_owner", "password": "change-me", "database": "adk"}


@pytest.fixture
def make(plane: ControlPlaneClient) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes servers, and takes them away at the end where the test has not."""
    made: dict[tuple[str, str], None] = {}

    def create(cloud: str, name: str, **more: Any) -> dict[str, Any]:
        made[cloud, name] = None
        return plane.call("servers.create", cloud=cloud, name=name, **{**OWNED, **more})

    yield create
    there = {(each["cloud"], each["name"]) for each in plane.call("servers.list")["servers"]}
    for cloud, name in reversed(made):
        if (cloud, name) in there:
            plane.call("servers.delete", cloud=cloud, name=name)


def test_a_server_stands_on_what_it_needs(plane: ControlPlaneClient, make: Any) -> None:
    """It is not made without, and what it needs stays as long as it does; a restored one needs the same."""
    need = {"id": "group-1", "in_use": "Cannot delete the subnet group because {by} is using it"}
    with pytest.raises(CloudRefusalError, match="group-1 does not exist"):
        make("aws", "stands-1", needs=[need])
    plane.call("things.put", cloud="aws", type="group", id="group-1")
    make("aws", "stands-1", needs=[need])
    make("aws", "stands-2", kind="restore", source="stands-1")
    plane.call("servers.delete", cloud="aws", name="stands-1")

    with pytest.raises(CloudRefusalError, match="because server/stands-2 is using it"):
        plane.call("things.remove", cloud="aws", id="group-1")
    plane.call("servers.modify", cloud="aws", name="stands-2", needs=[])
    plane.call("things.remove", cloud="aws", id="group-1")


def test_the_name_of_a_deleted_server_is_free_but_on_cloud_sql(plane: ControlPlaneClient, make: Any) -> None:
    """There it stays reserved for a week."""
    for cloud in ("aws", "gcp"):
        make(cloud, "again")
        with pytest.raises(CloudRefusalError, match="already exists"):
            make(cloud, "again")
        plane.call("servers.delete", cloud=cloud, name="again")

    make("aws", "again")
    with pytest.raises(CloudRefusalError, match="until one week"):
        make("gcp", "again")


def test_a_server_that_cannot_be_made_leaves_nothing(plane: ControlPlaneClient, make: Any) -> None:
    """Its name is free, what it needed is not needed any more."""
    plane.call("things.put", cloud="aws", type="group", id="group-2")
    with pytest.raises(CloudRefusalError, match="max_connections"):
        make("aws", "wrong", needs=["group-2"], parameters={"max_connections": "many"})

    plane.call("things.remove", cloud="aws", id="group-2")
    assert make("aws", "wrong")["status"] == "available"


def test_a_replica_reads_and_is_promoted_one_day(plane: ControlPlaneClient, make: Any, ask_at: Ask) -> None:
    """Its primary is not deleted before."""
    primary = make("aws", "first")
    ask_at(primary["host"], "CREATE TABLE kept ()")
    replica = make("aws", "second", kind="replica", source="first")

    with pytest.raises(CloudRefusalError, match="has read replicas"):
        plane.call("servers.delete", cloud="aws", name="first")
    with pytest.raises(Exception, match="read-only"):
        ask_at(replica["host"], "CREATE TABLE own ()")
    promoted = plane.call("servers.modify", cloud="aws", name="second", promote=True)
    plane.call("servers.delete", cloud="aws", name="first")

    assert (promoted["kind"], promoted["source"]) == ("primary", None)
    ask_at(replica["host"], "CREATE TABLE own ()")
    assert ask_at(replica["host"], "SELECT to_regclass('kept')::text") == [("kept",)]


def test_parameters_wait_for_a_restart_where_postgresql_says_so(plane: ControlPlaneClient, make: Any) -> None:
    """Which of them do is told until it has happened."""
    make("aws", "tuned")
    wanted = {"max_connections": "44", "work_mem": "8MB"}

    changed = plane.call("servers.modify", cloud="aws", name="tuned", parameters=wanted)
    again = plane.call("servers.modify", cloud="aws", name="tuned", parameters=wanted, restart=True)

    assert changed["pending_restart"] == ["max_connections"]
    assert again["pending_restart"] == []


def test_a_disk_grows_by_itself_and_never_shrinks(plane: ControlPlaneClient, make: Any) -> None:
    """A program that still says the old size changes nothing."""
    make("aws", "grows", storage_gib=0.001, autogrow_gib=1)
    grown = plane.call("servers.describe", cloud="aws", name="grows")["storage_gib"]

    kept = plane.call("servers.modify", cloud="aws", name="grows", storage_gib=0.001)["storage_gib"]

    assert grown > 0.001
    assert kept == grown


def test_users_and_databases_are_as_the_server_has_them(plane: ControlPlaneClient, make: Any, ask_at: Ask) -> None:
    """Those that a client made too, and those that came with a restore; the cloud's own are not told."""
    made = make("gcp", "full")
    plane.call("users.create", cloud="gcp", server="full", name="ada", password="change-me")
    plane.call("databases.create", cloud="gcp", server="full", name="other")
    ask_at(made["host"], "CREATE ROLE bob LOGIN")
    restored = make("gcp", "full-2", kind="restore", source="full")

    assert restored["users"] == ["ada", "adk_owner", "bob"]
    assert restored["databases"] == ["adk", "other"]
    plane.call("users.create", cloud="gcp", server="full-2", name="ada", password="another-one")
    with pytest.raises(CloudRefusalError, match="databaseAlreadyExists"):
        plane.call("databases.create", cloud="gcp", server="full-2", name="other")
    plane.call("users.delete", cloud="gcp", server="full-2", name="ada")
    plane.call("databases.delete", cloud="gcp", server="full-2", name="other")
    after = plane.call("servers.describe", cloud="gcp", name="full-2")
    assert (after["users"], after["databases"]) == (["adk_owner", "bob"], ["adk"])


def test_azure_takes_a_database_that_is_there_for_the_one_it_makes(plane: ControlPlaneClient, make: Any) -> None:
    """Its calls are create-or-update."""
    make("azure", "adopts")

    plane.call("databases.create", cloud="azure", server="adopts", name="adk")

    assert plane.call("servers.describe", cloud="azure", name="adopts")["databases"] == ["adk"]


def test_a_server_that_is_restored_after_its_deletion_has_all_that_it_had(
    plane: ControlPlaneClient, make: Any, ask_at: Ask
) -> None:
    """Where its archive was kept, by its resource id too."""
    made = make("aws", "gone")
    ask_at(made["host"], "CREATE TABLE last_words ()")
    plane.call("servers.delete", cloud="aws", name="gone", keep_archive=True, final_backup="gone-last")

    back = make("aws", "back", kind="restore", source=made["resource_id"])

    assert ask_at(back["host"], "SELECT to_regclass('last_words')::text") == [("last_words",)]
    assert "gone" in [each["name"] for each in plane.call("servers.list", cloud="aws")["retained"]]
    assert [each["kind"] for each in plane.call("backups.list", cloud="aws", server="gone")["backups"]] == ["final"]
    with pytest.raises(CloudRefusalError, match="DBSnapshotAlreadyExists"):
        plane.call("servers.delete", cloud="aws", name="back", final_backup="gone-last")


def test_half_a_server_is_none(folder: Path, make: Any) -> None:
    """One that was being made when the control plane was killed was never made, and can be made again."""
    plane = client.connect(folder)
    asked = threading.Thread(target=_ask_in_vain, args=(make,))
    asked.start()
    while "half" not in [each["name"] for each in plane.call("servers.list")["servers"]]:
        pass
    os.kill(plane.pid, signal.SIGKILL)
    asked.join()

    again = client.connect(folder)

    assert "half" not in [each["name"] for each in again.call("servers.list")["servers"]]
    assert again.call("servers.create", cloud="gcp", name="half", **OWNED)["status"] == "available"


def _ask_in_vain(make: Any) -> None:
    with pytest.raises(ControlPlaneError):
        make("gcp", "half")


@pytest.mark.parametrize("standby", [False, True], ids=["alone", "with a standby"])
def test_a_server_that_crashes_is_brought_back(
    plane: ControlPlaneClient,
    make: Any,
    ask_at: Ask,
    folder: Path,
    standby: bool,  # noqa: FBT001
) -> None:
    """As a cloud does: the standby takes over, else it starts again; meanwhile nobody calls it available."""
    made = make("aws", f"crashes-{standby}".lower(), standby=standby)
    ask_at(made["host"], "CREATE TABLE kept ()")
    node = folder / f"s{made['number']}" / "a"
    postmaster = psutil.Process(int((node / "data" / "postmaster.pid").read_text().split()[0]))
    guard = postmaster.parent()
    assert guard is not None
    postmaster.kill()
    psutil.wait_procs([guard], timeout=5)
    while (found := plane.call("servers.describe", cloud="aws", name=made["name"]))["status"] != "available":
        assert found["status"] in {"failing-over", "restarting"}

    assert (found["zone"] != made["zone"]) == standby, "the standby takes over where there is one, and only there"
    assert ask_at(made["host"], "SELECT to_regclass('kept')::text") == [("kept",)]
