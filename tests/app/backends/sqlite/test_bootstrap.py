"""The bootstrap on real files: made, completed or left alone; and the plan, which says so without doing it."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.sqlite_session_service import SqliteSessionService

from app import dsn, verbs
from app.backends.interface import Bootstrapped, Target

NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
SESSION = "INSERT INTO sessions VALUES ('app', 'user', 'one', '{}', 1.0, 2.0)"
NOTHING = Bootstrapped(())


def named(tables: tuple[str, ...]) -> list[tuple[str]]:
    """What `NAMES` gives for these tables."""
    return [(name,) for name in sorted(tables)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_missing_file_is_made_private(
    umask: int, tmp_path: Path, query: Any, mode: Any, tables: tuple[str, ...]
) -> None:
    """With every folder that leads to it, and the umask has no say in it."""
    file = tmp_path.resolve() / "a" / "b" / "sessions.db"
    before = os.umask(umask)
    try:
        done = verbs.bootstrap(Target.of(dsn.parse(f"sqlite:///{file}")))
    finally:
        os.umask(before)

    made = (f"create file {file}, mode 0600", "switch to WAL mode", *(f"create table {name}" for name in tables))
    assert (done, done.changed, done.refused) == (Bootstrapped(made), True, 0)
    assert [mode(place) for place in (file.parent.parent, file.parent, file)] == ["700", "700", "600"]
    assert query(file, NAMES) == named(tables)
    assert query(file, "PRAGMA journal_mode") == [("wal",)]


def test_every_step_is_reported_once_it_is_done(target: Target, steps: tuple[str, ...]) -> None:
    """A line each; a second run has nothing to say."""
    said: list[str] = []

    verbs.bootstrap(target, said.append)
    verbs.bootstrap(target, said.append)

    assert tuple(said) == steps


def test_the_folder_of_others_keeps_its_mode(path: Path, target: Target, mode: Any) -> None:
    """A folder that is there is its owner's affair."""
    path.parent.mkdir()
    path.parent.chmod(0o755)

    verbs.bootstrap(target)

    assert mode(path.parent) == "755"
    assert mode(path) == "600"


def test_an_empty_file_is_filled(
    path: Path, target: Target, query: Any, steps: tuple[str, ...], tables: tuple[str, ...]
) -> None:
    """It is what the provisioning half makes, or what a killed run leaves."""
    path.parent.mkdir()
    path.touch(0o600)

    assert verbs.bootstrap(target) == Bootstrapped(steps[1:])
    assert query(path, NAMES) == named(tables)


def test_a_second_run_writes_nothing(database: Path, target: Target, content: Any) -> None:
    """Not one byte, not even the time of the last change; and nothing is left beside the file."""
    before = content(database.parent), database.stat().st_mtime_ns

    done = verbs.bootstrap(target)

    assert (done, done.changed) == (NOTHING, False)
    assert (content(database.parent), database.stat().st_mtime_ns) == before
    assert list(content(database.parent)) == ["sessions.db"]


def test_a_second_run_needs_no_lock(database: Path, target: Target) -> None:
    """A server that is writing does not keep another from starting."""
    writer = sqlite3.connect(database)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert verbs.bootstrap(target) == NOTHING
        assert verbs.plan(target).steps == ()
    finally:
        writer.close()


def test_data_survives(database: Path, target: Target, query: Any) -> None:
    """On a finished schema, and where a table has to be made again."""
    query(database, SESSION)
    verbs.bootstrap(target)
    query(database, "DROP TABLE user_states")
    verbs.bootstrap(target)

    assert query(database, "SELECT * FROM sessions") == [("app", "user", "one", "{}", 1.0, 2.0)]


@pytest.mark.parametrize("table", ["app_states", "sessions", "user_states", "events"])
def test_a_partly_made_schema_is_completed(
    table: str, database: Path, target: Target, query: Any, tables: tuple[str, ...]
) -> None:
    """Only what is missing is made."""
    query(database, f"DROP TABLE {table}")

    assert verbs.bootstrap(target) == Bootstrapped((f"create table {table}",))
    assert query(database, NAMES) == named(tables)


def test_a_file_that_adk_made_is_put_into_wal(path: Path, target: Target, query: Any) -> None:
    """ADK makes its tables without it, and readers would wait for the writer."""
    path.parent.mkdir()
    asyncio.run(SqliteSessionService(str(path)).create_session(app_name="app", user_id="user", session_id="one"))

    done = verbs.bootstrap(target)

    assert (done, done.changed) == (Bootstrapped(("switch to WAL mode",)), True)
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert query(path, "SELECT id FROM sessions") == [("one",)]


def test_tables_of_the_user_beside_ours_are_tolerated(database: Path, target: Target, query: Any, script: Any) -> None:
    """An application may keep its own beside the sessions, with views and indexes."""
    own = "CREATE TABLE own (x); INSERT INTO own VALUES (42); CREATE INDEX by_x ON own (x); CREATE VIEW v AS SELECT 1"
    script(database, own)
    query(database, "DROP TABLE events")

    assert verbs.bootstrap(target) == Bootstrapped(("create table events",))
    assert query(database, "SELECT x FROM own") == [(42,)]


def test_a_server_makes_ready_what_it_needs(path: Path, target: Target, query: Any, tables: tuple[str, ...]) -> None:
    """As a bootstrap does, with one role for both."""
    verbs.make_ready(target.app)

    assert query(path, NAMES) == named(tables)


def test_a_plan_of_a_missing_file_makes_nothing(path: Path, target: Target, steps: tuple[str, ...]) -> None:
    """Neither the file nor its folder; the steps are those that the bootstrap then takes."""
    planned = verbs.plan(target)

    assert not path.parent.exists()
    assert planned.found == "no such file"
    assert tuple(step.name for step in planned.steps) == steps == verbs.bootstrap(target).steps


@pytest.mark.parametrize(
    ("sql", "steps"),
    [
        ("", []),
        ("PRAGMA journal_mode = DELETE", ["switch to WAL mode"]),
        ("DROP TABLE events; DROP TABLE app_states", ["create table app_states", "create table events"]),
    ],
    ids=["finished", "journal", "partly made"],
)
def test_a_plan_says_what_the_bootstrap_then_does(
    sql: str, steps: list[str], database: Path, target: Target, script: Any, content: Any
) -> None:
    """And changes not one byte itself."""
    script(database, sql)
    before = content(database.parent)

    planned = verbs.plan(target)

    assert content(database.parent) == before
    assert (planned.found, [step.name for step in planned.steps]) == ("ADK's layout for SQLite", steps)
    assert list(verbs.bootstrap(target).steps) == steps
    assert verbs.plan(target).steps == ()


def test_a_plan_of_an_empty_file_says_so(path: Path, target: Target, steps: tuple[str, ...], content: Any) -> None:
    """It is what the provisioning half makes; only the file is not to be made."""
    path.parent.mkdir()
    path.touch(0o600)

    planned = verbs.plan(target)

    assert content(path.parent) == {"sessions.db": b""}
    assert (planned.found, tuple(step.name for step in planned.steps)) == ("no session tables", steps[1:])


def test_the_sql_of_a_plan_makes_the_database_by_hand(path: Path, target: Target, script: Any) -> None:
    """What is shown is what is done: after it nothing is left to do."""
    planned = verbs.plan(target)
    path.parent.mkdir()
    path.touch(0o600)

    script(path, "; ".join(sql for step in planned.steps for sql in step.shown))

    assert verbs.plan(target).steps == ()
    assert verbs.differences(target) == ()
