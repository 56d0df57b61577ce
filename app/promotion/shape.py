"""What a row of each session table consists of, in terms that both layouts share."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from app.schema import postgresql, sqlite
from app.schema.model import TABLES


@dataclass(frozen=True)
class Shape:
    """A session table; columns are told by their position.

    Attributes:
        name: The table's name.
        columns: Their names, in the table's order.
        key: The primary key, `app_name` first, as SQLite orders it.
        texts: Ids and names.
        times: Moments.
        document: The one JSON column.
        lengths: How many characters PostgreSQL takes in each of the texts.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    texts: tuple[int, ...]
    times: tuple[int, ...]
    document: int
    lengths: tuple[int, ...]

    @property
    def update_time(self) -> int:
        """Where a state or a session says when it was last changed; an event, when it happened."""
        return self.times[-1]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The columns of the key."""
        return tuple(self.columns[place] for place in self.key)


def _shape(table: Table) -> Shape:
    names = tuple(table.columns.keys())
    limits = [getattr(column.type, "length", None) for column in postgresql.METADATA.tables[table.name].columns]
    texts = tuple(place for place, length in enumerate(limits) if length is not None)
    return Shape(
        table.name,
        names,
        tuple(names.index(column.name) for column in table.primary_key.columns),
        texts,
        tuple(place for place, column in enumerate(table.columns) if isinstance(column.type, sqlite.EpochSeconds)),
        next(place for place, column in enumerate(table.columns) if isinstance(column.type, sqlite.JsonText)),
        tuple(limits[place] or 0 for place in texts),
    )


SHAPES: Final = {name: _shape(sqlite.METADATA.tables[name]) for name in TABLES}
"""By table, in an order that foreign keys allow."""

APP_STATES: Final = SHAPES["app_states"]
USER_STATES: Final = SHAPES["user_states"]
SESSIONS: Final = SHAPES["sessions"]
EVENTS: Final = SHAPES["events"]
