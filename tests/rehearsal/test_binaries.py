"""Where PostgreSQL's programs come from, and what is said where they cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rehearsal.account import Account
from rehearsal.binaries import PROGRAMS, binaries, encrypting, main, version
from rehearsal.data import prepare
from rehearsal.errors import BinariesError, FolderError
from rehearsal.ground import ground as fresh_ground

ROOT = Path(__file__).resolve().parents[2]

INSTALL = """
import sys
from pathlib import Path
from rehearsal import binaries
binaries._TOOLS = Path(sys.argv[1])
print(binaries._wheel(16, lambda line: print(line, file=sys.stderr)))
"""


@pytest.mark.parametrize("major", [15, 16, 18])
def test_every_served_version_can_be_had(major: int) -> None:
    """With all programs, of that version."""
    folder = binaries(major, print)
    answer = subprocess.check_output([folder / "postgres", "--version"], text=True)

    assert f"(PostgreSQL) {major}." in answer
    assert all((folder / program).exists() for program in PROGRAMS)


@pytest.mark.parametrize("major", [15, 17])
def test_programs_that_speak_tls_are_found_whichever_version_is_asked_for(major: int) -> None:
    """The same, or the machine's newest in its place, which says what it is; never the wheels, which do not."""
    folder = encrypting(major, print)
    found = version(folder)
    linked = subprocess.check_output([folder / "postgres", "--version"], text=True)

    assert found in linked
    assert int(found.split(".")[0]) >= 15
    assert not folder.is_relative_to(ROOT / ".tools")


def test_no_programs_are_said_in_one_line(tmp_path: Path) -> None:
    """With where they were looked for."""
    with pytest.raises(BinariesError, match=f"in {tmp_path}"):
        version(tmp_path)


def installer(tools: Path) -> subprocess.Popen[str]:
    """A process that installs the wheel of version 16."""
    path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".tools" / "uv" / "bin")])
    command = [sys.executable, "-c", INSTALL, str(tools)]
    return subprocess.Popen(
        command, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_that_install_at_once_get_one_whole_install() -> None:
    """The second waits; nothing half is ever there, and an install by an older lock file is replaced."""
    with fresh_ground() as tools:
        first, second = installer(tools), installer(tools)
        answers = [process.communicate(timeout=300) for process in (first, second)]
        folder = Path(answers[0][0].strip())

        assert [process.returncode for process in (first, second)] == [0, 0], answers
        assert answers[0][0] == answers[1][0]
        assert folder.is_relative_to(tools)
        assert sum("fetching PostgreSQL 16 from PyPI" in said for _, said in answers) == 1
        assert {path.name for path in (tools / "postgresql").iterdir()} == {"16", "16.lock"}

        (tools / "postgresql" / "16" / "postgresql-16.txt").write_text("an older one")
        (folder / "initdb").unlink()
        assert installer(tools).communicate(timeout=300)[0].strip() == str(folder)
        assert (folder / "initdb").exists()


def test_a_version_that_cannot_be_had_says_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BinariesError) as caught:
        binaries(99, print)

    for words in (
        "expected the programs of PostgreSQL 99 (initdb, postgres, pg_ctl, pg_basebackup)",
        "the machine's own: no PostgreSQL 99",
        "requirements/ pins no wheel of PostgreSQL 99",
        "no apt-get on this machine",
        "apt-get install postgresql-99",
        "brew install postgresql@99",
    ):
        assert words in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages without being asked")
def test_a_package_is_tried_with_a_fresh_list_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image has none; the last words of apt-get are in the message."""
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\nshift 4\necho "$@" >> "$0.log"\necho "E: Unable to locate package" >&2\nexit 100\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    with pytest.raises(BinariesError, match="Debian's package: E: Unable to locate package"):
        binaries(99, print)

    install = "install --no-install-recommends postgresql-99"
    assert (tmp_path / "apt-get.log").read_text().splitlines() == [install, "update", install]


def test_the_command_line_ends_with_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And 1; nothing goes to standard output."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(main, ["99"])

    assert done.exit_code == 1
    assert done.stderr.startswith("error: expected the programs of PostgreSQL 99")
    assert done.stdout == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_root_is_told_of_a_folder_that_others_cannot_enter() -> None:
    """Since the server drops to an account of its own."""
    with fresh_ground() as folder:
        (folder / "closed").mkdir(mode=0o700)
        with pytest.raises(FolderError, match=f"chmod o\\+x {folder}/closed"):
            prepare(folder / "closed" / "15", binaries(15, print), Account.unprivileged())
