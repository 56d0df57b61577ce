"""What several rooms of the tests share: a clone of this tree, and the tools the project brings for itself."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import pulumi_cli

ROOT = Path(__file__).resolve().parents[1]

Clone = Callable[[], Path]


@pytest.fixture(scope="session")
def pulumi() -> str:
    """The path of the real CLI; installs or builds it once, as `make up` does."""
    return str(Path(shutil.which(pulumi_cli.ensure(print).command) or "").resolve())


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Makes clones of the tree as it stands, uncommitted work included, without environment, tools or state."""

    def make() -> Path:
        target = tmp_path_factory.mktemp("clone")
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
        return target

    return make


@pytest.fixture(scope="session")
def environ(pulumi: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A newcomer's environment: no login, no passphrase, no database of their own; the CLI on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "SESSION_DB"))}
    path = os.pathsep.join([str(Path(pulumi).parent), str(Path(sys.executable).parent), kept["PATH"]])
    return kept | {"PATH": path, "PULUMI_HOME": str(tmp_path_factory.mktemp("pulumi-home"))}
