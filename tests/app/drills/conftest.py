"""A bootstrapped PostgreSQL database for the drills, also behind a proxy that loses answers."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from app.backends.interface import Target
from app.verbs import bootstrap
from rehearsal.managed import ManagedDatabase

Ask = Callable[[URL, str], list[tuple[object, ...]]]


@pytest.fixture
def sessions(server_database: ManagedDatabase) -> URL:
    """A database on the session's server with the schema in place."""
    bootstrap(Target.of(server_database.admin))
    return server_database.admin


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Runs one statement at a URL and returns its rows: the eyes of the tests, apart from the code under test."""

    def run(url: URL, statement: str) -> list[tuple[object, ...]]:
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(text, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def proxy(sessions: URL, proxied: Callable[[URL], Any]) -> Any:
    """In front of that database's server."""
    return proxied(sessions)
