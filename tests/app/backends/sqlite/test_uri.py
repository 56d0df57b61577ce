"""SQLite URIs: what is accepted, what is refused and why, and that ADK opens the very same file."""

from pathlib import Path

import pytest
from google.adk.cli.service_registry import get_service_registry
from google.adk.sessions.sqlite_session_service import SqliteSessionService

from app import dsn
from app.backends import choice
from app.backends.sqlite.uri import database_path
from app.errors import InvalidUriError


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

    assert str(database_path(dsn.parse(text))) == file.format(cwd=cwd, parent=cwd.parent)


@pytest.mark.parametrize("name", ["sessions.db", "my sessions.db", "a+b;c@d&e=[f].db", "ünï.db", "~", ":x:", "sqlite:"])
def test_adk_opens_the_same_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of ADK's own registry, which does not read URIs as SQLAlchemy does."""
    monkeypatch.chdir(tmp_path)
    url = dsn.parse(f"sqlite:///{name}")
    service = get_service_registry().create_session_service(choice.of(url).adk_uri(url))

    assert isinstance(service, SqliteSessionService)
    assert service._db_path == str(tmp_path.resolve() / name)  # noqa: SLF001  # It has no public name.


@pytest.mark.parametrize(
    ("text", "words"),
    [
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


def test_links_are_resolved(tmp_path: Path) -> None:
    """Two names of one file are one database."""
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")

    assert database_path(dsn.parse(f"sqlite:///{tmp_path}/link.db")) == tmp_path.resolve() / "real.db"
