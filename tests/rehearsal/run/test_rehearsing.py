"""What ends rehearsals removes their own folders, and nobody else's."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from rehearsal.claim import MARKER, claim
from rehearsal.controlplane import client
from rehearsal.errors import FolderError
from rehearsal.run import layout, rehearsing


@pytest.fixture
def thesis(root: Path) -> Path:
    """A file of the user's, in a folder that the clone's list names."""
    (root / "mine").mkdir()
    layout.HOME.mkdir()
    (layout.HOME / "grounds").write_text(f"{root / 'mine'}\n")
    (file := root / "mine" / "thesis.txt").write_text("years of work")
    return file


def test_a_folder_without_our_marker_is_never_removed(thesis: Path) -> None:
    """Whatever the clone's list says."""
    rehearsing.clean()

    assert thesis.read_text() == "years of work"


def test_forgetting_a_cloud_leaves_what_is_not_ours(root: Path, monkeypatch: pytest.MonkeyPatch, thesis: Path) -> None:
    """Its folder may have been somebody's before."""
    monkeypatch.setattr(layout, "ground_of", lambda _: root / "mine")

    rehearsing.forget("gcp")
    with pytest.raises(FolderError, match=r"^expected a new or empty folder"):
        layout.point("gcp")

    assert thesis.exists()


def test_every_folder_that_the_clone_has_used_is_removed(root: Path) -> None:
    """And forgotten."""
    places = [root / "one", root / "two"]
    layout.HOME.mkdir()
    for each in places:
        claim(each)
        (each / "ledger.db").touch()
    (layout.HOME / "grounds").write_text("".join(f"{each}\n" for each in places))

    told: list[str] = []

    assert layout.grounds() == places
    rehearsing.clean(told.append)

    ending = [f"ending what runs in {layout.shown(each)}, and removing it" for each in places]
    assert told == ["ending what rehearsals of gcp, aws, azure have started", *ending]
    assert not any(each.exists() for each in places)
    assert not (layout.HOME / "grounds").exists()


def test_no_control_plane_starts_among_somebodys_files(thesis: Path) -> None:
    """Nothing is written there either."""
    with pytest.raises(FolderError, match="has files in it"):
        client.connect(thesis.parent)

    assert list(thesis.parent.iterdir()) == [thesis]


def test_only_logs_of_a_rehearsal_are_forgotten(root: Path) -> None:
    """A report may go where somebody has logs already."""
    (logs := root / "logs").mkdir()
    for name in ("01-up.log", "api-server.log", "mine.log"):
        (logs / name).touch()

    rehearsing._forget_logs(logs)  # noqa: SLF001  # The whole of it takes minutes.

    assert [each.name for each in logs.iterdir()] == ["mine.log"]


def test_a_folder_is_claimed_more_than_once(root: Path) -> None:
    """By each command that plays there."""
    claim(root / "ground")
    (root / "ground" / "ledger.db").touch()

    claim(root / "ground")

    assert (root / "ground" / MARKER).is_file()


def test_a_folder_that_takes_no_files_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, by whoever needs a control plane there."""

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    claim(root / "ground")
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    with pytest.raises(FolderError, match=r"made and written to, but .*/ground: Read-only file system\. For example: "):
        client.connect(root / "ground")
