"""What the promotion asks of a database, the same for SQLite and PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol

from app.promotion.rows import Key, Row, Values
from app.promotion.shape import Shape

BATCH_ROWS: Final = 4_000
"""How many rows travel at once at most; more gains nothing (measured with 800-byte events)."""

BATCH_BYTES: Final = 4 << 20
"""How much JSON travels at once, in bytes, unless a single row has more: what bounds the memory."""


class Store(Protocol):
    """A session database, opened. All but `insert` and `replace` are read-only."""

    place: str
    """The database as people may see it."""

    is_postgresql: bool
    """Whether PostgreSQL's limits hold, and ADK needs a row of state for each app and user."""

    def snapshot(self) -> AbstractContextManager[None]:
        """One consistent view of everything, that cannot be written to."""

    def writing(self) -> AbstractContextManager[None]:
        """One transaction, all or nothing."""

    def differences(self) -> tuple[str, ...]:
        """What the tables lack for a promotion, a sentence each."""

    def mark(self) -> str:
        """Something by which this very database can be told, until the transaction ends."""

    def bears(self, mark: str) -> bool:
        """Whether a mark is of this very database, whatever it is called."""

    def count(self, shape: Shape) -> int:
        """The rows of a table."""

    def pages(self, shape: Shape) -> Iterator[list[Values]]:
        """All rows of a table in batches; the events of a session in the order in which ADK reads them."""

    def lookup(self, shape: Shape, keys: Sequence[Key], *, lock: bool = False) -> list[Values]:
        """The rows of these keys that are there, in any order; with `lock` nobody changes them meanwhile."""

    def insert(self, shape: Shape, rows: Sequence[Row]) -> int:
        """Write the rows whose keys are not taken; how many these were."""

    def replace(self, shape: Shape, row: Row) -> None:
        """Write a row over the one of its key."""

    def event_keys(self, session: Key) -> Iterator[list[Key]]:
        """The keys of a session's events, in batches."""

    def wrote_at(self, scope: Key, moment: datetime) -> bool:
        """Whether a session of this app, or of this app and user, was made, changed or added to at this time."""
