"""A rehearsal that is stopped or killed leaves nothing that `clean` does not end, and the next one starts afresh."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

CLOUD = "gcp"


@pytest.fixture
def project(clone: Callable[[], Path], project_of: Callable[[Path], Any]) -> Iterator[Any]:
    """A clone, in which nothing runs any more in the end."""
    made = project_of(clone())
    yield made
    made.shell(sys.executable, "-m", "rehearsal", "clean")


def stopped(project: Any, number: signal.Signals) -> tuple[int, str]:
    """Rehearse, and send a signal when servers are being made; the exit code, and what was said."""
    command = [sys.executable, "-m", "rehearsal", "run", CLOUD]
    with subprocess.Popen(
        command, cwd=project.root, env=project.environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        assert "preview" in run.stderr.readline(), "what follows is `up`"
        while not status(project)["control_planes"]:
            assert run.poll() is None
        os.kill(run.pid, number)
        said = run.stderr.read()
    return run.returncode, said


def status(project: Any) -> Any:
    """What runs in the clone, by its own account."""
    return json.loads(project.shell(sys.executable, "-m", "rehearsal", "status", "--json").stdout)


def living(project: Any) -> list[str]:
    """The command lines that name something of the clone, the servers' among them."""
    pointer = project.root / ".rehearsal" / CLOUD / "folder"
    places = [str(project.root), *([pointer.read_text().strip()] if pointer.exists() else [])]
    lines = []
    for process in psutil.process_iter():
        try:
            line = " ".join([process.cwd(), *process.cmdline()])
        except psutil.Error:
            continue
        lines += [line] if any(place in line for place in places) and process.status() != "zombie" else []
    return lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_after_clean_nothing_is_left_of_a_rehearsal_that_was_cut_off(project: Any, number: signal.Signals) -> None:
    """A kill leaves processes until then; Ctrl-C and SIGTERM leave the cloud, a report and a way on."""
    code, said = stopped(project, number)
    pointer = project.root / ".rehearsal" / CLOUD / "folder"
    ground = Path(pointer.read_text().strip()) if pointer.exists() else pointer.parent

    assert status(project)["control_planes"], "the cloud lives on, as a cloud does"
    if number != signal.SIGKILL:
        assert code == 130
        assert "Traceback" not in said
        assert "To end what is left: python -m rehearsal clean" in said
        report = json.loads((project.root / ".rehearsal" / "reports" / CLOUD / "report.json").read_text())
        assert report["steps"][1]["told"] == "stopped as asked"

    cleaned = project.shell(sys.executable, "-m", "rehearsal", "clean")

    assert cleaned.returncode == 0, cleaned.stderr
    assert [line for line in living(project) if str(ground) in line or "infra" in line] == []
    assert status(project) == {"rehearsed": {}, "control_planes": []}
    assert not ground.exists()
    assert not (project.root / f"Pulumi.rehearse-{CLOUD}.yaml").exists()
    assert not (project.root / ".state" / "rehearsal").exists()
