"""What the provider tells the engine before anything changes."""

import os
from pathlib import Path

import pytest

from infra.backends.sqlite import files
from infra.backends.sqlite.provider import SqliteFileProvider


@pytest.fixture
def props(tmp_path: Path) -> dict[str, str]:
    """The inputs of a file that exists."""
    path = tmp_path / "sessions" / "sessions.db"
    files.secure(path)
    return {"path": str(path), "backups": str(tmp_path / "backups"), "agents": str(tmp_path / "agents")}


def test_a_strangers_file_is_refused_at_first_and_mended_later(
    props: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack owns what it has made, and only that."""
    provider, owner = SqliteFileProvider(), os.geteuid()
    real = files.refusal

    def as_another_user(path: Path, agents: Path, *, managed: bool) -> str | None:
        return "belongs to somebody else" if not managed else real(path, agents, managed=managed)

    monkeypatch.setattr(files, "refusal", as_another_user)

    assert [failure.property for failure in provider.check({}, props).failures] == ["path"]
    assert [failure.property for failure in provider.check(props | {"path": "/other"}, props).failures] == ["path"]
    assert provider.check(props, props).failures == []
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert provider.diff("id", props, props).changes is True


def test_a_file_as_wanted_is_no_change(props: dict[str, str]) -> None:
    """Neither is looking at it."""
    provider = SqliteFileProvider()

    assert provider.diff("id", props, props).changes is False
    assert provider.read("id", props).id == "id"


def test_a_file_that_is_gone_loses_its_id(props: dict[str, str]) -> None:
    """Which is how the engine learns that a resource is gone."""
    Path(props["path"]).unlink()

    assert SqliteFileProvider().read("id", props).id == ""
