"""ADK's layout v0, whose events are pickled: migrated in place, resumable, and without running a pickle."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.schemas import v0
from google.adk.sessions.session import Session
from google.genai import types
from sqlalchemy import Engine, NullPool, create_engine, event, text
from sqlalchemy.orm import Session as Transaction

from app import verbs
from app.backends.interface import Target
from app.backends.postgresql import pickled
from app.errors import ConnectionLostError, OlderLayoutError
from rehearsal.cluster import Cluster

Sql = Callable[[str], list[tuple[Any, ...]]]
EVENTS = 25


@pytest.fixture
def legacy(target: Target, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The database as an old ADK left it: one session, its events pickled by ADK's own classes; batches of ten."""
    monkeypatch.setattr(pickled, "BATCH", 10)
    engine = create_engine(target.owner, poolclass=NullPool)
    v0.Base.metadata.create_all(engine)
    with Transaction(engine) as transaction:
        transaction.add(v0.StorageAppState(app_name="app", state={"shared": 1}))
        transaction.add(v0.StorageUserState(app_name="app", user_id="user", state={}))
        transaction.add(v0.StorageSession(app_name="app", user_id="user", id="one", state={"n": EVENTS - 1}))
        transaction.commit()
    write(engine, range(EVENTS))
    return engine


def write(engine: Engine, numbers: range) -> None:
    """Append events as an old ADK does."""
    session = Session(id="one", app_name="app", user_id="user")
    with Transaction(engine) as transaction:
        for number in numbers:
            said = types.Content(role="user", parts=[types.Part(text=f"Straße {number}")])
            made = Event(id=f"e{number:03}", author="user", invocation_id="i", content=said)
            made = made.model_copy(update={"actions": EventActions(state_delta={"n": number})})
            transaction.add(v0.StorageEvent.from_event(session, made))
        transaction.commit()


def events(target: Target) -> dict[str, Event]:
    """What ADK reads of the session, in the app role."""

    async def ask() -> dict[str, Event]:
        async with DatabaseSessionService(target.app.render_as_string(hide_password=False)) as service:
            session = await service.get_session(app_name="app", user_id="user", session_id="one")
            assert session is not None
            return {event.id: event for event in session.events}

    return asyncio.run(ask())


def as_v0(engine: Engine) -> dict[str, Event]:
    """What the old layout's own class reads of them."""
    with Transaction(engine) as transaction:
        return {row.id: row.to_event() for row in transaction.query(v0.StorageEvent)}


@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
def test_every_event_is_what_it_was(legacy: Engine, target: Target) -> None:
    """As ADK's own classes of the two layouts read it."""
    before = as_v0(legacy)

    done = verbs.bootstrap(target)

    assert "migrate the events of layout v0" in done.steps
    assert done.refused == 0
    assert events(target) == before
    assert len(before) == EVENTS
    assert verbs.differences(target) == ()
    assert verbs.bootstrap(target).steps == ()
    assert verbs.verify(target).tables["events"] == EVENTS


def test_the_old_table_stays(legacy: Engine, target: Target, sql: Sql) -> None:
    """Until somebody drops it; it goes with its sessions, so that nobody's words outlive them."""
    verbs.bootstrap(target)

    assert sql("SELECT count(*), count(actions) FROM session_db_events_v0") == [(EVENTS, EVENTS)]
    sql("DELETE FROM sessions")
    assert sql("SELECT (SELECT count(*) FROM session_db_events_v0), (SELECT count(*) FROM events)") == [(0, 0)]
    assert legacy.url.database == target.owner.database


def test_a_hostile_pickle_is_kept_reported_and_never_run(
    legacy: Engine, target: Target, sql: Sql, tmp_path: Path
) -> None:
    """All other events are migrated."""
    mark = tmp_path / "run"
    payload = f"cos\nsystem\n(S'touch {mark}'\ntR.".encode()
    with legacy.begin() as connection:
        connection.execute(text("UPDATE events SET actions = :payload WHERE id = 'e007'"), {"payload": payload})

    done = verbs.bootstrap(target)

    assert done.refused == 1
    assert not mark.exists()
    assert sql("SELECT id, reason FROM session_db_refused_events") == [("e007", "it names the class os.system")]
    assert sql("SELECT actions FROM session_db_events_v0 WHERE id = 'e007'") == [(payload,)]
    assert sorted(events(target)) == [f"e{number:03}" for number in range(EVENTS) if number != 7]
    assert sql("SELECT count(*) FROM session_db_history WHERE step LIKE '%1 refused'") == [(1,)]


def test_what_comes_in_between_is_taken_along(legacy: Engine, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old table is locked only while the two change places; what an agent wrote until then is not forgotten."""
    swap = pickled.swap

    def late(*arguments: Any) -> int:
        write(legacy, range(EVENTS, EVENTS + 3))
        return swap(*arguments)

    monkeypatch.setattr(pickled, "swap", late)
    monkeypatch.setattr(pickled, "fill", fill_and_write_between(legacy, pickled.fill))

    verbs.bootstrap(target)

    assert sorted(events(target)) == sorted([*(f"e{number:03}" for number in range(EVENTS + 3)), "a-first"])


def fill_and_write_between(legacy: Engine, fill: Callable[..., None]) -> Callable[..., None]:
    """A filling after which an event arrives whose key comes before all that were read."""

    def run(*arguments: Any) -> None:
        fill(*arguments)
        session = Session(id="one", app_name="app", user_id="user")
        with Transaction(legacy) as transaction:
            transaction.add(v0.StorageEvent.from_event(session, Event(id="a-first", author="user", invocation_id="i")))
            transaction.commit()

    return run


def test_after_a_kill_at_any_statement_the_next_run_completes(
    legacy: Engine, target: Target, sql: Sql, postgresql: Cluster
) -> None:
    """Each time a little further: what a killed run has migrated is not migrated again."""
    before, left, killed = as_v0(legacy), [0], 0

    def kill(connection: Any, *_: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and connection.engine.url.username == target.owner.username:
            pid = connection.connection.driver_connection.info.backend_pid
            postgresql.execute(f"SELECT pg_terminate_backend({pid}, 60000)")

    event.listen(Engine, "before_cursor_execute", kill)
    try:
        for at in range(1, 400, 3):
            left[0] = at
            try:
                verbs.bootstrap(target)
            except ConnectionLostError:
                killed += 1
                continue
            break
    finally:
        event.remove(Engine, "before_cursor_execute", kill)

    assert killed > 20
    assert events(target) == before
    assert verbs.bootstrap(target).steps == ()
    assert sql("SELECT count(*) FROM session_db_events_v0") == [(EVENTS,)]


def test_looking_at_it_says_what_to_do(legacy: Engine, target: Target, shape: Callable[[], str]) -> None:
    """Neither verification nor plan nor a server that starts changes anything."""
    before = shape()

    for verb in (verbs.verify, verbs.differences):
        with pytest.raises(OlderLayoutError, match="session-db bootstrap"):
            verb(target)
    with pytest.raises(OlderLayoutError, match="session-db bootstrap"):
        verbs.make_ready(target.owner)
    planned = verbs.plan(target)

    assert planned.found == "ADK's layout v0, with pickled events"
    assert planned.steps[0].name.startswith("migrate the events of layout v0")
    assert (shape(), len(as_v0(legacy))) == (before, EVENTS)
