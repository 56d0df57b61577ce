"""What cannot be promoted is refused in one line that says which row it is, before anything of its batch is written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from app import dsn
from app.backends.interface import Target
from app.errors import (
    ForeignDatabaseError,
    InsufficientRightsError,
    InvalidSettingError,
    MissingDatabaseError,
    VerificationError,
)
from app.promotion import Promoted, promote
from app.promotion.stores import interface
from rehearsal.managed import ManagedDatabase

Make = Callable[[], Target]
Fill = Callable[[Target], None]
Read = Callable[[Target], dict[str, list[tuple[Any, ...]]]]
Run = Callable[[Target, Target], Promoted]
Execute = Callable[..., list[Any]]

SESSION = "INSERT INTO sessions VALUES ('app', 'user', 's1', ?, 1e9, 1e9)"
EVENT = "INSERT INTO events VALUES ('e1', 'app', 'user', 's1', 'i', 1e9, ?)"
UNFIT = {
    "NUL in an id": (
        "UPDATE sessions SET user_id = ?",
        "us\0er",
        r"sessions .*'us\\x00er'.* a NUL character in user_id",
    ),
    "long id": ("UPDATE sessions SET user_id = ?", "u" * 129, "129 characters in user_id, more than 128"),
    "long id of an event": ("UPDATE events SET id = ?", "ü" * 129, "129 characters in id, more than 128"),
    "long invocation": (
        "UPDATE events SET invocation_id = ?",
        "i" * 257,
        "257 characters in invocation_id, more than 256",
    ),
    "id that is no text": ("UPDATE sessions SET user_id = ?", b"user", "user_id of type bytes, not text"),
    "id that is no UTF-8": (
        "UPDATE sessions SET user_id = CAST(? AS TEXT)",
        b"us\xff",
        "user_id that is no valid UTF-8",
    ),
    "no name": ("INSERT INTO app_states VALUES (?, '{}', 1e9)", None, r"app_states .*\(None\).*app_name of type NULL"),
    "NUL in state": ("UPDATE sessions SET state = ?", '{"secret\\u0000": 1}', "a NUL character in state"),
    "NUL in an event": ("UPDATE events SET event_data = ?", '{"a": [{"b": "secret\\u0000"}]}', "NUL.*event_data"),
    "half of a pair": ("UPDATE sessions SET state = ?", '{"a": "secret\\uD800"}', "half of a surrogate pair in state"),
    "NaN": ("UPDATE sessions SET state = ?", '{"secret": NaN}', "state that is no JSON"),
    "Infinity": ("UPDATE events SET event_data = ?", '{"secret": [-Infinity]}', "event_data that is no JSON"),
    "endless number": ("UPDATE sessions SET state = ?", '{"secret": 1e400}', "state that is no JSON"),
    "number of many digits": (
        "UPDATE events SET event_data = ?",
        '{"secret": 1e-20000}',
        r"the key \('app', 'user', 's1', 'e1'\) has a value that the target",
    ),
    "no JSON": ("UPDATE sessions SET state = ?", "{'secret': 1}", "state that is no JSON"),
    "deep JSON": ("UPDATE sessions SET state = ?", '{"a":' * 100_000, "state that is no JSON"),
    "no object": ("UPDATE sessions SET state = ?", '["secret"]', "state that is no JSON object"),
    "JSON that is no text": ("UPDATE events SET event_data = ?", b"{}", "event_data of type bytes, not JSON text"),
    "JSON that is no UTF-8": ("UPDATE sessions SET state = CAST(? AS TEXT)", b'{"secret\xff":1}', "no valid UTF-8"),
    "time that is no number": ("UPDATE sessions SET update_time = ?", "secret", "update_time of type str, not seconds"),
    "time after all": ("UPDATE events SET timestamp = ?", 1e300, "timestamp that is no moment"),
    "event without session": (
        "DELETE FROM sessions WHERE ? IS NULL",
        None,
        r"'e1'\) is of a session that is not there",
    ),
}


@pytest.fixture
def source(file: Make, execute: Execute) -> Target:
    """A file with one session of one event."""
    target = file()
    execute(target, SESSION, '{"a": 1}')
    execute(target, EVENT, '{"a": 1}')
    return target


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT.keys())
def test_a_row_that_postgresql_cannot_hold(
    source: Target, server: Make, promoted: Run, execute: Execute, unfit: tuple[str, object, str]
) -> None:
    """Its table and key are named, and what it holds is not."""
    target, (sql, value, words) = server(), unfit
    execute(source, sql, value)

    with pytest.raises(ForeignDatabaseError, match=words) as failure:
        promoted(source, target)

    told = str(failure.value)
    assert "\n" not in told
    assert "secret" not in told
    assert "Mend or delete that row" in told
    assert execute(target, "SELECT count(*) FROM events") == [(0,)]


@pytest.mark.parametrize("text", ['{"a": "\\\\u0000"}', '{"a": "\\ud83d\\ude00"}', '{"\\u00dc": "\\\\ud800"}', " {} "])
def test_what_only_looks_like_it_goes_through(
    source: Target, server: Make, promoted: Run, execute: Execute, rows: Read, text: str
) -> None:
    """An escaped backslash before u0000, both halves of a pair."""
    target = server()
    execute(source, "UPDATE sessions SET state = ?", text)

    promoted(source, target)

    assert rows(source)["sessions"] == rows(target)["sessions"]


def test_a_file_takes_what_postgresql_cannot_hold(source: Target, file: Make, promoted: Run, execute: Execute) -> None:
    """From file to file there is no such limit."""
    target = file()
    execute(source, "UPDATE sessions SET state = ?", '{"a\\u0000": NaN, "b": "\\ud800", "c": 1e400}')
    execute(source, "UPDATE events SET invocation_id = ?", "i" * 1000)

    promoted(source, target)

    for table in ("sessions", "events"):
        assert execute(source, f"SELECT * FROM {table}") == execute(target, f"SELECT * FROM {table}")


def test_an_event_without_data_goes_to_postgresql_only(
    server: Make, file: Make, promoted: Run, execute: Execute
) -> None:
    """The layout of SQLite has no room for it; JSON's null is the same to ADK."""
    source, other = server(), server()
    execute(source, "INSERT INTO sessions VALUES ('a', 'u', 's', '{}', now(), now())")
    execute(source, "INSERT INTO events VALUES ('e1', 'a', 'u', 's', 'i', now(), NULL)")
    execute(source, "INSERT INTO events VALUES ('e2', 'a', 'u', 's', 'i', now(), 'null')")

    promoted(source, other)
    assert execute(other, "SELECT event_data FROM events") == [(None,), (None,)]
    assert promoted(source, other).tables["events"].copied == 0

    with pytest.raises(ForeignDatabaseError, match="event_data of type NULL, not JSON text"):
        promoted(source, file())


def test_what_was_copied_before_a_refusal_stays(
    source: Target, server: Make, promoted: Run, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the row is mended, the rest follows."""
    monkeypatch.setattr(interface, "BATCH_ROWS", 1)
    target = server()
    execute(source, "INSERT INTO events VALUES ('e2', 'app', 'user', 's1', 'i', 1e9, '[]')")
    with pytest.raises(ForeignDatabaseError, match="'e2'"):
        promoted(source, target)

    execute(source, "UPDATE events SET event_data = '{}' WHERE id = 'e2'")
    done = promoted(source, target)

    assert (done.tables["events"].there, done.tables["events"].copied) == (1, 1)


def test_the_same_file_by_another_name(source: Target, promoted: Run) -> None:
    """A hard link, or the same path."""
    path = Path(str(source.owner.database))
    other = path.with_name("other.db")
    os.link(path, other)
    for name in (path, other):
        with pytest.raises(InvalidSettingError, match="the same one"):
            promoted(source, Target.of(dsn.parse(f"sqlite:///{name}")))


def test_the_same_server_by_another_name(server: Make, promoted: Run) -> None:
    """Its database is told by itself, not by how it is called; another database there is another."""
    target = server()
    with pytest.raises(InvalidSettingError, match="the same one") as failure:
        promoted(Target.of(target.owner.set(host="localhost")), target)

    assert str(target.owner.password) not in str(failure.value)
    promoted(server(), target)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_database_without_tables(file: Make, server_database: ManagedDatabase, promoted: Run, side: str) -> None:
    """Is not bootstrapped by the way."""
    empty, filled = Target.of(server_database.admin), file()
    pair = (empty, filled) if side == "source" else (filled, empty)

    with pytest.raises(VerificationError, match=rf"(?s)events: expected this table.*{side}.*session-db bootstrap"):
        promoted(*pair)


def test_a_file_that_is_not_there(file: Make, tmp_path: Path, promoted: Run) -> None:
    """It is not made either."""
    missing = Target.of(dsn.parse(f"sqlite:///{tmp_path}/missing.db"))
    for pair in ((missing, file()), (file(), missing)):
        with pytest.raises(MissingDatabaseError):
            promoted(*pair)
    assert not (tmp_path / "missing.db").exists()


def test_a_reader_may_be_promoted_from_and_not_to(
    server: Make, file: Make, filled: Fill, rows: Read, execute: Execute, server_database: ManagedDatabase
) -> None:
    """SELECT on the session tables is all that a source needs."""
    there, back = server(), file()
    filled(there)
    name = f"reader_{server_database.name}"
    execute(
        there, psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'read'").format(psycopg.sql.Identifier(name)).as_string()
    )
    execute(there, f"GRANT SELECT ON app_states, user_states, sessions, events, adk_internal_metadata TO {name}")
    reader = Target.of(make_url(there.owner).set(username=name, password="read"))

    promote(reader.owner, back, lambda *_: None)

    assert rows(there)["events"] == rows(back)["events"]
    execute(there, "DELETE FROM events")
    with pytest.raises(InsufficientRightsError):
        promote(back.owner, reader, lambda *_: None)
