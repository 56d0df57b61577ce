"""The layout that ADK keeps in SQLite: four tables, no index, no metadata table and no `user_version`.

Source: google-adk 2.13 `SqliteSessionService`, `CREATE_SCHEMA_SQL`.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import REAL, TEXT, Dialect
from sqlalchemy.types import TypeDecorator

from app.schema.model import Types, metadata


class EpochSeconds(TypeDecorator[datetime]):
    """Seconds since 1970 as a float; in Python a naive UTC `datetime`, exact to the microsecond.

    A double holds today's seconds to 0.24 µs, so that rounding to a microsecond loses nothing.
    """

    impl = REAL
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:  # noqa: ARG002  # Its shape.
        """To seconds."""
        return None if value is None else value.replace(tzinfo=UTC).timestamp()

    def process_result_value(self, value: float | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # As above.
        """From seconds."""
        return None if value is None else datetime.fromtimestamp(value, UTC).replace(tzinfo=None)


class JsonText(TypeDecorator[Any]):
    """A JSON value as text, spelt as ADK spells it (`json.dumps`)."""

    impl = TEXT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002  # Its shape.
        """To text."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002  # As above.
        """From text."""
        return None if value is None else json.loads(value)


METADATA: Final = metadata(
    Types(
        key=TEXT(),
        name=TEXT(),
        time=EpochSeconds(),
        json=JsonText(),
        event_key=("app_name", "user_id", "session_id", "id"),
        event_data_nullable=False,
        app_name_nullable=True,
    )
)
