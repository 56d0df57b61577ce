"""Dockerfile.api and what goes into it: linted, pinned, of one version with the project, and nothing but its own."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile.api"


@pytest.fixture(scope="module")
def inspection() -> ModuleType:
    """The script that looks through an image."""
    spec = importlib.util.spec_from_file_location("inspect_image", ROOT / "scripts" / "inspect_image.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def last_stage() -> str:
    """What stands behind the last FROM."""
    return DOCKERFILE.read_text().rpartition("\nFROM ")[2]


def test_its_linter_finds_nothing() -> None:
    """Shell included; without an exception."""
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", DOCKERFILE], check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert "hadolint ignore" not in DOCKERFILE.read_text()


def test_the_base_is_pinned_by_digest_in_one_place() -> None:
    """And both stages are of it, so that what was built runs."""
    text = DOCKERFILE.read_text()

    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2


def test_its_version_is_the_projects() -> None:
    """In the labels, by which registries and inventories of software know it."""
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert version
    assert f"ARG VERSION={version[1]}\n" in last_stage()
    for label in ("title", "version", "revision", "source", "licenses"):
        assert f"org.opencontainers.image.{label}=" in last_stage()


def test_it_runs_as_a_number_that_no_host_maps_to_root() -> None:
    """A number, since Kubernetes cannot tell of a name whether it is root's."""
    (user,) = re.findall(r"^USER (.*)$", last_stage(), re.MULTILINE)

    assert all(int(number) > 10000 for number in user.split(":"))
    assert "ENTRYPOINT" not in last_stage().partition("USER ")[0]


def test_only_hashed_locks_are_installed() -> None:
    """The tool that installs, the packages, and what builds the project."""
    installs = re.findall(r"pip install ((?:.|\\\n)*?)(?=&&|\n(?! ))", DOCKERFILE.read_text())

    assert len(installs) == 3
    assert all("--require-hashes" in each or "--build-constraints requirements/dev.txt" in each for each in installs)


def test_the_context_is_what_the_dockerfile_copies_and_no_more() -> None:
    """Everything is left out but for what is named, so a new secret of tomorrow stays out as well."""
    first, *rest = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    allowed = {line[1:].split("/")[0] for line in rest if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE.read_text(), re.MULTILINE)

    assert first == "*"
    assert allowed == {each.rstrip("/") for line in copied for each in line.split()}
    assert {"**/.env*", "**/__pycache__"} <= set(rest)


@pytest.mark.parametrize("extra", ["rds-iam", "cloudsql-iam", "entra"])
def test_the_lock_of_every_way_to_log_in_may_be_in_the_context(extra: str) -> None:
    """For the build argument EXTRAS."""
    assert f"!requirements/{extra}.txt\n" in (ROOT / ".dockerignore").read_text()


@pytest.mark.parametrize(
    ("name", "mode", "content", "said"),
    [
        ("tool", 0o4755, "", "becomes another user"),
        ("open", 0o666, "", "may be written"),
        ("gcc", 0o755, "", "has no use here"),
        (".env", 0o444, "", "has no use here"),
        ("key.pem", 0o444, "-----BEGIN PRIVATE KEY-----\n" + "A" * 64, "has a secret in it"),
    ],
)
def test_what_must_not_be_in_an_image_is_found(
    inspection: ModuleType, tmp_path: Path, name: str, mode: int, content: str, said: str
) -> None:
    """By the script that `make image` runs inside; each fault alone."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / "app.py").chmod(0o444)
    file = tmp_path / name
    file.write_text(content)
    file.chmod(mode)

    found = [line for line in inspection.findings(str(tmp_path)) if str(file) in line]

    assert any(line == f"{file}: {said}" for line in found)


def test_a_clean_folder_is_clean(inspection: ModuleType, tmp_path: Path) -> None:
    """Looked at as any user but root, for whom every file may be written."""
    (tmp_path / "app.py").write_text("")
    found = [line for line in inspection.findings(str(tmp_path)) if "may be written" not in line]

    assert found == (["containers run as root"] if os.getuid() == 0 else [])
