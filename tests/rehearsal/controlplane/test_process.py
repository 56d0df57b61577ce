"""The process: started by whoever needs it, found by all others, ended in order, and back after a kill."""

import contextlib
import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from rehearsal.claim import claim
from rehearsal.controlplane import client, meeting
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.errors import CloudRefusalError, ControlPlaneError

Processes = Callable[[Path], list[int]]
SERVER = {"cloud": "aws", "name": "life-1", "owner": "adk_owner", "password": "change-me", "database": "adk"}


def test_many_who_need_it_at_once_find_the_same_one(folder: Path) -> None:
    """Only one of them starts it."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(client.connect, [folder] * 4))

    assert len({each.pid for each in found}) == 1


def test_only_its_owner_learns_where_it_is(folder: Path, plane: ControlPlaneClient) -> None:
    """The token stands in no command line, and in no file that others can read."""
    token = plane.url.rpartition("/")[2]

    assert stat.S_IMODE((folder / meeting.FILE).stat().st_mode) == 0o600
    assert token not in " ".join(psutil.Process(plane.pid).cmdline())
    assert token not in repr(plane)


def test_it_listens_on_the_loopback_alone(plane: ControlPlaneClient) -> None:
    """Nothing of a rehearsal is open to the network."""
    listening = [each.laddr.ip for each in psutil.Process(plane.pid).net_connections() if each.status == "LISTEN"]

    assert set(listening) == {"127.0.0.1"}


def test_without_the_token_nothing_is_answered(plane: ControlPlaneClient) -> None:
    """Every path is below it."""
    stranger = ControlPlaneClient(f"{plane.url.rpartition('/')[0]}/guessed", plane.pid)

    with pytest.raises(CloudRefusalError) as refused:
        stranger.call("authority")

    assert refused.value.status == 404


def test_what_it_does_not_know_is_refused_in_a_sentence(plane: ControlPlaneClient) -> None:
    """A verb, an argument, a cloud."""
    for verb, asked in (
        ("servers.paint", {}),
        ("servers.describe", {"cloud": "aws"}),
        ("servers.create", {**SERVER, "colour": "red"}),
        ("servers.create", {**SERVER, "cloud": "ovh"}),
    ):
        with pytest.raises(CloudRefusalError, match="expected"):
            plane.call(verb, **asked)


def test_a_control_plane_that_is_killed_takes_its_servers_along_and_brings_them_back(
    folder: Path, plane: ControlPlaneClient, processes: Processes
) -> None:
    """At the same address, with what they had."""
    made = plane.call("servers.create", **SERVER)
    plane.call("users.create", cloud="aws", server="life-1", name="ada", password="change-me")

    os.kill(plane.pid, signal.SIGKILL)
    psutil.wait_procs(list(_guards(folder, processes)), timeout=30)
    back = client.connect(folder)
    found = back.call("servers.describe", cloud="aws", name="life-1")

    assert back.pid != plane.pid
    assert back.url == plane.url, "records name the control plane's address"
    assert (found["host"], found["port"], found["status"]) == (made["host"], made["port"], "available")
    assert found["users"] == ["ada", "adk_owner"]
    back.call("servers.delete", cloud="aws", name="life-1")


def _guards(folder: Path, processes: Processes) -> Iterator[psutil.Process]:
    for pid in processes(folder):
        with contextlib.suppress(psutil.NoSuchProcess):  # It has ended meanwhile.
            yield psutil.Process(pid)


def test_a_clean_stop_ends_every_server(folder: Path, processes: Processes) -> None:
    """And can be repeated; nothing is left that works in the folder."""
    plane = client.connect(folder)
    plane.call("servers.create", **{**SERVER, "name": "stop-1"})
    assert processes(folder), "the server works in the folder"

    client.stop(folder)
    client.stop(folder)

    assert not processes(folder)
    assert client.running(folder) is None
    again = client.connect(folder)
    assert again.call("servers.describe", cloud="aws", name="stop-1")["status"] == "available"
    again.call("servers.delete", cloud="aws", name="stop-1")


def test_one_that_answers_nobody_is_ended_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever removes its folder afterwards must not do so under a living one."""
    client.connect(folder)

    def unanswered(*_: object) -> dict[str, object]:
        message = "it does not answer"
        raise ControlPlaneError(message)

    monkeypatch.setattr(ControlPlaneClient, "_post", unanswered)
    client.stop(folder)

    assert not meeting.is_alive(folder)


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The end of its log is in the message."""
    claim(tmp_path)
    (tmp_path / "ledger.db").write_text("This is no database, and long enough to be taken for one that is broken." * 9)

    with pytest.raises(ControlPlaneError, match="file is not a database"):
        client.connect(tmp_path)


def test_clients_find_every_server_by_its_host_name(folder: Path) -> None:
    """The file names the control plane, the authority, and each server that has a port."""
    plane = client.connect(folder)
    made = plane.call("servers.create", **{**SERVER, "cloud": "gcp", "name": "reach-1"})

    reach = json.loads((folder / "reach.json").read_text())

    assert reach["control_plane"] == plane.url
    assert Path(reach["ca"]).read_text() == plane.call("authority")["ca"]
    where = {"hostaddr": "127.0.0.1", "port": made["port"]}
    assert reach["hosts"] == {made["host"]: where, made["addresses"][0]: where}

    plane.call("servers.delete", cloud="gcp", name="reach-1")
    assert json.loads((folder / "reach.json").read_text())["hosts"] == {}
