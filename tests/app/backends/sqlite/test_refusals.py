"""Files that are not ours: refused by plan and bootstrap alike, each by its kind, and left as they are."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.database_session_service import DatabaseSessionService

from app import dsn, verbs
from app.backends.interface import Target
from app.errors import ForeignDatabaseError, IncompatibleLayoutError, NotAFileError, OlderLayoutError

EVENTS = "CREATE TABLE events (id TEXT, app_name TEXT, user_id TEXT, session_id TEXT, invocation_id TEXT"


def test_a_text_file_is_refused(tmp_path: Path, refused: Any) -> None:
    """SQLite would remove what lies beside it under its sidecars' names."""
    file = tmp_path / "notes.db"
    file.write_text("not a database\n" * 100)
    for suffix in ("-wal", "-journal"):
        file.with_name(file.name + suffix).write_text("beside")

    error = refused(file)

    assert type(error) is ForeignDatabaseError
    expected = f"expected a SQLite database, but {file} is something else. Choose another path in SESSION_DB_URI."
    assert str(error) == expected


def test_a_damaged_database_is_refused(tmp_path: Path, refused: Any) -> None:
    """The right first bytes do not make a database."""
    file = tmp_path / "damaged.db"
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)

    assert type(refused(file)) is ForeignDatabaseError


def test_a_folder_is_refused(tmp_path: Path, refused: Any) -> None:
    """The message offers a file in it."""
    folder = tmp_path / "data"
    folder.mkdir()

    error = refused(folder)

    assert type(error) is NotAFileError
    assert f"Add a file name in SESSION_DB_URI: sqlite:///{folder}/s.db" in str(error)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path, refused: Any) -> None:
    """A pipe would wait for its other end for ever."""
    os.mkfifo(tmp_path / "pipe")

    assert type(refused(tmp_path / "pipe")) is ForeignDatabaseError
    with pytest.raises(ForeignDatabaseError, match="/dev/null is something else"):
        verbs.bootstrap(Target.of(dsn.parse("sqlite:////dev/null")))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TABLE albums (id); CREATE TABLE tracks (id)", "it holds the tables albums, tracks"),
        ("PRAGMA journal_mode = WAL; CREATE TABLE albums (id)", "it holds the tables albums"),
        ("CREATE VIEW albums AS SELECT 1", "it holds the view albums"),
        ("CREATE VIEW sessions AS SELECT 1", "it holds the view sessions"),
        ("CREATE TABLE Sessions (id)", "it holds the table Sessions"),
        ("CREATE TABLE t (id); CREATE INDEX events ON t (id)", "it holds the index events"),
        ("CREATE TABLE sessions (id INTEGER, name TEXT)", "sessions.id: expected TEXT NOT NULL, found INTEGER"),
        ("CREATE TABLE user_states (x)", "user_states.app_name: expected TEXT NOT NULL, found no such column"),
        ("CREATE TABLE app_states (x)", "app_states.x: expected no such column"),
        ("CREATE TABLE events (id INTEGER PRIMARY KEY, title TEXT)", "events.title: expected no such column"),
    ],
)
def test_the_database_of_another_program_is_refused(
    sql: str, words: str, tmp_path: Path, script: Any, refused: Any
) -> None:
    """Even where the names are the same; the message says what is there and where to change the path."""
    file = tmp_path / "other.db"
    script(file, sql)

    error = refused(file)

    assert type(error) is ForeignDatabaseError
    assert words in str(error)
    assert str(error).endswith("Choose another path in SESSION_DB_URI.")


@pytest.mark.parametrize("name", ["EVENTS", "Events"])
def test_a_name_that_differs_in_case_is_refused(name: str, database: Path, script: Any, refused: Any) -> None:
    """For SQLite it is the same name, and ours could not be made."""
    script(database, f"DROP TABLE events; CREATE TABLE {name} (x)")

    assert f"it holds the table {name}" in str(refused(database))


def test_the_layout_of_adks_other_service_is_refused(tmp_path: Path, refused: Any) -> None:
    """The two do not mix: ADK would fail at the first read."""
    file = tmp_path / "v1.db"

    async def write() -> None:
        async with DatabaseSessionService(f"sqlite+aiosqlite:///{file}") as service:
            await service.create_session(app_name="app", user_id="user")

    asyncio.run(write())

    error = refused(file)

    assert type(error) is IncompatibleLayoutError
    assert "sqlite+aiosqlite:///" in str(error)
    assert "Choose another path in SESSION_DB_URI; the file stays as it is." in str(error)


def test_an_older_layout_is_refused_with_adks_own_migration(tmp_path: Path, script: Any, refused: Any) -> None:
    """The command that the message gives is one that the installed ADK has."""
    file = tmp_path / "old.db"
    script(file, f"CREATE TABLE sessions (id TEXT); {EVENTS}, author TEXT, actions BLOB, content TEXT)")

    error = refused(file)

    assert type(error) is OlderLayoutError
    module = "google.adk.sessions.migration.migrate_from_sqlalchemy_sqlite"
    assert f"python -m {module} --source_db_path {file} --dest_db_path {file}.new" in str(error)
    helped = subprocess.run([sys.executable, "-m", module, "--help"], check=True, capture_output=True, text=True)
    assert "--source_db_path" in helped.stdout
    assert "--dest_db_path" in helped.stdout


def test_an_older_layout_is_refused_to_a_server_too(tmp_path: Path, script: Any, content: Any) -> None:
    """Which never starts a migration."""
    file = tmp_path / "old.db"
    script(file, f"CREATE TABLE sessions (id TEXT); {EVENTS}, author TEXT, actions BLOB, content TEXT)")
    before = content(tmp_path)

    with pytest.raises(OlderLayoutError):
        verbs.make_ready(dsn.parse(f"sqlite:///{file}"))

    assert content(tmp_path) == before
