"""Database URIs: what is accepted, what is refused and why, and that no password is ever shown."""

import traceback
from pathlib import Path

import pytest
from google.adk.cli.service_registry import get_service_registry
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from sqlalchemy import make_url

from app import dsn
from app.errors import InvalidUriError, SessionDatabaseError, UnsupportedBackendError

SECRETS = (
    "postgresql://user:s3cret-p@ss@host/db",
    "postgresql://user:s3cret-p%40ss@host/db",
    "postgres://user:s3cret-p@ss@host/db",
    "postgresql+asyncpg://user:s3cret-p@ss@host:5432/db?ssl=require",
    "postgresql://user:p/s3cret-p@ss@host/db",
    "postgresql://user:p@ss/s3cret@host/db",
    "postgresql://user:p#s3cret-p@ss@host/db",
    "postgresql://user:p?s3cret-p@ss@host/db",
    "postgresql://user:p:s3cret-p@ss@host/db",
    "postgresql://user:p@ss:s3cret@host/db",
    "postgresql://users3cret-p@ss@host/db",
    "postgresql://users3cret@host/db",
    "postgresql://user@s3cret-p@ss/db",
    "postgresql//user:s3cret-p@ss@host/db",
    "postgresql:user:s3cret-p@ss@host/db",
    "postgresql:/user:s3cret-p@ss@host/db",
    "postgresql://host:s3cret/db",
    "postgresql://user:pw@host:s3cret-p@ss/db",
    "postgresql://user/s3cret-p@ss@host/db",
    "postgresql://host/db?password=s3cret-p@ss",
    "postgresql:///db?host=/socket&user=u&password=s3cret-p@ss",
    "user:s3cret-p@ss@host/db",
    "mysql://user:s3cret-p@ss@host/db",
    "sqlite://user:s3cret-p@ss@host/db",
    "sqlite://user:s3cret-p@ss",
    "sqlite://user/s3cret-p@ss",
    "sqlite:///sessions.db?password=s3cret-p@ss",
    "sqlite+pysqlcipher://:s3cret-p@ss@/sessions.db",
)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///sessions.db", "{cwd}/sessions.db"),
        ("sqlite:///data/sessions.db", "{cwd}/data/sessions.db"),
        ("sqlite:///../sessions.db", "{parent}/sessions.db"),
        ("sqlite:////srv/sessions.db", "/srv/sessions.db"),
        ("  sqlite:////srv/sessions.db\n", "/srv/sessions.db"),
        ("sqlite:////srv/my sessions+1;a@b&c=[d]é.db", "/srv/my sessions+1;a@b&c=[d]é.db"),
    ],
)
def test_a_file_is_accepted(text: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes are relative to the working directory, four absolute."""
    cwd = tmp_path.resolve()
    monkeypatch.chdir(cwd)

    assert str(dsn.database_path(dsn.parse(text))) == file.format(cwd=cwd, parent=cwd.parent)


@pytest.mark.parametrize("name", ["sessions.db", "my sessions.db", "a+b;c@d&e=[f].db", "ünï.db", "~", ":x:", "sqlite:"])
def test_adk_opens_the_same_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of ADK's own registry, which does not read URIs as SQLAlchemy does."""
    monkeypatch.chdir(tmp_path)
    service = get_service_registry().create_session_service(dsn.adk_uri(dsn.parse(f"sqlite:///{name}")))

    assert isinstance(service, SqliteSessionService)
    assert service._db_path == str(tmp_path.resolve() / name)  # noqa: SLF001  # It has no public name.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a database URI"),
        ("  ", "expected a database URI"),
        ("sessions.db", "expected a database URI"),
        ("/srv/sessions.db", "expected a database URI"),
        ("sqlite:/sessions.db", "expected a database URI"),
        ("sqlite://host:port/sessions.db", "expected a database URI"),
        ("sqlite://sessions.db", "For this file write sqlite:///sessions.db."),
        ("sqlite://data/sessions.db", "For this file write sqlite:///data/sessions.db."),
        ("sqlite://", "expected a file"),
        ("sqlite:///", "expected a file"),
        ("sqlite:///:memory:", "expected a file"),
        ("sqlite:///data/", "Add a file name: sqlite:///data/sessions.db."),
        ("sqlite+aiosqlite:///sessions.db", "expected the scheme sqlite"),
        ("sqlite+pysqlite:///sessions.db", "expected the scheme sqlite"),
        ("SQLITE:///sessions.db", "in lower case"),
        ("sqlite://user@/sessions.db", "expected no user"),
        ("sqlite://:pw@/sessions.db", "expected no user"),
        ("sqlite:///sessions.db?mode=ro", "without ?, #, %"),
        ("sqlite:///sessions.db?", "without ?, #, %"),
        ("sqlite:///sessions.db#1", "without ?, #, %"),
        ("sqlite:///a%20b.db", "without ?, #, %"),
        ("sqlite:///a\tb.db", "control characters"),
        ("sqlite:///a\x00b.db", "control characters"),
    ],
)
def test_a_misleading_uri_is_refused(text: str, words: str) -> None:
    """ADK would open another file, or a database in memory; the message says what to write instead."""
    with pytest.raises(InvalidUriError) as caught:
        dsn.parse(text)

    assert words in str(caught.value)
    assert "For example sqlite:///data/sessions.db" in str(caught.value)
    assert "SESSION_DB_URI" in str(caught.value)


def test_a_relative_path_below_a_misleading_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ADK is given the absolute path, so the working directory counts."""
    folder = tmp_path / "100%"
    folder.mkdir()
    monkeypatch.chdir(folder)

    with pytest.raises(InvalidUriError, match="without"):
        dsn.parse("sqlite:///sessions.db")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("postgresql://u:p@h/db", "PostgreSQL"),
        ("postgresql+asyncpg://u:p@h/db", "PostgreSQL"),
        ("postgres://u:p@h/db", "PostgreSQL"),
        ("mysql://u:p@h/db", "mysql://"),
        ("https://example.org/sessions.db", "https://"),
        ("memory://", "memory://"),
    ],
)
def test_another_database_is_refused_by_name(text: str, name: str) -> None:
    """Somebody who expected PostgreSQL learns that this version has none."""
    with pytest.raises(UnsupportedBackendError, match=f"this version serves SQLite only, not {name}"):
        dsn.parse(text)


@pytest.mark.parametrize("text", SECRETS)
def test_a_refusal_shows_no_password(text: str) -> None:
    """Neither in the message nor in what a traceback would print around it."""
    with pytest.raises(SessionDatabaseError) as caught:
        dsn.parse(text)

    # Only the errors, without the lines of this file, which hold the passwords.
    shown = traceback.TracebackException.from_exception(caught.value, limit=0)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in "".join(shown.format())


@pytest.mark.parametrize("text", SECRETS)
def test_the_masked_form_shows_no_password(text: str) -> None:
    """However the URI is misspelt."""
    assert "s3cret" not in dsn.masked(text)


def test_the_masked_form_keeps_what_helps() -> None:
    """Where a URI is well-formed, everything but the password and the query is there."""
    assert dsn.masked("postgresql://user:s3cret@host:5432/db?ssl=require") == "postgresql://user:***@host:5432/db"
    assert dsn.masked("sqlite:////srv/my sessions.db") == "sqlite:////srv/my sessions.db"
    assert dsn.masked("sqlite:///data/sessions.db?mode=ro") == "sqlite:///data/sessions.db"
    assert dsn.masked(make_url("sqlite:///sessions.db")) == "sqlite:///sessions.db"
    assert dsn.masked("no uri") == "[not a URI]"


def test_links_are_resolved(tmp_path: Path) -> None:
    """Two names of one file are one database."""
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")

    assert dsn.database_path(dsn.parse(f"sqlite:///{tmp_path}/link.db")) == tmp_path.resolve() / "real.db"
