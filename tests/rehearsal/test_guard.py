"""No server outlives its owner, however that one ends."""

import contextlib
import fcntl
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rehearsal import ground as grounds
from rehearsal import guard
from rehearsal.account import Account
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.ground import ground as fresh_ground

Processes = Callable[[Path], list[int]]

OWNER = """
import sys, time
from pathlib import Path
from rehearsal.cluster import Cluster
from rehearsal.ground import ground
with ground() as folder:
    cluster = Cluster.create(folder / "15", Path(sys.argv[1]))
    cluster.start()
    print(folder, flush=True)
    {end}
"""


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the owners that these tests start make their grounds, and not the tests' own."""
    monkeypatch.setattr(grounds, "TEMPORARY", Path("/tmp"))  # noqa: S108  # A rehearsal's.


@pytest.fixture(scope="module")
def programs() -> Path:
    """PostgreSQL's programs."""
    return binaries(15, print)


def owner(programs: Path, end: str) -> tuple[subprocess.Popen[str], Path]:
    """A process that has started a server, and the server's ground."""
    command = [sys.executable, "-c", OWNER.format(end=end), str(programs)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def gone(folder: Path, processes: Processes) -> bool:
    """Whether all processes there end within a while."""
    deadline = time.monotonic() + 20
    while processes(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes(folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_killed_owner_leaves_no_server(programs: Path, processes: Processes, number: signal.Signals) -> None:
    """Nor its data: what a killed owner could not remove, the next one does."""
    process, folder = owner(programs, "time.sleep(600)")
    with process:
        assert len(processes(folder)) > 3
        process.send_signal(number)
        process.wait(20)

    assert gone(folder, processes)
    with fresh_ground():
        assert not folder.exists()


@pytest.mark.parametrize("end", ["pass", "raise SystemExit(3)", "import os; os._exit(4)"])
def test_an_owner_that_forgets_its_server_leaves_none(programs: Path, processes: Processes, end: str) -> None:
    """It need not stop it in order."""
    process, folder = owner(programs, end)
    with process:
        process.wait(20)

    assert gone(folder, processes)


def test_a_guard_that_is_told_to_end_takes_its_server_with_it(programs: Path, processes: Processes) -> None:
    """As when a machine shuts down; the owner sees that it does not run any more."""
    with fresh_ground() as folder, Cluster.create(folder / "15", programs) as cluster:
        (told,) = [child for child in psutil.Process().children() if str(cluster.folder) in " ".join(child.cmdline())]
        told.terminate()

        assert gone(folder, processes)
        told.wait(20)
        assert not cluster.running


def test_a_guard_that_waits_for_its_turn_ends_with_its_owner(tmp_path: Path) -> None:
    """Somebody else holds the lock: there is no server to stop, and nobody to wait for."""
    log = tmp_path / "server.log"
    with log.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = [sys.executable, "-I", "-S", guard.__file__, f"--log={log}", "--", "sleep", "600"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as waiting:
            try:
                waiting.communicate(timeout=20)
            finally:
                waiting.kill()

    assert waiting.returncode == 0


def title(process: psutil.Process) -> str:
    """What PostgreSQL calls one of its processes; nothing where it has just ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def test_a_postmaster_that_is_killed_alone_leaves_no_process(programs: Path, processes: Processes) -> None:
    """One that cannot notice would hold the lock, and the next server would wait for it."""
    with fresh_ground() as folder, Cluster.create(folder / "15", programs) as cluster:
        postmaster = psutil.Process(int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0]))
        (held,) = [child for child in postmaster.children() if "checkpointer" in title(child)]
        held.suspend()
        postmaster.kill()

        assert gone(folder, processes)
        while cluster.running:  # The guard itself ends last.
            time.sleep(0.01)
        cluster.start()
        assert cluster.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_guard_that_is_told_to_end_says_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Above all no traceback, whatever it was at."""
    command = [sys.executable, "-I", "-S", guard.__file__, f"--log={tmp_path / 'log'}", "--", "sleep", "600"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as told:
        while not psutil.Process(told.pid).children():
            assert told.poll() is None
        told.send_signal(number)
        _, said = told.communicate(timeout=20)

    assert said == ""


def test_a_ground_in_use_is_left_alone() -> None:
    """Another one beside it removes nothing of it."""
    with fresh_ground() as first:
        (first / "kept").touch()
        with fresh_ground() as second:
            assert first != second
        assert (first / "kept").exists()
        assert not second.exists()
    assert not first.exists()


def test_a_ground_that_the_servers_account_owns_is_swept_too() -> None:
    """Run as root, PostgreSQL's own account owns folders that its killed owner has left."""
    left = Path(tempfile.mkdtemp(prefix="rehearsal-", dir="/tmp"))  # Where grounds are.
    (left / "lock").touch()
    Account.unprivileged().own(left, 0o755)

    with fresh_ground():
        assert not left.exists()
