"""Promotions that are killed, wherever that happens, and several at once: the next one completes them."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.backends.interface import Target
from app.errors import ConnectionLostError
from app.promotion import Promoted, promote
from app.promotion.stores import interface
from rehearsal.managed import ManagedDatabase

Make = Callable[[], Target]
Fill = Callable[[Target], None]
Read = Callable[[Target], dict[str, list[tuple[Any, ...]]]]
Run = Callable[[Target, Target], Promoted]

ROOT = Path(__file__).resolve().parents[3]

PROMOTE = """
import os, signal, sys
from app import dsn
from app.backends.interface import Target
from app.promotion import promote
from app.promotion.stores import interface
interface.BATCH_ROWS = 5
left = int(sys.argv[1])
def progress(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
done = promote(dsn.parse(os.environ["FROM"]), Target.of(dsn.parse(os.environ["TO"])), progress)
print(sum(copied.copied for copied in done.tables.values()))
"""


def start(source: Target, target: Target, batches: int = 0) -> subprocess.Popen[str]:
    """Promote in a process of its own, which kills itself after some batches."""
    uris = {
        "FROM": source.owner.render_as_string(hide_password=False),
        "TO": target.owner.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-c", PROMOTE, str(batches)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | uris, stdout=subprocess.PIPE, text=True)


def copied(rows: dict[str, list[tuple[Any, ...]]], table: str) -> list[tuple[Any, ...]]:
    """The rows that came from the source: states that ADK needs beside them are empty."""
    return [row for row in rows[table] if "states" not in table or row[-2]]


@pytest.fixture(params=["server", "file"])
def pair(request: pytest.FixtureRequest, file: Make, filled: Fill) -> tuple[Target, Target]:
    """A file that ADK has filled, and an empty target."""
    source = file()
    filled(source)
    return source, request.getfixturevalue(request.param)()


@pytest.mark.parametrize("batches", [2, 6, 9, 11])
def test_a_killed_process_is_completed_by_the_next(
    pair: tuple[Target, Target], rows: Read, promoted: Run, batches: int
) -> None:
    """SIGKILL in the middle: the next one copies the rest, the third nothing."""
    source, target = pair
    killed = start(source, target, batches)
    killed.communicate(timeout=60)
    before = sum(map(len, rows(target).values()))

    second = promoted(source, target)
    third = promoted(source, target)

    assert killed.returncode == -9
    assert all(copied(rows(source), table) == copied(rows(target), table) for table in rows(source))
    assert before + sum(each.copied for each in second.tables.values()) + second.added == sum(
        map(len, rows(target).values())
    )
    assert sum(each.copied for each in third.tables.values()) == 0


@contextmanager
def terminated_at(number: int, database: ManagedDatabase) -> Iterator[list[int]]:
    """Have the server end the connection before one of the statements from the first write on; counts them."""
    seen: list[int] = [0]

    def kill(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        begins = statement.startswith("BEGIN") and "READ ONLY" not in statement
        if connection.dialect.name == "postgresql" and (seen[0] or begins):
            seen[0] += 1
            if seen[0] == number:
                end = (
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'session-db'"
                )
                database.cluster.execute(end)

    event.listen(Engine, "before_cursor_execute", kill)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", kill)


@pytest.fixture
def _two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 25 events that ADK writes in these tests."""
    monkeypatch.setattr(interface, "BATCH_ROWS", 15)


@pytest.mark.usefixtures("_two_batches")
def test_a_connection_that_ends_at_any_statement_loses_nothing(
    file: Make, server: Make, server_database: ManagedDatabase, filled: Fill, rows: Read, promoted: Run
) -> None:
    """Every statement in turn is the last one; what is there then is whole batches, and the next run completes it."""
    source, target = file(), server()
    filled(source)
    number, wanted = 0, rows(source)
    left = set()
    while True:
        truncate = "TRUNCATE sessions, events, app_states, user_states"
        server_database.cluster.execute(truncate, server_database.name)
        number += 1
        try:
            with terminated_at(number, server_database):
                promoted(source, target)
        except ConnectionLostError:
            left.add(len(rows(target)["events"]))
        else:
            break
        promoted(source, target)
        assert all(wanted[table] == copied(rows(target), table) for table in wanted)
    assert {0, 15, 25} == left


@pytest.mark.usefixtures("_two_batches")
def test_an_interrupted_promotion_ends_its_writes_first(pair: tuple[Target, Target], promoted: Run, rows: Read) -> None:
    """Ctrl-C while a batch is under way: it is there as a whole, and the next run brings the rest."""
    source, target = pair

    def interrupt(table: str, done: int, _total: int) -> None:
        if table == "events" and done:
            raise KeyboardInterrupt

    others = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt) as held:  # Its traceback keeps alive what nobody has closed.
        promote(source.owner, target, interrupt)
    left = [each.name for each in set(threading.enumerate()) - others if each.name.startswith("ThreadPoolExecutor")]
    before = len(rows(target)["events"])
    done = promoted(source, target)

    assert held.type is KeyboardInterrupt
    assert not left
    assert before in {15, 25}
    assert (before, 25 - before) == (done.tables["events"].there, done.tables["events"].copied)


def test_a_source_that_goes_away_is_named(server: Make, file: Make, filled: Fill, promoted: Run) -> None:
    """The error tells which of the two databases it was."""
    source, target = server(), file()
    filled(source)

    def kill(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if connection.dialect.name == "postgresql" and "events" in statement and "ORDER BY" in statement:
            connection.connection.driver_connection.pgconn.finish()

    event.listen(Engine, "before_cursor_execute", kill)
    try:
        with pytest.raises(ConnectionLostError, match=str(source.owner.database)):
            promoted(source, target)
    finally:
        event.remove(Engine, "before_cursor_execute", kill)


def test_four_at_once_copy_every_row_once(pair: tuple[Target, Target], rows: Read) -> None:
    """None of them fails."""
    source, target = pair
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda each: each.communicate(timeout=120)[0], [start(*pair) for _ in range(4)]))

    assert all(copied(rows(source), table) == copied(rows(target), table) for table in rows(source))
    assert sum(map(len, rows(source).values())) == sum(map(int, said))
    assert all(row[-2] == {} for row in rows(target)["app_states"] if row not in rows(source)["app_states"])
