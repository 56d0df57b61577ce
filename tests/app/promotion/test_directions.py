"""A promotion between every pair of databases, as ADK sees it afterwards."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService

from app.backends.interface import Target
from app.errors import VerificationError
from app.promotion import Promoted, promote
from app.promotion.batch import Batches
from app.promotion.rows import Row
from app.promotion.shape import EVENTS, Shape
from app.promotion.stores import interface

Make = Callable[[], Target]
Fill = Callable[[Target], None]
Read = Callable[[Target], dict[str, list[tuple[Any, ...]]]]
Run = Callable[[Target, Target], Promoted]
Execute = Callable[..., list[Any]]
Sessions = Callable[[Target], dict[tuple[str, str, str], dict[str, Any]]]

DIRECTIONS = [(source, target) for source in ("file", "server") for target in ("file", "server")]


@pytest.fixture(params=DIRECTIONS, ids=[" to ".join(pair) for pair in DIRECTIONS])
def pair(request: pytest.FixtureRequest) -> tuple[Target, Target]:
    """A source and a target, both bootstrapped and empty."""
    source, target = (request.getfixturevalue(name) for name in request.param)
    return source(), target()


@pytest.fixture(params=[1, 7, 4000])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows travel at once."""
    monkeypatch.setattr(interface, "BATCH_ROWS", request.param)
    return int(request.param)


def test_adk_reads_the_same_sessions(
    pair: tuple[Target, Target], filled: Fill, promoted: Run, sessions: Sessions, rows: Read
) -> None:
    """State of every kind, events and times; and every row is the same to the microsecond."""
    source, target = pair
    filled(source)

    done = promoted(source, target)

    assert sessions(source) == sessions(target)
    wanted, found = rows(source), rows(target)
    assert wanted["sessions"] == found["sessions"]
    assert wanted["events"] == found["events"]
    for table in ("app_states", "user_states"):
        assert wanted[table] == [row for row in found[table] if row in wanted[table]]
        assert all(row[-2] == {} for row in found[table] if row not in wanted[table])
    assert {name: len(wanted[name]) for name in wanted} == {name: copied.copied for name, copied in done.tables.items()}


def test_adk_goes_on_where_it_was(
    pair: tuple[Target, Target], filled: Fill, promoted: Run, adk: Callable[[Target], BaseSessionService]
) -> None:
    """A session is appended to, one without any state too, and read again."""
    source, target = pair
    filled(source)
    promoted(source, target)

    async def go_on(name: str, app: str, user: str) -> None:
        service = adk(target)
        session = await service.get_session(app_name=app, user_id=user, session_id=name)
        assert session is not None
        event = Event(author="agent", invocation_id="next", actions=EventActions(state_delta={"app:a": 1, "user:u": 2}))
        await service.append_event(session, event)
        read = await service.get_session(app_name=app, user_id=user, session_id=name)
        assert read is not None
        assert (1, 2, event.id) == (read.state["app:a"], read.state["user:u"], read.events[-1].id)
        if isinstance(service, DatabaseSessionService):
            await service.close()

    asyncio.run(go_on("one", "app", "Zoë"))
    asyncio.run(go_on("empty", "bare", "nobody"))


@pytest.mark.usefixtures("batch")
def test_a_second_promotion_copies_nothing(
    pair: tuple[Target, Target], filled: Fill, promoted: Run, rows: Read
) -> None:
    """And finds the same content, whatever the batches are."""
    source, target = pair
    filled(source)
    first = promoted(source, target)
    there = rows(target)

    second = promoted(source, target)

    assert [copied.copied for copied in second.tables.values()] == [0, 0, 0, 0]
    assert second.added == 0
    assert [copied.source for copied in second.tables.values()] == [copied.there for copied in second.tables.values()]
    assert [copied.digest for copied in first.tables.values()] == [copied.digest for copied in second.tables.values()]
    assert there == rows(target)


def test_the_digest_is_the_same_there_and_back(
    file: Make, server: Make, filled: Fill, promoted: Run, rows: Read
) -> None:
    """From SQLite to PostgreSQL and into another file: the same rows, the same digests."""
    source, between, back = file(), server(), file()
    filled(source)

    there = promoted(source, between)
    promoted(between, back)
    again = promoted(source, back)

    assert {name: copied.digest for name, copied in there.tables.items()} == {
        name: copied.digest for name, copied in again.tables.items()
    }
    assert rows(source)["events"] == rows(back)["events"]
    assert sum(copied.copied for copied in again.tables.values()) == 0


def test_the_source_file_stays_as_it_is(
    file: Make, server: Make, filled: Fill, promoted: Run, execute: Execute
) -> None:
    """To the byte, and nothing is left beside it."""
    source, target = file(), server()
    filled(source)
    gc.collect()  # What ADK has not let go of keeps a -wal beside the file, which whoever closes last moves into it.
    execute(source, "PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(str(source.owner.database))
    before, beside = path.read_bytes(), sorted(path.parent.iterdir())

    promoted(source, target)

    assert before == path.read_bytes()
    assert beside == sorted(path.parent.iterdir())


def test_what_is_written_meanwhile_is_left_for_the_next(
    file: Make, server: Make, filled: Fill, rows: Read, execute: Execute
) -> None:
    """The source is one snapshot, however long it takes; its agents go on writing."""
    source, target = file(), server()
    filled(source)
    before = rows(source)

    def write(table: str, done: int, _total: int) -> None:
        if table == "user_states" and not done:
            execute(source, "INSERT INTO sessions VALUES ('app', 'late', 's', '{}', 1e9, 1e9)")

    done = promote(source.owner, target, write)

    assert before["sessions"] == rows(target)["sessions"]
    assert len(before["sessions"]) == done.tables["sessions"].source


def test_a_standing_tie_of_events_keeps_its_order(file: Make, server: Make, promoted: Run, execute: Execute) -> None:
    """What ADK orders by time and then by id in PostgreSQL is in that order in a file, where it goes by rowid."""
    source, target = server(), file()
    execute(source, "INSERT INTO sessions VALUES ('a', 'u', 's', '{}', now(), now())")
    for name in "cab":
        execute(source, "INSERT INTO events VALUES (?, 'a', 'u', 's', 'i', '2026-01-01', '{}')", name)

    promoted(source, target)

    assert execute(target, "SELECT id FROM events ORDER BY timestamp, rowid") == [("a",), ("b",), ("c",)]


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Of the documents of each batch of events, while 1000 bytes are as much as one may have."""
    found: list[list[int]] = []
    write = Batches.write

    def weigh(batches: Batches, shape: Shape, rows: Sequence[Row]) -> int:
        if shape is EVENTS:
            found.append([len(row.values[shape.document]) for row in rows])
        return write(batches, shape, rows)

    monkeypatch.setattr(Batches, "write", weigh)
    monkeypatch.setattr(interface, "BATCH_BYTES", 1000)
    return found


def test_large_documents_go_through_in_small_batches(
    pair: tuple[Target, Target], rows: Read, promoted: Run, execute: Execute, weights: list[list[int]]
) -> None:
    """Whatever comes after it, a document of more than a batch's bytes ends its batch."""
    source, target = pair
    moment = "now()" if source.app.get_backend_name() == "postgresql" else "1e9"
    execute(source, f"INSERT INTO sessions VALUES ('a', 'u', 's', '{{}}', {moment}, {moment})")
    for place in range(20):
        data = f'{{"text": "{"x" * (place % 3 * 3000)}"}}'
        event = f"INSERT INTO events VALUES (?, 'a', 'u', 's', 'i', {moment}, ?)"
        execute(source, event, f"e{place:02}", data)

    promoted(source, target)

    assert rows(source)["events"] == rows(target)["events"]
    assert sum(map(len, weights)) == 20
    assert all(sum(each[:-1]) < 1000 for each in weights)


@pytest.mark.parametrize("answer", ["NULL", "NEW"])
def test_a_row_that_is_read_back_differently_is_told(
    file: Make, server: Make, filled: Fill, promoted: Run, execute: Execute, answer: str
) -> None:
    """As where the target does more than it was told, or less."""
    source, target = file(), server()
    filled(source)
    execute(
        target,
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN NEW.event_data = '{{}}'; RETURN {answer}; END $$",
    )
    execute(target, "CREATE TRIGGER meddle BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION meddle()")

    with pytest.raises(VerificationError, match=r"events \('app', 'Zoë', 'one', .*expected to read it"):
        promoted(source, target)
