"""The user's own backend and passphrase win; without them the clone keeps its own, and heals what a kill left."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from infra import state
from infra.errors import SettingsError, StateError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, with a stack file."""
    monkeypatch.setattr(state, "ROOT", tmp_path)
    monkeypatch.setattr(state, "STATE", tmp_path / ".state")
    (tmp_path / "Pulumi.yaml").write_text("name: session-database\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("# kept\nconfig:\n  session-database:backend: sqlite\n")
    return tmp_path


def test_without_a_login_the_clone_keeps_its_own_state_and_passphrase(root: Path) -> None:
    """The passphrase itself never travels, only the name of its private file."""
    added = state.environment({"PULUMI_HOME": str(root / "nowhere")})

    passphrase = root / ".state" / "passphrase"
    assert added == {
        "PULUMI_BACKEND_URL": f"file://{root}/.state",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
    }
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert stat.S_IMODE(passphrase.parent.stat().st_mode) == 0o700
    assert len(passphrase.read_text()) >= 32


def test_the_passphrase_is_made_once(root: Path) -> None:
    """Another one could not read the state."""
    environ = {"PULUMI_HOME": str(root / "nowhere")}
    state.environment(environ)
    before = (root / ".state" / "passphrase").read_text()

    state.environment(environ)

    assert (root / ".state" / "passphrase").read_text() == before


def test_a_passphrase_that_is_gone_is_not_replaced(root: Path) -> None:
    """A new one could not read the state that is there, and would hide that the old one is missed."""
    (root / ".state" / ".pulumi" / "stacks").mkdir(parents=True)

    with pytest.raises(StateError, match="adopts the database as it is"):
        state.environment({"PULUMI_HOME": str(root / "nowhere")})
    assert not (root / ".state" / "passphrase").exists()


def test_the_users_backend_and_passphrase_win(root: Path) -> None:
    """By environment, by login, by token and by Pulumi.yaml; for a remote one no passphrase is invented."""
    home = root / "home"
    home.mkdir()
    nowhere = {"PULUMI_HOME": str(root / "nowhere")}
    assert state.environment({"PULUMI_BACKEND_URL": "s3://team-state"}) == {}
    assert state.environment(nowhere | {"PULUMI_ACCESS_TOKEN": "change-me"}) == {}
    mine = nowhere | {"PULUMI_CONFIG_PASSPHRASE": "change-me"}
    assert state.environment(mine) == {"PULUMI_BACKEND_URL": f"file://{root}/.state"}
    (home / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert state.environment({"PULUMI_HOME": str(home)}) == {}
    (root / "Pulumi.yaml").write_text("name: x\nbackend: {url: 'gs://team-state'}\n")
    assert state.environment(nowhere) == {}


def test_the_engines_salt_never_reaches_the_tracked_stack_file(root: Path) -> None:
    """It goes into a copy, where it survives a change of the tracked file."""
    tracked = root / "Pulumi.dev.yaml"
    before = tracked.read_text()
    copy = state.config_file("dev")
    copy.write_text(copy.read_text() + "\nencryptionsalt: v1:salt\n")
    assert tracked.read_text() == before

    tracked.write_text(before + "  session-database:sqlite: {path: other.db}\n")

    assert yaml.safe_load(state.config_file("dev").read_text()) == {
        "config": {"session-database:backend": "sqlite", "session-database:sqlite": {"path": "other.db"}},
        "encryptionsalt": "v1:salt",
    }


def test_a_damaged_copy_is_made_anew(root: Path) -> None:
    """It holds nothing but a salt, and the engine makes another."""
    copy = state.config_file("dev")
    copy.write_text("config: [")

    assert state.config_file("dev").read_text() == (root / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize("key", ["encryptionsalt", "secretsprovider", "encryptedkey"])
def test_a_stack_file_with_encryption_of_its_own_is_used_as_it_is(root: Path, key: str) -> None:
    """A team shares its salt or its key."""
    tracked = root / "Pulumi.dev.yaml"
    tracked.write_text(f"{tracked.read_text()}{key}: gcpkms://projects/x\n")

    assert state.config_file("dev") == tracked


@pytest.mark.parametrize(
    ("content", "words"),
    [("config: [", "Pulumi.dev.yaml: line"), ("- a\n", "expected a mapping"), ("text", "expected a mapping")],
)
def test_a_stack_file_that_is_no_mapping_is_refused_by_name(root: Path, content: str, words: str) -> None:
    """In one line, without a traceback."""
    (root / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(SettingsError, match=words):
        state.config_file("dev")


def test_a_missing_stack_file_is_refused_with_those_there_are() -> None:
    """A typo must not create a stack."""
    with pytest.raises(SettingsError, match=r"Pulumi\.devv\.yaml; there are: dev"):
        state.config_file("devv")


def lock(root: Path, pid: int, hostname: str | None = None) -> Path:
    """A lock as the engine's file backend writes it."""
    path = root / ".state/.pulumi/locks/organization/session-database/dev/1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pid": pid, "hostname": hostname or os.uname().nodename, "username": "x"}))
    return path


def release(root: Path) -> list[str]:
    """Release what is dead, and return what was said."""
    said: list[str] = []
    state.heal(f"file://{root}/.state", "session-database", "dev", said.append)
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
    monkeypatch.setattr(state, "_PATIENCE_SECONDS", 0.05)
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
    state.heal("s3://team-state", "session-database", "dev", pytest.fail)
