"""The CLI comes from PATH, from the tools folder, from its site or from its module, and a half one is never used."""

import subprocess
from pathlib import Path

import pytest
from semver import VersionInfo

from infra import go_toolchain, pulumi_cli
from infra.errors import ToolError


def fake(root: Path, version: str) -> Path:
    """An executable that says it is this version of the CLI."""
    path = root / "bin" / "pulumi"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tools folder, a PATH without pulumi, uv and Go, and a site that cannot be reached."""
    folder = tmp_path / ".tools"
    monkeypatch.setattr(pulumi_cli, "ROOT", tmp_path)
    monkeypatch.setattr(pulumi_cli, "TOOLS", folder)
    monkeypatch.setattr(go_toolchain, "TOOLS", folder)
    monkeypatch.setattr(pulumi_cli, "_INSTALLED", folder / "pulumi")
    monkeypatch.setattr(pulumi_cli, "_SITE", "http://127.0.0.1:9/install.sh")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder


def test_one_on_path_comes_first(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed beside it."""
    mine = fake(tmp_path / "mine", "3.999.0")
    monkeypatch.setenv("PATH", f"{mine.parent}:/usr/bin:/bin")

    assert pulumi_cli.ensure(pytest.fail).command == str(mine)
    assert not tools.exists()


@pytest.mark.parametrize("version", ["3.1.0", "4.0.0", "nonsense"])
def test_one_on_path_outside_the_range_is_passed_over(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """An older engine does not know our options, a newer major may not know our program."""
    monkeypatch.setenv("PATH", f"{fake(tmp_path / 'mine', version).parent}:/usr/bin:/bin")
    kept = fake(tools / "pulumi", str(pulumi_cli.PINNED))

    assert pulumi_cli.ensure(print).command == str(kept)


def test_one_that_was_kept_is_used_again(tools: Path) -> None:
    """Without asking anybody."""
    kept = fake(tools / "pulumi", str(pulumi_cli.PINNED))

    assert pulumi_cli.ensure(pytest.fail).command == str(kept)


def test_an_install_that_was_killed_is_not_taken_for_one(tools: Path) -> None:
    """Only a finished one gets the name that is looked for."""
    fake(tools / "pulumi.partial", str(pulumi_cli.PINNED))

    with pytest.raises(ToolError):
        pulumi_cli.ensure(print)


def test_a_failure_tells_what_was_tried_and_what_to_do() -> None:
    """In the order in which it was tried."""
    with pytest.raises(ToolError) as caught:
        pulumi_cli.ensure(print)

    message = str(caught.value)
    places = [message.index(words) for words in ("PATH: ", ".tools/pulumi: ", "official installer: ", "Go module: ")]
    assert places == sorted(places)
    assert "https://www.pulumi.com/docs/install/" in message
    assert "put Go on PATH" in message


def test_a_build_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last word of `go build` is the reason."""
    go = tmp_path / "go" / "go"
    go.parent.mkdir()
    go.write_text('#!/bin/sh\n[ "$1" = env ] && echo go1.99.0 && exit\necho no space left on device >&2\nexit 1\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")

    with pytest.raises(ToolError, match=r"go build ended with 1: no space left on device"):
        pulumi_cli.ensure(print)


def test_the_real_cli_is_the_pinned_version_or_newer(pulumi: str) -> None:
    """Whatever way it came."""
    said = subprocess.run([pulumi, "version"], check=True, capture_output=True, text=True).stdout.strip()

    assert VersionInfo.parse(said.removeprefix("v")) >= pulumi_cli.PINNED
