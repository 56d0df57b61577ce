"""A place for a database, a bootstrapped one, and what is in it; nothing of the developer's own settings."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app import dsn
from app.bootstrap import bootstrap

Query = Callable[[Path, str], list[Any]]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what the developer has exported."""
    for name in ("SESSION_DB_URI", "AGENTS_DIR", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is to be; neither the file nor its folder is there yet."""
    return tmp_path.resolve() / "sessions" / "sessions.db"


@pytest.fixture
def url(path: Path) -> URL:
    """The URL of that place."""
    return dsn.parse(f"sqlite:///{path}")


@pytest.fixture
def database(path: Path, url: URL) -> Path:
    """The database, bootstrapped and empty."""
    bootstrap(url)
    return path


@pytest.fixture(scope="session")
def query() -> Query:
    """Runs SQL on a file and returns its rows: the eyes of the tests, apart from the code under test."""

    def run(file: Path, sql: str) -> list[Any]:
        connection = sqlite3.connect(file)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return run
