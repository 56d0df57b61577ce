"""Many bootstraps at one moment, and bootstraps that are killed: all tables or none, made by exactly one."""

import json
import signal
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from app import verbs
from app.backends.interface import Target
from app.backends.sqlite import connection as engine
from app.errors import LockedDatabaseError

NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"

CROWD = """
import os, sys
from app import dsn
from app.backends.interface import Target
from app.verbs import bootstrap
target = Target.of(dsn.parse(sys.argv[1]))
gate, opener = os.pipe()
children = []
for _ in range(32):
    child = os.fork()
    if child == 0:
        os.close(opener)
        os.read(gate, 1)  # Until the parent closes its end: all start at the same moment.
        code = 2
        try:
            code = int(any(step.startswith("create table") for step in bootstrap(target).steps))
        finally:
            os._exit(code)
    children.append(child)
os.close(opener)
print(sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""

KILLED = """
import contextlib, os, signal, sys
from sqlalchemy import event
from app import dsn
from app.backends.interface import Target
from app.backends.sqlite import connection as engine
from app.schema.sqlite import METADATA
from app.verbs import bootstrap

module = sys.modules["app.backends.sqlite.bootstrap"]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(module, name):
    real = getattr(module, name)
    def run(*args, **kwargs):
        real(*args, **kwargs)
        die()
    setattr(module, name, run)

@contextlib.contextmanager
def committed(connection, begin, real=engine.transaction):
    with real(connection, begin):
        yield
    if begin == "BEGIN IMMEDIATE":
        die()

point = sys.argv[2]
if point == "folder":
    after(module, "_make_folders")
elif point == "file":
    after(module, "_make_file")
elif point == "wal":
    after(engine, "enter_wal")
elif point == "commit":
    engine.transaction = committed
else:
    event.listen(METADATA.tables[point], "after_create", die)
bootstrap(Target.of(dsn.parse(sys.argv[1])))
"""


def made(steps: tuple[str, ...] | list[str]) -> list[str]:
    """The tables among the steps."""
    return [step.removeprefix("create table ") for step in steps if step.startswith("create table ")]


def test_of_eight_commands_at_once_exactly_one_makes_the_tables(
    path: Path, query: Any, started: Any, tables: tuple[str, ...]
) -> None:
    """As when several replicas start together on a missing file; the others wait and find it done."""
    uri = f"sqlite:///{path}"
    processes = [started("-m", "app.cli", "bootstrap", "--json", uri=uri) for _ in range(8)]
    answers = [(process.communicate(), process.returncode) for process in processes]

    assert [code for _, code in answers] == [0] * 8, answers
    created = [made(json.loads(streams[0])["steps"]) for streams, _ in answers]
    assert sorted(created) == [[]] * 7 + [list(tables)]
    files = [json.loads(streams[0])["steps"].count(f"create file {path}, mode 0600") for streams, _ in answers]
    assert sum(files) == 1
    assert query(path, NAMES) == [(name,) for name in sorted(tables)]


@pytest.mark.parametrize("attempt", range(3))
def test_of_thirty_two_processes_at_one_moment_exactly_one_makes_the_tables(
    attempt: int, path: Path, query: Any, started: Any, tables: tuple[str, ...]
) -> None:
    """Nothing but the bootstrap itself lies between the starting shot and the race."""
    uri = f"sqlite:///{path}"
    out, err = started("-c", CROWD, uri, uri=uri).communicate()

    assert (attempt, out, err) == (attempt, f"{[0] * 31 + [1]}\n", "")
    assert query(path, NAMES) == [(name,) for name in sorted(tables)]


@pytest.mark.parametrize(
    "point", ["folder", "file", "wal", "app_states", "sessions", "user_states", "events", "commit"]
)
def test_after_a_kill_at_any_point_the_next_run_completes(
    point: str, path: Path, target: Target, query: Any, started: Any, tables: tuple[str, ...]
) -> None:
    """A killed run leaves all four tables or none, never some."""
    uri = f"sqlite:///{path}"
    process = started("-c", KILLED, uri, point, uri=uri)
    _, err = process.communicate()
    assert (process.returncode, err) == (-signal.SIGKILL, "")

    done = verbs.bootstrap(target)

    left = [] if point == "commit" else list(tables)
    assert (made(done.steps), done.changed) == (left, bool(left))
    assert query(path, NAMES) == [(name,) for name in sorted(tables)]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("verb", [verbs.bootstrap, verbs.plan, verbs.differences])
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_lock_that_is_not_released_is_one_error(
    journal: str, verb: Any, path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the bound, and with nothing changed."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {journal}")
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    try:
        with pytest.raises(LockedDatabaseError) as caught:
            verb(target)
    finally:
        other.close()

    reason = "another process holds its lock. Stop that process, or try again"
    assert str(caught.value) == f"expected to use the database {path}, but {reason}."
