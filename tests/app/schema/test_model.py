"""The one model behind all layouts, and the types that SQLite's layout stores moments and JSON in."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, select
from sqlalchemy.dialects import sqlite as sqlite_dialect

from app.schema import model, postgresql, sqlite
from app.schema.sqlite import EpochSeconds, JsonText

DIALECT = sqlite_dialect.dialect()
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001  # Naive UTC is what both layouts hold.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("layout", [sqlite.METADATA, postgresql.METADATA], ids=["sqlite", "postgresql"])
def test_every_layout_has_the_same_tables_and_columns(layout: MetaData) -> None:
    """In an order that foreign keys allow; only types, keys and extras differ."""
    names = [table.name for table in layout.sorted_tables if table.name in model.TABLES]

    assert sorted(names) == sorted(model.TABLES)
    assert names.index("sessions") < names.index("events")
    for name in model.TABLES:
        assert layout.tables[name].columns.keys() == sqlite.METADATA.tables[name].columns.keys(), name
        keys = {column.name for column in layout.tables[name].primary_key.columns}
        assert keys == {column.name for column in sqlite.METADATA.tables[name].primary_key.columns}, name


def test_the_tables_of_state_are_those_without_a_session() -> None:
    """What a probe has to clean up by itself."""
    states = [
        name for name, table in sqlite.METADATA.tables.items() if not set(table.columns.keys()) & {"id", "session_id"}
    ]

    assert sorted(states) == sorted(model.STATE_TABLES)


@settings(deadline=None)
@given(moment=MOMENTS)
def test_a_moment_is_exact_to_the_microsecond(moment: datetime) -> None:
    """From `datetime` to a double and back; the double is what ADK itself would write."""
    kind = EpochSeconds()

    stored = kind.process_bind_param(moment, DIALECT)

    assert stored == moment.replace(tzinfo=UTC).timestamp()
    assert kind.process_result_value(stored, DIALECT) == moment


@settings(deadline=None)
@given(microseconds=st.integers(0, int(timedelta(days=47482) / timedelta(microseconds=1))))
def test_seconds_are_exact_the_other_way_too(microseconds: int) -> None:
    """What ADK wrote is written again as it was: a double nearest to a whole number of microseconds."""
    kind = EpochSeconds()
    stored = microseconds / 1_000_000

    read = kind.process_result_value(stored, DIALECT)

    assert read is not None
    assert read.tzinfo is None
    assert kind.process_bind_param(read, DIALECT) == stored


@settings(deadline=None)
@given(value=JSON)
def test_json_is_exact(value: Any) -> None:
    """Spelt as ADK spells it; a NULL is none."""
    kind = JsonText()

    stored = kind.process_bind_param(value, DIALECT)

    assert stored == (None if value is None else json.dumps(value))
    assert kind.process_result_value(stored, DIALECT) == value


def test_null_stays_null() -> None:
    """In both directions, whatever the type."""
    for kind in (EpochSeconds(), JsonText()):
        assert kind.process_bind_param(None, DIALECT) is None
        assert kind.process_result_value(None, DIALECT) is None


@settings(deadline=None)
@given(moment=MOMENTS, value=JSON.filter(lambda value: value is not None))
def test_sqlite_itself_loses_nothing(moment: datetime, value: Any) -> None:
    """Through a real column of each type."""
    table = Table("t", MetaData(), Column("time", EpochSeconds()), Column("json", JsonText()))
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            table.create(connection)
            connection.execute(table.insert().values(time=moment, json=value))
            (found,) = connection.execute(select(table.c.time, table.c.json))
    finally:
        engine.dispose()

    assert tuple(found) == (moment, value)


def test_what_adk_wrote_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """A session of the installed ADK through our own metadata."""
    file = tmp_path / "adk.db"
    state = {"colour": "blue", "user:city": "Zürich", "n": [1, 2.5, None]}
    service = SqliteSessionService(str(file))
    session = asyncio.run(service.create_session(app_name="app", user_id="user", session_id="one", state=state))
    engine = create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            (found,) = connection.execute(select(sqlite.METADATA.tables["sessions"])).mappings()
            (user,) = connection.execute(select(sqlite.METADATA.tables["user_states"])).mappings()
    finally:
        engine.dispose()

    assert (found["app_name"], found["user_id"], found["id"]) == ("app", "user", "one")
    assert (found["state"], user["state"]) == ({"colour": "blue", "n": [1, 2.5, None]}, {"city": "Zürich"})
    assert found["update_time"].replace(tzinfo=UTC).timestamp() == pytest.approx(session.last_update_time, abs=1e-6)
