"""The session tables, once: what they are named, hold and refer to. A layout adds only its types."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

STATE_TABLES: Final = ("app_states", "user_states")
"""The tables whose rows outlive every session."""

TABLES: Final = (*STATE_TABLES, "sessions", "events")
"""In an order that foreign keys allow."""


@dataclass(frozen=True)
class Types:
    """How a layout stores each kind of value.

    Attributes:
        key: An id or a name.
        name: A longer name.
        time: A moment, UTC.
        json: A JSON object.
        event_key: The columns of the primary key of `events`, in their order.
        event_data_nullable: Whether an event may come without data.
        app_name_nullable: Whether the key of `app_states` allows NULL, as SQLite's `TEXT PRIMARY KEY` does.
    """

    key: TypeEngine[str]
    name: TypeEngine[str]
    time: TypeEngine[Any]
    json: TypeEngine[Any]
    event_key: tuple[str, ...]
    event_data_nullable: bool
    app_name_nullable: bool


def metadata(types: Types) -> MetaData:
    """The four session tables in a layout.

    Args:
        types: The layout's types.

    Returns:
        Metadata of `app_states`, `user_states`, `sessions` and `events`, its columns in ADK's order.
    """
    made = MetaData()
    _app_states(made, types)
    _user_states(made, types)
    _sessions(made, types)
    _events(made, types)
    return made


def _app_states(made: MetaData, types: Types) -> None:
    Table(
        "app_states",
        made,
        Column("app_name", types.key, primary_key=True, nullable=types.app_name_nullable),
        Column("state", types.json, nullable=False),
        Column("update_time", types.time, nullable=False),
    )


def _user_states(made: MetaData, types: Types) -> None:
    Table(
        "user_states",
        made,
        *_keys(types, "app_name", "user_id"),
        Column("state", types.json, nullable=False),
        Column("update_time", types.time, nullable=False),
        PrimaryKeyConstraint("app_name", "user_id"),
    )


def _sessions(made: MetaData, types: Types) -> None:
    Table(
        "sessions",
        made,
        *_keys(types, "app_name", "user_id", "id"),
        Column("state", types.json, nullable=False),
        Column("create_time", types.time, nullable=False),
        Column("update_time", types.time, nullable=False),
        PrimaryKeyConstraint("app_name", "user_id", "id"),
    )


def _events(made: MetaData, types: Types) -> None:
    Table(
        "events",
        made,
        *_keys(types, "id", "app_name", "user_id", "session_id"),
        Column("invocation_id", types.name, nullable=False),
        Column("timestamp", types.time, nullable=False),
        Column("event_data", types.json, nullable=types.event_data_nullable),
        PrimaryKeyConstraint(*types.event_key),
        ForeignKeyConstraint(
            ["app_name", "user_id", "session_id"],
            ["sessions.app_name", "sessions.user_id", "sessions.id"],
            ondelete="CASCADE",
        ),
    )


def _keys(types: Types, *names: str) -> list[Column[str]]:
    return [Column(name, types.key, nullable=False) for name in names]
