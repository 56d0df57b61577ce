"""A clone with a stack of its own, driven as a user drives it: by its command line, on the real engine."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Project:
    """A clone and the environment of whoever works in it."""

    root: Path
    environ: dict[str, str]

    @property
    def database(self) -> Path:
        """Where the dev stack keeps its file."""
        return self.root / "data" / "sessions" / "sessions.db"

    def command(self, verb: str, *args: str) -> list[str]:
        """The driver's command line."""
        return [sys.executable, "-m", "infra", verb, *args]

    def run(self, verb: str, *args: str) -> Finished:
        """Run the driver to its end."""
        return self.shell(*self.command(verb, *args))

    def shell(self, *command: str) -> Finished:
        """Run any command in the clone."""
        return subprocess.run(command, cwd=self.root, env=self.environ, check=False, capture_output=True, text=True)

    def json(self, verb: str, *args: str) -> dict[str, Any]:
        """Run the driver with --json; it must succeed."""
        done = self.run(verb, "--json", *args)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def configure(self, **section: str) -> None:
        """Write the `sqlite` section of the dev stack."""
        config = {"session-database:backend": "sqlite", "session-database:sqlite": section}
        (self.root / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))


@pytest.fixture(scope="session")
def project_of(environ: dict[str, str]) -> Callable[[Path], Project]:
    """Gives the project in a clone."""
    return lambda root: Project(root, environ)


@pytest.fixture
def project(clone: Callable[[], Path], environ: dict[str, str]) -> Project:
    """A fresh clone; nothing is provisioned yet."""
    return Project(clone(), environ)


@pytest.fixture(scope="module")
def shared(clone: Callable[[], Path], environ: dict[str, str]) -> Project:
    """A clone with the dev stack up, for tests that leave it as it was."""
    project = Project(clone(), environ)
    project.json("up")
    return project
