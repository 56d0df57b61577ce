"""Whatever cuts an `up` off, and wherever, the next one heals it."""

import contextlib
import json
import os
import signal
import subprocess
from typing import Any

import psutil
import pytest

PENDING = {
    "type": "pulumi-python:dynamic/sessiondb:SqliteFile",
    "urn": "urn:pulumi:dev::session-database::sessiondb:sqlite:Database"
    "$pulumi-python:dynamic/sessiondb:SqliteFile::adk-sessions",
    "custom": True,
    "inputs": {},
}

MOMENTS = [
    "opening the state",
    "creating Stack",
    "creating SqliteFile",
    "created  SqliteFile",
    "schema of",
]
"""What the run shows at the moments at which it is cut off, in order."""

GRACE_SECONDS = 20.0
"""For what notices by itself, on a machine with other work, that its engine is gone."""


def cut_off(project: Any, moment: str, number: signal.Signals) -> int:
    """Start an `up` in a session of its own, signal the whole of it at a moment, and return its exit code."""
    up = subprocess.Popen(
        project.command("up"),
        cwd=project.root,
        env=project.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert up.stderr is not None
    with up:
        for line in up.stderr:
            if moment in line:
                (os.killpg if number == signal.SIGKILL else os.kill)(up.pid, number)
                break
        rest = up.stderr.read()
    if number == signal.SIGINT:
        assert "Traceback" not in rest
        assert "The state is consistent" in rest
    return up.returncode


def assert_nothing_runs(project: Any) -> None:
    """Whatever the run had started ends by itself, plugins too, which an engine puts into groups of their own."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            left += [process] if process.cwd().startswith(str(project.root)) else []
    _ended, living = psutil.wait_procs(left, timeout=GRACE_SECONDS)
    assert [process.cmdline() for process in living] == []


def assert_whole(project: Any) -> None:
    """The next `up` succeeds, and then there is nothing left to do."""
    done = project.run("up")
    assert done.returncode == 0, done.stderr
    assert project.run("preview", "--expect-no-changes").returncode == 0


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_up_is_healed_by_the_next(project: Any, moment: str) -> None:
    """SIGKILL to everything at once, as when a laptop's battery dies."""
    assert cut_off(project, moment, signal.SIGKILL) == -signal.SIGKILL
    assert_nothing_runs(project)
    assert_whole(project)


def test_ctrl_c_stops_between_two_steps_and_says_so(project: Any) -> None:
    """Exit code 130, a consistent state, and the next run goes on."""
    assert cut_off(project, "creating Stack", signal.SIGINT) == 130
    assert_nothing_runs(project)
    assert_whole(project)


def test_an_operation_left_open_is_done_again(project: Any) -> None:
    """A run killed between the making of a file and the writing of the state leaves it open in the state."""
    project.json("up", "--no-bootstrap")
    (stack,) = (project.root / ".state" / ".pulumi" / "stacks" / "session-database").glob("dev.json")
    state = json.loads(stack.read_text())
    state["checkpoint"]["latest"]["pending_operations"] = [{"resource": PENDING, "type": "creating"}]
    stack.write_text(json.dumps(state))

    done = project.run("up")

    assert done.returncode == 0, done.stderr
    assert "cut off in 1 operation(s)" in done.stderr
    assert "pending_operations" not in json.loads(stack.read_text())["checkpoint"]["latest"]


def test_several_ups_at_once_all_succeed(project: Any) -> None:
    """They take turns."""
    runs = [
        subprocess.Popen(project.command("up", "--no-bootstrap"), cwd=project.root, env=project.environ, text=True)
        for _ in range(4)
    ]

    assert [run.wait() for run in runs] == [0, 0, 0, 0]
