"""Our layout against the tables that the installed ADK makes by itself."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.adk.sessions.sqlite_session_service import SqliteSessionService

from app.schema.sqlite import METADATA

TABLES = ("app_states", "events", "sessions", "user_states")


@pytest.fixture
def adk(tmp_path: Path) -> Path:
    """A database whose tables ADK has made, as it does at its first use."""
    file = tmp_path / "adk.db"
    asyncio.run(SqliteSessionService(str(file)).list_sessions(app_name="a", user_id="u"))
    return file


def columns(query: Any, file: Path, table: str) -> dict[str, Any]:
    """What SQLite says of each column: place, type, NOT NULL, default, place in the primary key."""
    return {f"{table}.{row[1]}": row for row in query(file, f"PRAGMA table_info({table})")}


def test_the_tables_are_adks(adk: Path, database: Path, query: Any) -> None:
    """No table more, none less."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"

    assert query(database, names) == query(adk, names) == [(name,) for name in TABLES]
    assert tuple(sorted(METADATA.tables)) == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_the_columns_are_adks(table: str, adk: Path, database: Path, query: Any) -> None:
    """Name, order, type, NULL, default and key; the failure names the column."""
    assert columns(query, database, table) == columns(query, adk, table)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("pragma", ["foreign_key_list", "index_list"])
def test_the_keys_and_indexes_are_adks(pragma: str, table: str, adk: Path, database: Path, query: Any) -> None:
    """The cascade is how ADK deletes a session's events."""
    assert query(database, f"PRAGMA {pragma}({table})") == query(adk, f"PRAGMA {pragma}({table})")


def test_the_file_carries_no_mark_that_adk_does_not_make(adk: Path, database: Path, query: Any) -> None:
    """A `user_version` of ours could mean something to a later ADK."""
    for pragma in ("user_version", "application_id", "encoding"):
        assert query(database, f"PRAGMA {pragma}") == query(adk, f"PRAGMA {pragma}"), pragma
