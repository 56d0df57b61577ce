"""`python -m rehearsal run`: the whole life of production, on each cloud, and every promise of its report is held.

Restore as code, the switch, a refused retirement and the retirement, rotation under load, a refused destroy and the
destroy are among the steps; the searches for passwords and for what is left are among the promises.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

STEPS = [
    "preview",
    "up",
    "verify",
    "serve",
    "drill failover",
    "refresh, preview",
    "drill restore",
    "restore as code",
    "switch",
    "retire",
    "up: no change",
    "drill rotate",
    "up again: no change",
    "lift the protection",
    "destroy",
    "look for what is left",
    "look for passwords",
]

PROMISES = [
    "Acknowledged events lost",
    "Gap in a failover, p50 / p100",
    "Restore to a moment",
    "RTO of a restore",
    "RPO of a restore",
    "Failed requests in a rotation",
    "Changes in a second up",
    "Sessions after a restart",
    "Deletions refused",
    "Certificates checked",
    "Secrets in clear",
    "Left over after destroy",
]


def processes_of(root: Path) -> list[str]:
    """The command lines of whatever still works in a clone, or on its servers."""
    elsewhere = root / ".rehearsal" / "cloud" / "folder"
    places = [str(root), *([elsewhere.read_text().strip()] if elsewhere.exists() else [])]
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if process.pid != psutil.Process().pid and any(word.startswith(tuple(places)) for word in words):
            found.append(" ".join(words))
    return found


@pytest.fixture(scope="class")
def rehearsed(
    clone: Callable[[], Path], project_of: Callable[[Path], Any], request: pytest.FixtureRequest
) -> Iterator[tuple[Any, subprocess.CompletedProcess[str]]]:
    """A clone in which the class's cloud was rehearsed, and how the command ended."""
    project = project_of(clone())
    command = [sys.executable, "-m", "rehearsal", "run", request.cls.cloud, "--json", "--seconds", "2"]
    yield project, project.shell(*command)
    project.shell(sys.executable, "-m", "rehearsal", "clean")


@pytest.fixture(scope="class")
def report(rehearsed: tuple[Any, subprocess.CompletedProcess[str]], request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the command printed, which is what it wrote."""
    project, done = rehearsed
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    folder = project.root / ".rehearsal" / "reports" / request.cls.cloud
    assert printed == json.loads((folder / "report.json").read_text())
    assert "Every promise was held" in (folder / "report.html").read_text()
    return printed


class WholeWay:
    """One cloud's: a class each, so that the clouds are rehearsed side by side."""

    cloud: str

    def test_every_step_is_done_in_order(self, report: dict[str, Any]) -> None:
        """None is left out."""
        assert [each["name"] for each in report["steps"]] == STEPS
        assert [each for each in report["steps"] if each["outcome"] != "held"] == []

    def test_every_promise_is_held(self, report: dict[str, Any]) -> None:
        """Each was looked at."""
        assert [each["name"] for each in report["promises"]] == PROMISES
        assert [each for each in report["promises"] if each["outcome"] != "held"] == []

    def test_the_promises_are_about_something(self, report: dict[str, Any]) -> None:
        """Events were written through a crash, a moment had events before and after it, and the role did change."""
        failover, restore, rotate = report["drills"]
        crash, moment = failover["failover"], restore["restore"]

        assert report["facts"]["ran_version"]
        assert crash["server_started"]["before"] != crash["server_started"]["after"], "another process has taken over"
        assert crash["zone"]["before"] != crash["zone"]["after"]
        assert failover["load"]["acknowledged"] > 40
        assert 0 < moment["expected"] < restore["load"]["acknowledged"], "there is something after the mark, too"
        assert (rotate["rotate"]["role"]["before"], rotate["rotate"]["role"]["after"]) == ("adk_user", "adk_user_2")
        assert rotate["load_after"]["acknowledged"] > 0
        assert len(set(report["facts"]["hosts"].values())) == 2, "g1 and g2 have a host each"
        searched = next(each["told"] for each in report["promises"] if each["name"] == "Secrets in clear")
        assert searched.startswith("4 passwords looked for in "), "the owner's and the app's, before and after"
        assert all(place in searched for place in ("state", "printed text", "command lines", "logs"))

    def test_nothing_is_left_of_it(self, rehearsed: tuple[Any, Any], report: dict[str, Any]) -> None:
        """No process, no stack file, no state of the stack."""
        root = rehearsed[0].root

        assert report["held"]
        assert processes_of(root) == []
        assert not (root / f"Pulumi.rehearse-{self.cloud}.yaml").exists()
        assert list((root / ".state").rglob(f"*/stacks/*/rehearse-{self.cloud}*")) == []


class TestGcp(WholeWay):
    """Cloud SQL."""

    cloud = "gcp"


class TestAws(WholeWay):
    """RDS."""

    cloud = "aws"


class TestAzure(WholeWay):
    """Azure Database for PostgreSQL."""

    cloud = "azure"
