"""A load on a real PostgreSQL through the real ADK, held against what is stored."""

import math
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from app.drills import stored
from app.drills.journal import Key
from app.drills.load import Load, Settings
from app.drills.report import LoadReport
from app.errors import AuthenticationError

SETTINGS = Settings(writers=3, rate=50, patience=30)

Ask = Callable[[URL, str], list[tuple[object, ...]]]


def finished(url: URL, settings: Settings = SETTINGS, *, count: int = 5) -> Load:
    """A load in which every writer had some events acknowledged."""
    with Load(url, settings) as load:
        written(load, count)
    return load


def written(load: Load, count: int) -> None:
    """Wait until every writer has had so many more events acknowledged."""
    before = len(load.journal.acknowledged)
    missing = count * load.settings.writers
    while len(load.journal.acknowledged) < before + missing:
        load.lasting(0.02)
        assert load.running, "the load ended by itself"


def compared(load: Load, url: URL) -> stored.Comparison:
    """The load held against what is stored."""
    found = stored.read(url, load.run, load.settings.writers)
    return stored.compared(found, load.journal.known(), load.journal.unanswered)


def test_what_was_acknowledged_is_stored_and_nothing_else(sessions: URL) -> None:
    """Each writer in a session of its own, its events numbered without a gap."""
    load = finished(sessions)

    found = compared(load, sessions)

    assert found.broken() == ()
    keys = load.journal.known()
    assert found.stored == len(keys) == len(load.journal.acknowledged) >= 15
    for writer in range(3):
        numbers = sorted(key.number for key in keys if key.writer == writer)
        assert numbers == list(range(1, len(numbers) + 1)), writer
    assert load.journal.failures == []


def test_a_report_adds_up(sessions: URL) -> None:
    """Rates, percentiles and series are of the same events."""
    load = finished(sessions)

    report = LoadReport.of(load, compared(load, sessions))

    assert sum(report.acknowledged_per_100_ms) == report.acknowledged == report.attempted == report.stored
    assert len(report.acknowledged_per_100_ms) == len(report.errors_per_100_ms) == math.ceil(load.seconds * 10)
    assert 0 < report.latency_ms.p50 <= report.latency_ms.p95 <= report.latency_ms.p100
    assert 0 < report.gap_seconds.p50 <= report.gap_seconds.p100 <= report.seconds
    assert 0 < report.silence_seconds <= report.gap_seconds.p100
    assert report.errors == {}


def test_a_lost_event_is_named(sessions: URL, ask: Ask) -> None:
    """The comparison can fail: an event is taken away behind its back."""
    load = finished(sessions)
    ask(sessions, f"DELETE FROM events WHERE id = '{load.run}-001-00000002'")

    found = compared(load, sessions)

    assert found.lost == {Key(1, 2)}
    assert found.broken() == ("1 acknowledged events are lost",)
    assert found.examples() == ("writer 1, event 2: lost",)


def test_a_lost_last_event_leaves_a_torn_session(sessions: URL, ask: Ask) -> None:
    """The state went on without it."""
    load = finished(sessions)
    ask(sessions, f"DELETE FROM events WHERE id = (SELECT max(id) FROM events WHERE session_id = '{load.run}-002')")

    assert compared(load, sessions).torn == {2}


def test_an_event_that_is_stored_twice_is_found_by_its_number(sessions: URL, ask: Ask) -> None:
    """Another id does not hide it."""
    load = finished(sessions)
    columns = "app_name, user_id, session_id, invocation_id, timestamp, event_data"
    ask(sessions, f"INSERT INTO events (id, {columns}) SELECT 'other', {columns} FROM events WHERE id LIKE '%-000-%1'")

    assert compared(load, sessions).duplicated == {Key(0, 1)}


def test_a_changed_event_and_one_from_elsewhere_are_told(sessions: URL, ask: Ask) -> None:
    """The content counts, and so does what nobody sent."""
    load = finished(sessions)
    ask(
        sessions,
        "UPDATE events SET event_data = jsonb_set(event_data, '{content,parts,0,text}', '\"other\"') "
        f"WHERE id = '{load.run}-000-00000003'",
    )
    ask(
        sessions,
        "UPDATE events SET event_data = jsonb_set(event_data, '{custom_metadata,drill_number}', '9999') "
        f"WHERE id = '{load.run}-001-00000001'",
    )

    found = compared(load, sessions)

    assert found.lost == {Key(1, 1)}
    assert found.unexpected == {Key(1, 9999)}
    assert found.altered >= {Key(0, 3)}


def test_an_event_whose_answer_was_lost_is_stored_once(sessions: URL, proxy: Any) -> None:
    """The client asks again, sees it, and does not append it a second time."""
    with Load(sessions.set(port=proxy.port), SETTINGS) as load:
        written(load, 2)
        proxy.lose = 1
        written(load, 5)

    report = LoadReport.of(load, compared(load, sessions))

    assert proxy.lost == 1
    assert (report.confirmed, report.retried) == (1, 1)
    assert (report.lost, report.duplicated, report.unexpected, report.torn) == (0, 0, 0, 0)
    assert report.acknowledged == report.stored == report.attempted
    assert report.errors == {"ConnectionLostError": 1}


def test_nothing_is_on_its_way_while_the_writers_are_held(sessions: URL) -> None:
    """What is stored in that moment is what was acknowledged until then."""
    with Load(sessions, SETTINGS) as load:
        written(load, 2)
        with load.held():
            before = load.journal.known()
            found = stored.read(sessions, load.run, 3)
            assert frozenset(found.counts) == before == load.journal.known()
        written(load, 2)

    assert compared(load, sessions).broken() == ()
    assert len(load.journal.known()) >= len(before) + 6


def test_a_writer_that_gives_up_says_so(sessions: URL, ask: Ask) -> None:
    """Neither stored nor lost counts against the database then, and the others go on."""
    settings = Settings(writers=2, rate=50, patience=0.5)
    with Load(sessions, settings) as load:
        written(load, 2)
        ask(sessions, f"DELETE FROM sessions WHERE id = '{load.run}-001'")
        kept = {key for key in load.journal.known() if key.writer == 0}
        while not load.journal.unanswered:
            load.lasting(0.02)

    assert {key.writer for key in load.journal.unanswered} == {1}
    assert set(load.journal.errors()) == {"SessionNotFoundError"}
    assert {key for key in load.journal.known() if key.writer == 0} > kept
    assert {key.writer for key in compared(load, sessions).lost} == {1}


def test_a_database_that_refuses_is_told_at_once(sessions: URL) -> None:
    """No load begins."""
    with pytest.raises(AuthenticationError, match="it does not accept user and password"):
        Load(sessions.set(password="wrong"), SETTINGS).__enter__()


def test_an_error_in_the_middle_ends_the_writers(sessions: URL) -> None:
    """The event on its way is still answered; what is stored can be cleaned up."""
    load = Load(sessions, SETTINGS)
    with pytest.raises(ZeroDivisionError), load:
        written(load, 2 // 0)

    assert not load.running
    assert load.journal.unanswered == []
    assert compared(load, sessions).lost == frozenset()


def test_a_writer_that_hangs_does_not_keep_an_error_back(
    sessions: URL, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is cut off: its event may be stored or not."""
    monkeypatch.setattr("app.drills.load._GRACE", 0.2)
    load = Load(sessions, SETTINGS)
    text = sessions.set(drivername="postgresql").render_as_string(hide_password=False)

    def hang() -> None:
        blocker.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        while ask(sessions, "SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
            load.lasting(0.02)
        raise ZeroDivisionError

    with psycopg.connect(text) as blocker, pytest.raises(ZeroDivisionError), load:
        hang()

    assert not load.running
    assert load.journal.unanswered
    assert "never retrieved" not in caplog.text


def test_the_sessions_of_a_load_go_and_those_of_others_stay(sessions: URL, ask: Ask) -> None:
    """But for those that a killed drill left."""
    first, second = finished(sessions), finished(sessions)
    ask(sessions, f"UPDATE sessions SET update_time = '2020-01-01' WHERE id = '{second.run}-001'")

    stored.clean(sessions, first.run, 3)

    left = {name for (name,) in ask(sessions, "SELECT id FROM sessions")}
    assert left == {f"{second.run}-000", f"{second.run}-002"}
    assert {name for (name,) in ask(sessions, "SELECT DISTINCT session_id FROM events")} == left
