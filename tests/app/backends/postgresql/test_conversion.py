"""Tables made on PostgreSQL by hand, after SQLite's layout or with time zones: converted with their data."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy.schema import CreateTable

from app import verbs
from app.backends.interface import Target
from app.errors import ForeignDatabaseError, OlderLayoutError
from app.schema import sqlite

Sql = Callable[[str], list[tuple[Any, ...]]]
Shape = Callable[[], str]
SECONDS = 1742000000.123456


def by_hand(time: str, json_type: str = "TEXT") -> str:
    """SQLite's DDL as somebody pastes it into psql, with a type of their choice for times."""
    made = "; ".join(str(CreateTable(table)) for table in sqlite.METADATA.sorted_tables)
    return (
        made.replace("REAL", time).replace("state TEXT", f"state {json_type}").replace("data TEXT", f"data {json_type}")
    )


def event_data(number: int) -> str:
    """An event as SqliteSessionService keeps it."""
    event = Event(id=f"e{number}", author="user", invocation_id="i", actions=EventActions(state_delta={"n": number}))
    return event.model_copy(update={"timestamp": SECONDS + number}).model_dump_json(exclude_none=True)


@pytest.fixture
def fill(sql: Sql, target: Target) -> Callable[[str, str], None]:
    """Makes the tables in the owner's name and puts in a session of two events, without any row of user state."""

    def run(ddl: str, moment: str) -> None:
        sql(f"SET ROLE {target.owner.username}; {ddl}")
        sql(f"INSERT INTO app_states VALUES ('app', '{{\"shared\": true}}', {moment.format(SECONDS)})")
        at = moment.format(SECONDS)
        sql(f"INSERT INTO sessions VALUES ('app', 'user', 'one', '{{\"é\": [1.5]}}', {at}, {at})")
        for number in range(2):
            data = event_data(number).replace("'", "''")
            at = moment.format(SECONDS + number)
            sql(
                f"INSERT INTO events (id, app_name, user_id, session_id, invocation_id, timestamp, event_data) "
                f"VALUES ('e{number}', 'app', 'user', 'one', 'i', {at}, '{data}')"
            )

    return run


async def use(target: Target) -> tuple[dict[str, Any], list[str], float]:
    """Read the session through ADK in the app role, and append to it."""
    async with DatabaseSessionService(target.app.render_as_string(hide_password=False)) as service:
        session = await service.get_session(app_name="app", user_id="user", session_id="one")
        assert session is not None
        found = dict(session.state), [event.id for event in session.events], session.last_update_time
        actions = EventActions(state_delta={"user:u": 1, "app:a": 2})
        await service.append_event(session, Event(author="user", invocation_id="i", actions=actions))
        return found


@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
@pytest.mark.parametrize(
    ("ddl", "moment"),
    [
        (by_hand("DOUBLE PRECISION"), "{}"),
        (by_hand("NUMERIC", "JSON"), "{}"),
        (by_hand("TIMESTAMPTZ", "JSONB"), "to_timestamp({})"),
    ],
    ids=["text", "numeric and json", "with time zone"],
)
def test_data_and_times_survive(ddl: str, moment: str, target: Target, fill: Callable[[str, str], None]) -> None:
    """To the microsecond; afterwards ADK reads and appends, and nothing is left to be said."""
    fill(ddl, moment)

    done = verbs.bootstrap(target)

    assert "convert table sessions" in done.steps
    assert verbs.differences(target) == ()
    state, events, updated = asyncio.run(use(target))
    assert state == {"é": [1.5], "app:shared": True}
    assert events == ["e0", "e1"]
    assert updated == pytest.approx(SECONDS, abs=1e-6)
    assert verbs.bootstrap(target).steps == ()


def test_four_byte_times_are_kept_as_they_are(target: Target, fill: Callable[[str, str], None], sql: Sql) -> None:
    """PostgreSQL's REAL has lost the seconds before we came; nothing more is lost."""
    fill(by_hand("REAL"), "{}")

    verbs.bootstrap(target)

    assert float(sql("SELECT extract(epoch FROM update_time) FROM sessions")[0][0]) == pytest.approx(SECONDS, abs=128)


@pytest.mark.parametrize(
    "row",
    [
        "('app', 'u', 'two', 'no json', 1, 1)",
        f"('app', 'u', '{'x' * 129}', '{{}}', 1, 1)",
        "('app', 'u', 'two', '{}', 'NaN', 1)",
    ],
    ids=["no json", "a long id", "no moment"],
)
def test_a_row_that_does_not_fit_undoes_all(
    row: str, target: Target, fill: Callable[[str, str], None], sql: Sql, shape: Shape
) -> None:
    """No row is cut, dropped or guessed at."""
    fill(by_hand("DOUBLE PRECISION"), "{}")
    sql(f"INSERT INTO sessions VALUES {row}")
    before = shape(), str(sql("SELECT * FROM sessions ORDER BY id"))

    with pytest.raises(ForeignDatabaseError, match=r"a row does not fit .*nothing was changed"):
        verbs.bootstrap(target)

    assert (shape(), str(sql("SELECT * FROM sessions ORDER BY id"))) == before


def test_the_plan_shows_the_conversion(target: Target, fill: Callable[[str, str], None], shape: Shape) -> None:
    """Which rewrites tables, so somebody may want to choose the hour."""
    fill(by_hand("DOUBLE PRECISION"), "{}")
    before = shape()

    planned = verbs.plan(target)

    assert planned.found == "text and epoch columns, made by hand"
    statements = "\n".join(sql for step in planned.steps for sql in step.shown)
    assert "ALTER COLUMN update_time TYPE TIMESTAMP WITHOUT TIME ZONE USING to_timestamp(" in statements
    assert shape() == before


def test_a_server_starts_no_conversion(target: Target, fill: Callable[[str, str], None], shape: Shape) -> None:
    """Replicas of an older release may still be writing."""
    fill(by_hand("DOUBLE PRECISION"), "{}")
    before = shape()

    with pytest.raises(OlderLayoutError, match="session-db bootstrap"):
        verbs.make_ready(target.owner)

    assert shape() == before


def test_the_event_of_the_example_is_json() -> None:
    """Or the conversions above would prove little."""
    assert json.loads(event_data(1))["actions"]["state_delta"] == {"n": 1}
