"""The layout that ADK keeps in PostgreSQL, v1, and the one index that ADK lacks.

Source: google-adk 2.13 `google.adk.sessions.schemas.v1`. ADK looks indexes up by name only and leaves others alone.
"""

from typing import Final

from sqlalchemy import Column, DateTime, Dialect, Index, String, Table, desc
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from app.schema.model import Types, metadata

DIALECT: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own has no types.
"""Spells types and DDL where there is no connection."""

METADATA: Final = metadata(
    Types(
        key=String(128),
        name=String(256),
        time=DateTime(),
        json=JSONB(),
        event_key=("id", "app_name", "user_id", "session_id"),
        event_data_nullable=True,
        app_name_nullable=False,
    )
)

ADK_METADATA: Final = Table(
    "adk_internal_metadata",
    METADATA,
    Column("key", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
)
"""Where ADK keeps the version of its layout. Any value but '1' makes ADK read the pickled layout v0, and the table
without its row is "malformed" for ever (google-adk 2.13 `_schema_check_utils`): ours goes elsewhere."""

SCHEMA_VERSION: Final = ("schema_version", "1")
"""The row of `adk_internal_metadata` that names layout v1."""

Index(
    "idx_events_app_user_session_ts_id",
    *(METADATA.tables["events"].c[name] for name in ("app_name", "user_id", "session_id")),
    desc(METADATA.tables["events"].c["timestamp"]),
    desc(METADATA.tables["events"].c["id"]),
)

Index("session_db_sessions_update_time", METADATA.tables["sessions"].c["update_time"])
"""Serves retention and "active in the last hour"; ADK has none (kagent-dev/kagent#2409)."""
