"""The verification: a good database, each difference by name, and a probe that leaves nothing."""

import asyncio
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.sqlite_session_service import SqliteSessionService

from app import dsn, verbs
from app.backends import choice
from app.backends.interface import Target, Verified
from app.backends.sqlite.readiness import expect_ready
from app.errors import (
    ForeignDatabaseError,
    IncompatibleLayoutError,
    LockedDatabaseError,
    MissingDatabaseError,
    VerificationError,
)

EMPTY = {"app_states": 0, "sessions": 0, "user_states": 0, "events": 0}
COUNTS = (
    "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), (SELECT count(*) FROM {})"
)
APP_STATES = (
    "DROP TABLE app_states; CREATE TABLE app_states (app_name TEXT {key}, state {state} NOT NULL, update_time {time})"
)
EVENTS = (
    "DROP TABLE events; CREATE TABLE events (id TEXT NOT NULL, app_name TEXT NOT NULL, user_id TEXT NOT NULL, "
    "session_id TEXT NOT NULL, invocation_id TEXT NOT NULL, timestamp REAL NOT NULL, event_data TEXT NOT NULL, "
    "PRIMARY KEY (app_name, user_id, session_id, id)"
)
KEY = "(app_name, user_id, session_id) to sessions (app_name, user_id, id) ON DELETE"
REFERENCE = "FOREIGN KEY (app_name, user_id, session_id) REFERENCES sessions (app_name, user_id, id)"


def differences(target: Target) -> tuple[str, ...]:
    """What the verification finds; it must find something."""
    with pytest.raises(VerificationError) as caught:
        verbs.verify(target)
    assert str(caught.value) == "\n".join(caught.value.differences)
    return caught.value.differences


def test_a_bootstrapped_database_is_good(database: Path, target: Target) -> None:
    """With the rows of each table, none of them the probe's."""
    assert verbs.verify(target) == Verified(EMPTY, database)


def test_the_rows_of_a_used_database_are_counted(database: Path, target: Target) -> None:
    """App and user state have rows of their own."""
    service = SqliteSessionService(str(database))
    for number in range(3):
        state = {"app:a": 1, "user:b": 2, "c": 3}
        asyncio.run(service.create_session(app_name="app", user_id=f"user {number}", state=state))

    assert verbs.verify(target).tables == {"app_states": 1, "sessions": 3, "user_states": 3, "events": 0}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE user_states", "user_states: expected this table, found none. To make it: session-db bootstrap"),
        (
            APP_STATES.format(key="PRIMARY KEY", state="JSON", time="REAL NOT NULL"),
            "app_states.state: expected TEXT NOT NULL, found JSON NOT NULL",
        ),
        (
            APP_STATES.format(key="PRIMARY KEY", state="TEXT", time="REAL"),
            "app_states.update_time: expected REAL NOT NULL, found REAL",
        ),
        (
            APP_STATES.format(key="", state="TEXT", time="REAL NOT NULL"),
            "app_states: expected the primary key (app_name), found ()",
        ),
        (
            "ALTER TABLE sessions DROP COLUMN create_time",
            "sessions.create_time: expected REAL NOT NULL, found no such column",
        ),
        (
            "ALTER TABLE sessions ADD COLUMN owner VARCHAR(8)",
            "sessions.owner: expected no such column, found VARCHAR(8)",
        ),
        (f"{EVENTS})", f"events: expected the foreign keys ['{KEY} CASCADE'], found none"),
        (
            f"{EVENTS}, {REFERENCE})",
            f"events: expected the foreign keys ['{KEY} CASCADE'], found ['{KEY} NO ACTION']",
        ),
        ("PRAGMA journal_mode = DELETE", "journal mode: expected wal, found delete. To set it: session-db bootstrap"),
    ],
    ids=["table", "type", "null", "primary key", "column", "extra column", "foreign key", "cascade", "journal mode"],
)
def test_a_difference_is_named(sql: str, expected: str, database: Path, target: Target, script: Any) -> None:
    """What was expected, what was found, and where it helps the command."""
    script(database, sql)

    assert differences(target) == verbs.differences(target) == (expected,)


def test_a_file_that_others_can_read_is_named(database: Path, target: Target) -> None:
    """Sessions are private."""
    database.chmod(0o644)

    expected = f"file mode: expected 0600, found 0644. To mend it: make up, or chmod 600 {database}"
    assert differences(target) == (expected,)


def test_all_differences_are_named_at_once(database: Path, target: Target, script: Any) -> None:
    """Nobody mends one only to learn of the next."""
    script(database, "DROP TABLE events; DROP TABLE sessions; PRAGMA journal_mode = DELETE")
    database.chmod(0o640)

    found = [difference.split(":")[0] for difference in differences(target)]

    assert found == ["sessions", "events", "journal mode", "file mode"]


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'no more'); END", "AlreadyExistsError"),
        ("BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no more'); END", "no more"),
        ("AFTER INSERT ON events BEGIN DELETE FROM events; END", "ADK itself: expected to read"),
    ],
)
def test_what_only_adk_can_tell_is_found(
    trigger: str, words: str, database: Path, target: Target, script: Any, query: Any
) -> None:
    """The tables look right and yet no session can be kept; the failed probe leaves nothing either."""
    script(database, f"CREATE TRIGGER spoils {trigger}")

    (found,) = differences(target)

    assert found.startswith("ADK itself: expected to ")
    assert words in found
    assert query(database, COUNTS.format(*EMPTY)) == [(0, 0, 0, 0)]


LEFT = """
INSERT INTO sessions VALUES ('session-db-probe', 'probe', 'left', '{{}}', 0, unixepoch('now', '-{seconds} seconds'));
INSERT INTO events VALUES ('e', 'session-db-probe', 'probe', 'left', 'i', 0, '{{}}');
"""
"""What a probe leaves that was killed so many seconds ago."""


def test_what_a_killed_probe_left_is_removed(database: Path, target: Target, script: Any, query: Any) -> None:
    """Its events go with its session."""
    script(database, LEFT.format(seconds=3600))

    assert verbs.verify(target).tables == EMPTY
    assert query(database, COUNTS.format(*EMPTY)) == [(0, 0, 0, 0)]


def test_a_probe_that_runs_at_the_same_time_is_left_alone(database: Path, target: Target, script: Any) -> None:
    """Two replicas may verify together, and neither may fail for the other."""
    script(database, LEFT.format(seconds=0))

    assert verbs.verify(target).tables == EMPTY | {"sessions": 1, "events": 1}


def test_the_sessions_of_others_are_left_alone(database: Path, target: Target, query: Any) -> None:
    """However old."""
    query(database, "INSERT INTO sessions VALUES ('app', 'probe', 'one', '{}', 0, 0)")

    assert verbs.verify(target).tables == EMPTY | {"sessions": 1}


def test_a_missing_file_is_not_made(path: Path, target: Target) -> None:
    """Verifying changes nothing."""
    with pytest.raises(MissingDatabaseError, match=f"expected to use the database {path}, but"):
        verbs.verify(target)

    assert not path.parent.exists()


def test_a_file_that_is_no_database_is_refused_and_its_neighbours_stay(tmp_path: Path) -> None:
    """SQLite would remove them, taking them for its own."""
    for name in ("notes.db", "notes.db-wal", "notes.db-journal"):
        (tmp_path / name).write_text("not a database\n" * 100)

    with pytest.raises(ForeignDatabaseError, match="is something else"):
        verbs.verify(Target.of(dsn.parse(f"sqlite:///{tmp_path}/notes.db")))

    assert sorted(place.name for place in tmp_path.iterdir()) == ["notes.db", "notes.db-journal", "notes.db-wal"]


def test_a_lock_that_is_not_released_is_no_difference(
    database: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is good, only not to be had now."""
    other = sqlite3.connect(database)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0.05))  # ADK's own bound is 5 s.
    try:
        with pytest.raises(LockedDatabaseError, match="another process holds its lock"):
            verbs.verify(target)
    finally:
        other.close()


def test_to_look_for_differences_changes_nothing(database: Path, target: Target, content: Any) -> None:
    """Not one byte, and nothing is left beside the file."""
    before = content(database.parent), database.stat().st_mtime_ns

    assert verbs.differences(target) == ()
    assert (content(database.parent), database.stat().st_mtime_ns) == before


def test_what_only_a_write_can_tell_is_no_difference_of_the_schema(database: Path, target: Target, script: Any) -> None:
    """To look changes nothing, so it tries nothing either."""
    script(database, "CREATE TRIGGER spoils BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no more'); END")

    assert verbs.differences(target) == ()


@pytest.mark.parametrize("verb", [verbs.verify, verbs.differences])
def test_another_layout_is_told_by_its_name(verb: Any, path: Path, target: Target, script: Any) -> None:
    """Not as a list of columns."""
    path.parent.mkdir()
    script(path, "CREATE TABLE adk_internal_metadata (key TEXT); CREATE TABLE events (id TEXT, event_data TEXT)")

    with pytest.raises(IncompatibleLayoutError, match=r"the one that ADK keeps under sqlite\+aiosqlite:///"):
        verb(target)


def test_a_database_that_a_server_uses_is_good(database: Path, target: Target, query: Any) -> None:
    """The one connection that shows it in use keeps nobody from writing, and WAL mode is not left meanwhile."""
    with choice.of(target.app).in_use(target.app):
        assert verbs.verify(target) == Verified(EMPTY, database)
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            query(database, "PRAGMA journal_mode = DELETE")


@pytest.mark.parametrize("look", [expect_ready, lambda url: verbs.verify(Target.of(url))], ids=["probe", "verify"])
def test_a_look_at_a_database_that_is_in_use_keeps_its_locks(look: Any, database: Path, target: Target) -> None:
    """Closing the file by hand would drop them, and another program that believes to be alone removes the log."""
    outside = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM sessions'); c.close()"
    with choice.of(target.app).in_use(target.app):
        log = database.with_name(f"{database.name}-wal")
        before = log.stat().st_ino

        look(target.app)
        subprocess.run([sys.executable, "-c", outside, database], check=True)

        assert log.stat().st_ino == before, "the log is still the one that this process writes"
