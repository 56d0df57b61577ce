"""What a killed run left is released, and what a living one holds is respected."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra import locks
from infra.errors import StateError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of its own."""
    return tmp_path


def lock(root: Path, pid: int, hostname: str | None = None) -> Path:
    """A lock as the engine's file backend writes it."""
    path = root / ".state/.pulumi/locks/organization/session-database/dev/1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pid": pid, "hostname": hostname or os.uname().nodename, "username": "x"}))
    return path


def release(root: Path) -> list[str]:
    """Release what is dead, and return what was said."""
    said: list[str] = []
    locks.heal(f"file://{root}/.state", "session-database", "dev", said.append)
    return said


def test_a_dead_processs_lock_is_released(root: Path) -> None:
    """And it says so."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    path = lock(root, child.pid)

    assert release(root) == [f"an earlier run was killed (process {child.pid}): releasing its lock"]
    assert not path.exists()


def test_a_living_processs_lock_is_respected(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience."""
    monkeypatch.setattr(locks, "_PATIENCE_SECONDS", 0.05)
    path = lock(root, os.getpid())

    with pytest.raises(StateError, match=f"deployed by process {os.getpid()}"):
        release(root)
    assert path.exists()


def test_a_reused_process_id_does_not_keep_a_lock(root: Path) -> None:
    """A process that started after the lock was taken did not take it."""
    path = lock(root, os.getpid())
    long_ago = psutil.Process().create_time() - 3600
    os.utime(path, (long_ago, long_ago))

    release(root)

    assert not path.exists()


def test_an_attribute_file_that_was_cut_off_is_removed(root: Path) -> None:
    """The engine cannot read the state beside an empty one; one with content stays."""
    state_file = root / ".state/.pulumi/stacks/session-database/dev.json"
    state_file.parent.mkdir(parents=True)
    state_file.write_text("{}")
    state_file.with_name("dev.json.attrs").touch()
    state_file.with_name("dev.json.bak.attrs").write_text("{}")

    release(root)

    assert sorted(path.name for path in state_file.parent.iterdir()) == ["dev.json", "dev.json.bak.attrs"]


def test_a_lock_of_another_machine_is_left_alone(root: Path) -> None:
    """Whether its process lives cannot be seen from here."""
    path = lock(root, 1, hostname="another-machine")

    assert release(root) == []
    assert path.exists()


def test_a_remote_backends_locks_are_its_own() -> None:
    """Nothing is looked for on disk."""
    locks.heal("s3://team-state", "session-database", "dev", pytest.fail)
