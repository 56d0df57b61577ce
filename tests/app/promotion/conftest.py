"""Databases to promote between, filled by ADK itself, and eyes apart from the code under test."""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types
from sqlalchemy import URL

from app import dsn
from app.backends.interface import Target
from app.promotion import Promoted, promote
from app.verbs import bootstrap
from rehearsal.managed import ManagedDatabase, managed

Make = Callable[[], Target]
Fill = Callable[[Target], None]
Rows = dict[str, list[tuple[Any, ...]]]
Read = Callable[[Target], Rows]
Sessions = dict[tuple[str, str, str], dict[str, Any]]
Run = Callable[[Target, Target], Promoted]
Execute = Callable[..., list[Any]]

TIMES = ("create_time", "update_time", "timestamp")
STATE = {
    "plain": 1.5,
    "app:theme": "dark",
    "user:name": "Zoë \U0001f600",
    "temp:gone": 1,
    "nested": [{"ü": None}, True],
}


@pytest.fixture
def file(tmp_path: Path) -> Make:
    """Makes bootstrapped SQLite files, each of its own."""

    def make() -> Target:
        target = Target.of(dsn.parse(f"sqlite:///{tmp_path.resolve()}/{secrets.token_hex(4)}.db"))
        bootstrap(target)
        return target

    return make


@pytest.fixture
def server(server_database: ManagedDatabase) -> Make:
    """Makes bootstrapped PostgreSQL databases, each of its own; the test's first is `server_database`."""
    unused = [server_database]

    def make() -> Target:
        mark = secrets.token_hex(4)
        database = unused.pop() if unused else managed(server_database.cluster, f"more_{mark}", master=f"more_{mark}")
        target = Target.of(database.admin)
        bootstrap(target)
        return target

    return make


@pytest.fixture
def filled() -> Fill:
    """Has ADK write: states of all kinds, Unicode, a session without any state, one with many events."""
    return lambda target: asyncio.run(_fill(service(target)))


async def _fill(adk: BaseSessionService) -> None:
    for name in ("one", "two"):
        session = await adk.create_session(app_name="app", user_id="Zoë", session_id=name, state=dict(STATE))
        for step in range(12):
            part = types.Part(text=f"step {step} \U0001f600", thought_signature=b"\xfb\xff")
            delta = {"step": step, "app:count": step, "user:seen": [step], "temp:no": step}
            await adk.append_event(
                session,
                Event(
                    author="agent",
                    invocation_id=f"i{step}",
                    content=types.Content(role="model", parts=[part]),
                    actions=EventActions(state_delta=delta),
                ),
            )
    bare = await adk.create_session(app_name="bare", user_id="nobody", session_id="empty")
    await adk.append_event(bare, Event(author="user", invocation_id="i"))
    await close(adk)


async def close(adk: BaseSessionService) -> None:
    """Let go of the server, where there is one."""
    if isinstance(adk, DatabaseSessionService):
        await adk.close()


def service(target: Target) -> BaseSessionService:
    """ADK's own service for a database."""
    if target.app.get_backend_name() == "sqlite":
        return SqliteSessionService(str(target.app.database))
    return DatabaseSessionService(target.app.render_as_string(hide_password=False))


@pytest.fixture
def adk() -> Callable[[Target], BaseSessionService]:
    """Gives ADK's own service for a database."""
    return service


@pytest.fixture
def sessions() -> Callable[[Target], Sessions]:
    """Reads every session through ADK."""
    return lambda target: asyncio.run(_sessions(service(target)))


async def _sessions(adk: BaseSessionService) -> Sessions:
    found = {}
    for app in ("app", "bare"):
        for listed in (await adk.list_sessions(app_name=app)).sessions:
            read = await adk.get_session(app_name=app, user_id=listed.user_id, session_id=listed.id)
            assert read is not None
            exact = datetime.fromtimestamp(read.last_update_time, UTC)  # To the microsecond; time.time() has more.
            found[app, listed.user_id, listed.id] = {**read.model_dump(), "last_update_time": exact}
    await close(adk)
    return found


@pytest.fixture
def execute() -> Execute:
    """Runs SQL on a database of either kind and returns its rows."""
    return _execute


def _execute(target: Target, sql: str, *parameters: object) -> list[Any]:
    if target.app.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(target.app.database))
        try:
            with connection:
                return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()
    with psycopg.connect(_conninfo(target.owner), autocommit=True) as server:
        cursor = server.execute(sql.replace("?", "%s"), parameters or None)
        return cursor.fetchall() if cursor.description else []


def _conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def rows() -> Read:
    """Everything that is in the session tables, as Python has it, in the order of the keys."""
    return _rows


def _rows(target: Target) -> Rows:
    columns = {
        "app_states": ("app_name", "state", "update_time"),
        "user_states": ("app_name", "user_id", "state", "update_time"),
        "sessions": ("app_name", "user_id", "id", "state", "create_time", "update_time"),
        "events": ("app_name", "user_id", "session_id", "id", "invocation_id", "timestamp", "event_data"),
    }
    return {
        table: sorted(
            (
                tuple(_value(name, value) for name, value in zip(names, row, strict=True))
                for row in _execute(target, f"SELECT {', '.join(names)} FROM {table}")
            ),
            key=lambda row: [str(value) for value in row],
        )
        for table, names in columns.items()
    }


def _value(name: str, value: Any) -> Any:
    if name in TIMES:
        return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
    if name in ("state", "event_data") and isinstance(value, str):
        return json.loads(value)
    return value


@pytest.fixture
def promoted() -> Run:
    """Promotes, and forgets the progress."""
    return lambda source, target: promote(source.owner, target, lambda *_: None)
