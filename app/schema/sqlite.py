"""The layout that ADK keeps in SQLite, column by column.

Source: google-adk 2.13 `SqliteSessionService`, `CREATE_SCHEMA_SQL`. It has no index, no metadata table and no
`user_version`; times are seconds since the epoch, UTC; `state` and `event_data` are JSON text.
"""

from typing import Final

from sqlalchemy import REAL, TEXT, Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table

METADATA: Final = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, TEXT, nullable=False)


def _time(name: str) -> Column[float]:
    return Column(name, REAL, nullable=False)


APP_STATES: Final = Table(
    "app_states",
    METADATA,
    Column("app_name", TEXT, primary_key=True, nullable=True),  # ADK's `TEXT PRIMARY KEY` allows NULL, as SQLite does.
    _text("state"),
    _time("update_time"),
)

USER_STATES: Final = Table(
    "user_states",
    METADATA,
    _text("app_name"),
    _text("user_id"),
    _text("state"),
    _time("update_time"),
    PrimaryKeyConstraint("app_name", "user_id"),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    _text("app_name"),
    _text("user_id"),
    _text("id"),
    _text("state"),
    _time("create_time"),
    _time("update_time"),
    PrimaryKeyConstraint("app_name", "user_id", "id"),
)

EVENTS: Final = Table(
    "events",
    METADATA,
    _text("id"),
    _text("app_name"),
    _text("user_id"),
    _text("session_id"),
    _text("invocation_id"),
    _time("timestamp"),
    _text("event_data"),
    PrimaryKeyConstraint("app_name", "user_id", "session_id", "id"),
    ForeignKeyConstraint(
        ["app_name", "user_id", "session_id"],
        ["sessions.app_name", "sessions.user_id", "sessions.id"],
        ondelete="CASCADE",
    ),
)
