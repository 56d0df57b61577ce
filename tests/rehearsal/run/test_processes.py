"""Whatever a rehearsal has started ends with it, or with `clean` where it was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rehearsal.errors import StepError
from rehearsal.run import processes
from rehearsal.run.processes import Processes

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]

OWNER = """
import os, pathlib, subprocess, sys
from rehearsal.run import layout
layout.RUNS = pathlib.Path(sys.argv[1])
from rehearsal.run.processes import Processes
known = Processes("gcp")
with known.alone(), known.started({sleeper!r}, stdout=subprocess.PIPE) as process:
    process.stdout.readline()
    print(process.pid, flush=True)
    process.wait()
"""


@pytest.mark.usefixtures("root")
def test_a_command_ends_with_the_body_that_started_it() -> None:
    """However the body ends."""
    known, started = Processes("gcp"), []

    def work() -> None:
        with known.started(SLEEPER) as process:
            started.append(process)
            raise KeyboardInterrupt

    with known.alone(), pytest.raises(KeyboardInterrupt):
        work()

    assert started[0].returncode is not None


@pytest.mark.usefixtures("root")
def test_a_cloud_is_rehearsed_once_at_a_time_in_a_clone() -> None:
    """Another one is refused by the process that is in the way; another cloud is not."""
    with Processes("gcp").alone():
        with pytest.raises(StepError, match=f"but process {os.getpid()} is one"), Processes("gcp").alone():
            pass
        with Processes("aws").alone():
            assert processes.running() == {"gcp": os.getpid(), "aws": os.getpid()}
    assert processes.running() == {}


def test_what_a_killed_rehearsal_has_left_is_ended(root: Path) -> None:
    """By its number and its start, so that nobody else is."""
    runs = root / ".rehearsal" / "runs"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(sleeper=SLEEPER), str(runs)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout
    with owner:
        left = psutil.Process(int(owner.stdout.readline()))
        owner.send_signal(signal.SIGKILL)
    assert left.is_running(), "it has outlived its owner"

    assert Processes("gcp").end() == 1
    assert not left.is_running()
    assert Processes("gcp").end() == 0
