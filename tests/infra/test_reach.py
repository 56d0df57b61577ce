"""The URIs of a rehearsal lead to the servers on this machine, and still say the cloud's host name."""

import errno
import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pulumi.automation import OutputValue

from infra import reach
from infra.errors import StateError, ToolError
from rehearsal.run import layout

HOST = "g1.c0.eu-central-1.rds.amazonaws.com"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder of a rehearsal whose control plane is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/token"
    hosts = {HOST: {"hostaddr": "127.0.0.1", "port": 41234}}
    (tmp_path / "reach.json").write_text(json.dumps({"control_plane": url, "ca": "/f/ca.pem", "hosts": hosts}))
    return tmp_path


def known(folder: Path) -> reach.Reach:
    """What the file says."""
    return reach._read(folder)  # noqa: SLF001  # Without waking anything.


def test_a_uri_says_address_port_and_authority_and_keeps_its_host(written: Path) -> None:
    """What the program said of the authority gives way; the rest stays, escapes in a password too."""
    uri = f"postgresql+psycopg://adk_user:a%40b@{HOST}:5432/adk?sslmode=verify-full&sslrootcert=system"

    found = urlsplit(known(written).uri(uri))

    assert (found.username, found.password, found.hostname, found.port) == ("adk_user", "a%40b", HOST, 41234)
    assert parse_qs(found.query) == {
        "sslmode": ["verify-full"],
        "sslrootcert": ["/f/ca.pem"],
        "hostaddr": ["127.0.0.1"],
    }


def test_a_host_that_nobody_plays_stays_as_it_is(written: Path) -> None:
    """For example, of a server that was deleted behind the stack's back."""
    uri = "postgresql+psycopg://u:p@elsewhere:5432/adk?sslmode=verify-full"

    assert known(written).uri(uri) == uri


def test_both_uris_lead_there_and_stay_secret(written: Path) -> None:
    """And nothing else of the record is touched."""
    uri = f"postgresql+psycopg://u:p@{HOST}:5432/adk?sslmode=verify-full"
    outputs = {
        "session_db_uri": OutputValue(uri, secret=True),
        "admin_db_uri": OutputValue(uri, secret=True),
        "host": OutputValue(HOST, secret=False),
    }

    found = known(written).leading(outputs)

    assert all(":41234/" in found[name].value and found[name].secret for name in ("session_db_uri", "admin_db_uri"))
    assert found["host"] == outputs["host"]


def test_where_there_has_never_been_a_server_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preview and stand-ins without servers have none."""
    monkeypatch.setattr(subprocess, "run", pytest.fail)

    assert reach.reach_of(tmp_path) is None
    assert reach.reach_of(None) is None


def test_a_control_plane_that_is_gone_is_started_again(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart of the machine, say."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)

    assert reach.reach_of(written) is not None
    assert asked[0][1:] == ["-m", "rehearsal.controlplane", "--background", str(written)]


def test_one_that_cannot_be_started_is_one_line(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason that it has given."""
    failed = subprocess.CompletedProcess([], 1, "", "no free port\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(ToolError, match=r"expected the control plane of the rehearsal in .* to start: no free port"):
        reach.reach_of(written)


def test_the_folder_is_the_variables_the_clones_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable means stand-ins without servers."""
    assert reach.folder({reach.VARIABLE: ""}, tmp_path) is None
    assert reach.folder({reach.VARIABLE: str(tmp_path / "there")}, tmp_path) == tmp_path / "there"
    assert not (tmp_path / ".rehearsal").exists()

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert reach.folder({}, tmp_path) == tmp_path / ".rehearsal" / "cloud"


@pytest.mark.skipif(os.geteuid() != 0, reason="servers run as somebody else only where root starts them")
def test_a_clone_that_is_closed_to_others_has_its_folder_elsewhere(tmp_path: Path) -> None:
    """`nobody` could not enter it."""
    (closed := tmp_path / "closed").mkdir(mode=0o700)

    assert str(reach.folder({}, closed)).startswith("/var/tmp/session-database-")  # noqa: S108


def test_the_clone_knows_every_folder_it_has_rehearsed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, so that `status` and `clean` find them all."""
    clone, places = tmp_path / "clone", [tmp_path / "there", tmp_path / "elsewhere"]

    for each in [*places, *places]:
        reach.prepare(each, clone)

    assert (clone / ".rehearsal" / "grounds").read_text().splitlines() == [str(each) for each in places]
    monkeypatch.setattr(layout, "HOME", clone / ".rehearsal")
    assert layout.grounds() == places, "both halves agree on the list and on the marker"


def test_a_folder_with_somebodys_files_is_not_used(tmp_path: Path) -> None:
    """`clean` would remove them."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(StateError, match=r"^expected a new or empty folder .* For example: SESSION_DB_REHEARSAL=\S+$"):
        reach.prepare(tmp_path, tmp_path / "clone")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["thesis.txt"], "nothing was made"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A file is in its way."""
    (tmp_path / "file").touch()

    with pytest.raises(
        StateError, match=r"^expected a folder for a rehearsal that can be made and .* For example: .+$"
    ):
        reach.prepare(tmp_path / "file" / "x", tmp_path)


def test_a_folder_that_takes_no_files_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal's of before, on a disk that is read-only by now."""

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    reach.prepare(tmp_path / "ground", tmp_path)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    with pytest.raises(StateError, match=r"made and written to, but .*/ground: Read-only file system\. For example: "):
        reach.prepare(tmp_path / "ground", tmp_path)


def test_somebody_elses_folder_is_not_used(tmp_path: Path) -> None:
    """Under /var/tmp anybody may have made one of that name."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(StateError, match="to be yours"):
        reach.prepare(tmp_path / "link", tmp_path)
