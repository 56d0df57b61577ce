"""The bootstrap on real files: made, completed, left alone or refused, alone and among many, whole and killed."""

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from sqlalchemy import URL

from app import dsn, engine
from app.bootstrap import Bootstrapped, bootstrap
from app.errors import (
    DatabaseUnavailableError,
    ForeignDatabaseError,
    IncompatibleLayoutError,
    OlderLayoutError,
    SessionDatabaseError,
)

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("app_states", "sessions", "user_states", "events")
NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
SESSION = "INSERT INTO sessions VALUES ('app', 'user', 'one', '{}', 1.0, 2.0)"
EVENTS = "CREATE TABLE events (id TEXT, app_name TEXT, user_id TEXT, session_id TEXT, invocation_id TEXT"


def mode(path: Path) -> str:
    """The permission bits as `ls` and `chmod` speak of them."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def script(file: Path, sql: str) -> None:
    """Make a database as some other program would."""
    connection = sqlite3.connect(file)
    try:
        connection.executescript(sql)
    finally:
        connection.close()


def content(folder: Path) -> dict[str, bytes | None]:
    """Every name below a folder, and the bytes of every file."""
    return {
        str(place.relative_to(folder)): place.read_bytes() if place.is_file() else None for place in folder.rglob("*")
    }


def refused(file: Path) -> SessionDatabaseError:
    """Bootstrap a file that must be refused; nothing in its folder may change."""
    before = content(file.parent)
    with pytest.raises(SessionDatabaseError) as caught:
        bootstrap(dsn.parse(f"sqlite:///{file}"))
    assert content(file.parent) == before
    return caught.value


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_missing_file_is_made_private(umask: int, tmp_path: Path, query: Any) -> None:
    """With every folder that leads to it, and the umask has no say in it."""
    file = tmp_path / "a" / "b" / "sessions.db"
    before = os.umask(umask)
    try:
        done = bootstrap(dsn.parse(f"sqlite:///{file}"))
    finally:
        os.umask(before)

    assert done == Bootstrapped(TABLES, changed=True)
    assert [mode(place) for place in (file.parent.parent, file.parent, file)] == ["700", "700", "600"]
    assert query(file, NAMES) == [(name,) for name in sorted(TABLES)]
    assert query(file, "PRAGMA journal_mode") == [("wal",)]


def test_the_folder_of_others_keeps_its_mode(path: Path, url: URL) -> None:
    """A folder that is there is its owner's affair."""
    path.parent.mkdir()
    path.parent.chmod(0o755)

    bootstrap(url)

    assert mode(path.parent) == "755"
    assert mode(path) == "600"


def test_an_empty_file_is_filled(path: Path, url: URL, query: Any) -> None:
    """It is what the provisioning half makes, or what a killed run leaves."""
    path.parent.mkdir()
    path.touch(0o600)

    assert bootstrap(url) == Bootstrapped(TABLES, changed=True)
    assert query(path, NAMES) == [(name,) for name in sorted(TABLES)]


def test_a_second_run_writes_nothing(database: Path, url: URL) -> None:
    """Not one byte, not even the time of the last change; and nothing is left beside the file."""
    before = content(database.parent), database.stat().st_mtime_ns

    assert bootstrap(url) == Bootstrapped((), changed=False)
    assert (content(database.parent), database.stat().st_mtime_ns) == before
    assert list(content(database.parent)) == ["sessions.db"]


def test_a_second_run_needs_no_lock(database: Path, url: URL) -> None:
    """A server that is writing does not keep another from starting."""
    writer = sqlite3.connect(database)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert bootstrap(url) == Bootstrapped((), changed=False)
    finally:
        writer.close()


def test_data_survives(database: Path, url: URL, query: Any) -> None:
    """On a finished schema, and where a table has to be made again."""
    query(database, SESSION)
    bootstrap(url)
    query(database, "DROP TABLE user_states")
    bootstrap(url)

    assert query(database, "SELECT * FROM sessions") == [("app", "user", "one", "{}", 1.0, 2.0)]


@pytest.mark.parametrize("table", TABLES)
def test_a_partly_made_schema_is_completed(table: str, database: Path, url: URL, query: Any) -> None:
    """Only what is missing is made."""
    query(database, f"DROP TABLE {table}")

    assert bootstrap(url) == Bootstrapped((table,), changed=True)
    assert query(database, NAMES) == [(name,) for name in sorted(TABLES)]


def test_a_file_that_adk_made_is_put_into_wal(path: Path, url: URL, query: Any) -> None:
    """ADK makes its tables without it, and readers would wait for the writer."""
    path.parent.mkdir()
    asyncio.run(SqliteSessionService(str(path)).create_session(app_name="app", user_id="user", session_id="one"))

    assert bootstrap(url) == Bootstrapped((), changed=True)
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert query(path, "SELECT id FROM sessions") == [("one",)]


def test_tables_of_the_user_beside_ours_are_tolerated(database: Path, url: URL, query: Any) -> None:
    """An application may keep its own beside the sessions, with views and indexes."""
    own = "CREATE TABLE own (x); INSERT INTO own VALUES (42); CREATE INDEX by_x ON own (x); CREATE VIEW v AS SELECT 1"
    script(database, own)
    query(database, "DROP TABLE events")

    assert bootstrap(url) == Bootstrapped(("events",), changed=True)
    assert query(database, "SELECT x FROM own") == [(42,)]


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    """SQLite would remove what lies beside it under its sidecars' names."""
    file = tmp_path / "notes.db"
    file.write_text("not a database\n" * 100)
    for suffix in ("-wal", "-journal"):
        file.with_name(file.name + suffix).write_text("beside")

    error = refused(file)

    assert type(error) is ForeignDatabaseError
    expected = f"expected a SQLite database, but {file} is something else. Choose another path in SESSION_DB_URI."
    assert str(error) == expected


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    """The right first bytes do not make a database."""
    file = tmp_path / "damaged.db"
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)

    assert type(refused(file)) is ForeignDatabaseError


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """The message offers a file in it."""
    folder = tmp_path / "data"
    folder.mkdir()

    error = refused(folder)

    assert type(error) is ForeignDatabaseError
    assert f"Add a file name in SESSION_DB_URI: sqlite:///{folder}/s.db" in str(error)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    """A pipe would wait for its other end for ever."""
    os.mkfifo(tmp_path / "pipe")

    assert type(refused(tmp_path / "pipe")) is ForeignDatabaseError
    with pytest.raises(ForeignDatabaseError, match="/dev/null is something else"):
        bootstrap(dsn.parse("sqlite:////dev/null"))


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
def test_the_database_of_another_program_is_refused(sql: str, words: str, tmp_path: Path) -> None:
    """Even where the names are the same; the message says what is there and where to change the path."""
    file = tmp_path / "other.db"
    script(file, sql)

    error = refused(file)

    assert type(error) is ForeignDatabaseError
    assert words in str(error)
    assert str(error).endswith("Choose another path in SESSION_DB_URI.")


@pytest.mark.parametrize("name", ["EVENTS", "Events"])
def test_a_name_that_differs_in_case_is_refused(name: str, database: Path) -> None:
    """For SQLite it is the same name, and ours could not be made."""
    script(database, f"DROP TABLE events; CREATE TABLE {name} (x)")

    assert f"it holds the table {name}" in str(refused(database))


def test_the_layout_of_adks_other_service_is_refused(tmp_path: Path) -> None:
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


def test_an_older_layout_is_refused_with_adks_own_migration(tmp_path: Path) -> None:
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


def started(*arguments: str, uri: URL) -> "subprocess.Popen[str]":
    """A bootstrap in a process of its own."""
    environ = os.environ | {"SESSION_DB_URI": f"sqlite:///{uri.database}"}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_of_eight_commands_at_once_exactly_one_makes_the_tables(path: Path, url: URL, query: Any) -> None:
    """As when several replicas start together on a missing file; the others wait and find it done."""
    processes = [started("-m", "app.cli", "bootstrap", "--json", uri=url) for _ in range(8)]
    answers = [(process.communicate(), process.returncode) for process in processes]

    assert [code for _, code in answers] == [0] * 8, answers
    created = [json.loads(streams[0])["created"] for streams, _ in answers]
    assert sorted(created) == [[]] * 7 + [list(TABLES)]
    assert query(path, NAMES) == [(name,) for name in sorted(TABLES)]


CROWD = """
import os, sys
from app import dsn
from app.bootstrap import bootstrap
url = dsn.parse(sys.argv[1])
gate, opener = os.pipe()
children = []
for _ in range(32):
    child = os.fork()
    if child == 0:
        os.close(opener)
        os.read(gate, 1)  # Until the parent closes its end: all start at the same moment.
        code = 2
        try:
            code = int(bool(bootstrap(url).created))
        finally:
            os._exit(code)
    children.append(child)
os.close(opener)
print(sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@pytest.mark.parametrize("attempt", range(3))
def test_of_thirty_two_processes_at_one_moment_exactly_one_makes_the_tables(
    attempt: int, path: Path, url: URL, query: Any
) -> None:
    """Nothing but the bootstrap itself lies between the starting shot and the race."""
    process = started("-c", CROWD, f"sqlite:///{path}", uri=url)
    out, err = process.communicate()

    assert (attempt, out, err) == (attempt, f"{[0] * 31 + [1]}\n", "")
    assert query(path, NAMES) == [(name,) for name in sorted(TABLES)]


KILLED = """
import contextlib, os, signal, sys
from sqlalchemy import event
from app import bootstrap, dsn, engine
from app.schema.sqlite import METADATA

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(module, name):
    real = getattr(module, name)
    def run(*args, **kwargs):
        real(*args, **kwargs)
        die()
    setattr(module, name, run)

@contextlib.contextmanager
def committed(connection, begin, real=engine.transaction):
    with real(connection, begin):
        yield
    if begin == "BEGIN IMMEDIATE":
        die()

point = sys.argv[2]
if point == "folder":
    after(bootstrap, "_make_folders")
elif point == "file":
    after(bootstrap, "_make_file")
elif point == "wal":
    after(engine, "enter_wal")
elif point == "commit":
    engine.transaction = committed
else:
    event.listen(METADATA.tables[point], "after_create", die)
bootstrap.bootstrap(dsn.parse(sys.argv[1]))
"""


@pytest.mark.parametrize("point", ["folder", "file", "wal", *TABLES, "commit"])
def test_after_a_kill_at_any_point_the_next_run_completes(point: str, path: Path, url: URL, query: Any) -> None:
    """A killed run leaves all four tables or none, never some."""
    process = started("-c", KILLED, f"sqlite:///{path}", point, uri=url)
    _, err = process.communicate()
    assert (process.returncode, err) == (-signal.SIGKILL, "")

    made = () if point == "commit" else TABLES
    assert bootstrap(url) == Bootstrapped(made, changed=bool(made))

    assert query(path, NAMES) == [(name,) for name in sorted(TABLES)]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert mode(path) == "600"


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_lock_that_is_not_released_is_one_error(
    journal: str, path: Path, url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the bound, and with nothing changed."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {journal}")
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseUnavailableError) as caught:
            bootstrap(url)
    finally:
        other.close()

    reason = "another process holds its lock. Stop that process, or try again"
    assert str(caught.value) == f"expected to use the database {path}, but {reason}."


@pytest.mark.parametrize(
    "name",
    ["text.db/sessions.db", "circle", "circle/sessions.db", "x" * 300],
    ids=["below a file", "a link to itself", "below a link to itself", "a name too long"],
)
def test_a_place_that_cannot_be_is_one_error(name: str, tmp_path: Path) -> None:
    """Whatever the file system says, it ends in our own error, and nothing is made."""
    (tmp_path / "text.db").write_text("text")
    (tmp_path / "circle").symlink_to("circle")
    before = sorted(place.name for place in tmp_path.iterdir())

    with pytest.raises(DatabaseUnavailableError, match="expected to use the database"):
        bootstrap(dsn.parse(f"sqlite:///{tmp_path}/{name}"))

    assert sorted(place.name for place in tmp_path.iterdir()) == before


@pytest.fixture
def powerless() -> Iterator[Path]:
    """A folder of an ordinary user, and this process as that user: nothing stops root."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users.
        folder = Path(name).resolve()
        me = os.geteuid()
        if me == 0:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(me)


def test_a_folder_that_is_not_to_be_written_is_one_error(powerless: Path) -> None:
    """The file cannot be made there."""
    powerless.chmod(0o500)

    with pytest.raises(DatabaseUnavailableError, match=r"it cannot be made \(Permission denied\)"):
        bootstrap(dsn.parse(f"sqlite:///{powerless}/sessions.db"))
    with pytest.raises(DatabaseUnavailableError, match=r"it cannot be made \(Permission denied\)"):
        bootstrap(dsn.parse(f"sqlite:///{powerless}/new/sessions.db"))


def test_a_folder_that_is_not_to_be_entered_is_one_error(powerless: Path) -> None:
    """Not even whether there is a file can be told."""
    powerless.chmod(0o000)

    with pytest.raises(DatabaseUnavailableError, match="Permission denied"):
        bootstrap(dsn.parse(f"sqlite:///{powerless}/sessions.db"))


@pytest.mark.parametrize(
    ("bits", "words"), [(0o000, r"it cannot be read \(Permission denied\)"), (0o400, "it cannot be written")]
)
def test_a_file_that_is_not_to_be_used_is_one_error(bits: int, words: str, powerless: Path) -> None:
    """Neither read nor written: the message says which."""
    file = powerless / "sessions.db"
    file.touch()
    file.chmod(bits)

    with pytest.raises(DatabaseUnavailableError, match=words):
        bootstrap(dsn.parse(f"sqlite:///{file}"))
