"""Databases that others have made: taken over, repaired or refused, and never harmed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.database_session_service import DatabaseSessionService

from app import verbs
from app.backends.interface import Roles, Target
from app.errors import ForeignDatabaseError, IncompatibleLayoutError, InvalidSettingError
from rehearsal.cluster import Cluster

Sql = Callable[[str], list[tuple[Any, ...]]]
VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
EVENTS_INDEX = "idx_events_app_user_session_ts_id"
OURS = "session_db_sessions_update_time"


@pytest.fixture
def adk(target: Target) -> Target:
    """The database as ADK makes it by itself, with one session of two events."""

    async def write() -> None:
        async with DatabaseSessionService(target.owner.render_as_string(hide_password=False)) as service:
            session = await service.create_session(app_name="app", user_id="user", session_id="one", state={"a": 1})
            for number in range(2):
                actions = EventActions(state_delta={"number": number})
                await service.append_event(session, Event(author="user", invocation_id="i", actions=actions))

    asyncio.run(write())
    return target


def read(target: Target) -> tuple[dict[str, Any], int]:
    """State and number of events of the session, as ADK reads them in the app role."""

    async def ask() -> tuple[dict[str, Any], int]:
        async with DatabaseSessionService(target.app.render_as_string(hide_password=False)) as service:
            session = await service.get_session(app_name="app", user_id="user", session_id="one")
            assert session is not None
            return dict(session.state), len(session.events)

    return asyncio.run(ask())


@VERSIONS
def test_what_adk_made_is_taken_over_as_it_is(adk: Target, sql: Sql) -> None:
    """Its tables are neither made anew nor changed; what ADK lacks is added beside them."""
    before = sql("SELECT oid FROM pg_class WHERE relname IN ('sessions', 'events', 'adk_internal_metadata') ORDER BY 1")

    done = verbs.bootstrap(adk)

    after = sql("SELECT oid FROM pg_class WHERE relname IN ('sessions', 'events', 'adk_internal_metadata') ORDER BY 1")
    assert after == before
    assert not [step for step in done.steps if step.startswith("create table") and "history" not in step]
    assert done.steps[-1] == f"create index {OURS}"

    assert verbs.verify(adk).tables["events"] == 2
    assert read(adk) == ({"a": 1, "number": 1}, 2)


@pytest.mark.parametrize(
    ("damage", "said", "step"),
    [
        ("DELETE FROM adk_internal_metadata", "the row schema_version 1", "name the layout in ADK's metadata"),
        ("DROP TABLE adk_internal_metadata", "expected this table", "create table adk_internal_metadata"),
        ("DROP TABLE events", "events: expected this table", "create table events"),
        ("DROP TABLE user_states", "user_states: expected this table", "create table user_states"),
        ("DROP TABLE session_db_history", "expected a record", "create table session_db_history"),
        (f"DROP INDEX {EVENTS_INDEX}", "found no such index", f"create index {EVENTS_INDEX}"),
        (f"DROP INDEX {OURS}", "found no such index", f"create index {OURS}"),
        (
            f"DROP INDEX {EVENTS_INDEX}; CREATE INDEX {EVENTS_INDEX} ON events (app_name)",
            "timestamp DESC, id DESC), found (app_name)",
            f"rebuild index {EVENTS_INDEX}",
        ),
        (
            f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{EVENTS_INDEX}'::regclass",
            "expected a valid one",
            f"rebuild index {EVENTS_INDEX}",
        ),
    ],
)
def test_what_is_missing_is_named_and_mended(damage: str, said: str, step: str, adk: Target, sql: Sql) -> None:
    """With the data kept, and nothing besides done."""
    verbs.bootstrap(adk)
    sql(damage)

    assert said in "\n".join(verbs.differences(adk))
    assert step in verbs.bootstrap(adk).steps
    assert verbs.differences(adk) == ()
    assert sql("SELECT count(*) FROM sessions") == [(1,)]


def test_a_history_without_this_layout_is_a_difference(adk: Target, sql: Sql) -> None:
    """Somebody has cleaned a table that is only ever appended to."""
    verbs.bootstrap(adk)
    sql("DELETE FROM session_db_history")

    assert [said.partition(":")[0] for said in verbs.differences(adk)] == ["session_db_history"]
    assert verbs.bootstrap(adk).steps == ("record it in the history",)


def test_the_definition_of_an_index_counts_and_not_its_name(adk: Target, sql: Sql) -> None:
    """ADK looks at the name alone and would never notice."""
    verbs.bootstrap(adk)
    columns = "app_name, user_id, session_id, timestamp, id"
    sql(f"DROP INDEX {EVENTS_INDEX}; CREATE INDEX {EVENTS_INDEX} ON events ({columns})")

    (said,) = verbs.differences(adk)

    wanted = "(app_name, user_id, session_id, timestamp DESC, id DESC)"
    assert said == f"events: expected the index {EVENTS_INDEX} on {wanted}, found ({columns})"


@pytest.mark.parametrize(
    "made",
    [
        "ALTER TABLE sessions ADD COLUMN note TEXT",
        "ALTER TABLE sessions ADD COLUMN tenant TEXT NOT NULL DEFAULT 'one'",
        "CREATE INDEX own ON events USING gin (event_data)",
        "CREATE TABLE own (id INT PRIMARY KEY)",
        "ALTER TABLE sessions ALTER COLUMN state TYPE JSON",
        "ALTER TABLE app_states ALTER COLUMN app_name TYPE TEXT",
    ],
)
def test_what_is_harmless_to_adk_is_left_alone(made: str, adk: Target, sql: Sql) -> None:
    """The bootstrap neither refuses nor undoes it."""
    sql(made)

    verbs.bootstrap(adk)

    assert verbs.bootstrap(adk).steps == ()
    assert read(adk)[1] == 2


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("CREATE TABLE events (id INT PRIMARY KEY, title TEXT)", "no column events.app_name"),
        ("CREATE TABLE sessions (sid TEXT PRIMARY KEY, data BYTEA)", "no column sessions.app_name"),
        ("CREATE VIEW events AS SELECT 1 AS id", "events, which is no table"),
        ("CREATE TABLE adk_internal_metadata (key INT PRIMARY KEY, value INT)", "adk_internal_metadata.key of type"),
        ("CREATE TABLE session_db_history (id INT)", "another table session_db_history"),
        ("CREATE TABLE app_states (app_name TEXT, state JSONB, update_time TIMESTAMP)", "no primary key (app_name)"),
        (
            "CREATE TABLE app_states (app_name TEXT PRIMARY KEY, state JSONB, update_time TIMESTAMP, own INT NOT NULL)",
            "app_states.own, which may not be empty",
        ),
    ],
)
def test_foreign_tables_of_the_same_names_are_refused(
    made: str, words: str, target: Target, sql: Sql, shape: Callable[[], str]
) -> None:
    """ADK would take them for its own; nothing is changed, and the message says what to do."""
    sql(f"SET ROLE {target.owner.username}; {made}")
    before = shape()

    for verb in (verbs.plan, verbs.bootstrap, verbs.differences):
        with pytest.raises(ForeignDatabaseError) as caught:
            verb(target)
        assert words in str(caught.value)
        assert "--schema" in str(caught.value)
    assert shape() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE adk_internal_metadata SET value = '2'", "adk_internal_metadata says version 2"),
        (
            "INSERT INTO session_db_history (layout, checksum, step, release) VALUES (2, 'x', 'later', '9.9.9')",
            "release 9.9.9 of this package has made layout 2",
        ),
    ],
)
def test_what_a_later_release_made_is_refused(
    change: str, words: str, adk: Target, sql: Sql, shape: Callable[[], str]
) -> None:
    """Data changes only forward."""
    verbs.bootstrap(adk)
    sql(change)
    before = shape()

    with pytest.raises(IncompatibleLayoutError, match=words):
        verbs.bootstrap(adk)

    assert shape() == before


def test_an_index_is_built_while_a_writer_goes_on(adk: Target, sql: Sql, postgresql: Cluster) -> None:
    """A build that locked the table would wait for the writer, and the next writer for the build."""
    verbs.bootstrap(adk)
    sql(f"DROP INDEX {OURS}")
    name = str(adk.owner.database)
    with postgresql.superuser.connect(postgresql.address, name) as writer:
        writer.execute("SELECT 1")  # An open transaction, as of a server between two statements.
        writer.commit()
        writer.execute("BEGIN; INSERT INTO app_states VALUES ('other', '{}', now())")
        writer.commit()

        assert verbs.bootstrap(adk).steps == (f"create index {OURS}",)


def test_a_second_set_of_tables_is_refused(adk: Target, shape: Callable[[], str]) -> None:
    """The app role would be led from its sessions to an empty schema."""
    verbs.bootstrap(adk)
    before = shape()

    with pytest.raises(InvalidSettingError, match="has them in schema public"):
        verbs.bootstrap(replace(adk, roles=Roles(schema="other")))

    assert shape() == before
