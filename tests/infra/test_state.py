"""The user's own backend and passphrase win; without them the clone keeps its own."""

import json
import stat
from pathlib import Path

import pytest

from infra import state
from infra.errors import StateError


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


@pytest.mark.parametrize("backend", [None, "s3://team-state"])
def test_a_state_that_was_left_open_is_closed(root: Path, backend: str | None) -> None:
    """Copies of stack files are in it even where the state is elsewhere."""
    (root / ".state").mkdir(mode=0o755)

    state.environment({"PULUMI_HOME": str(root / "nowhere")} | ({"PULUMI_BACKEND_URL": backend} if backend else {}))

    assert stat.S_IMODE((root / ".state").stat().st_mode) == 0o700


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
