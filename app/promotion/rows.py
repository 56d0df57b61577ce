"""A row as both layouts can hold it, its fingerprint, and what cannot be such a row."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from app.errors import ForeignDatabaseError
from app.promotion.shape import EVENTS, Shape
from app.promotion.values import Unfit, check_text, document, moment, parsed

Key = tuple[str, ...]

Values = Sequence[Any]
"""What a database gives for a row, in the order of its columns: text, times, and JSON as its text."""

_SHOWN: Final = 60

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that both layouts can hold.

    Attributes:
        key: Its key, in the order of `Shape.key`.
        values: In the order of the columns; times as naive UTC, JSON as its text.
        fingerprint: SHA-256 over the row's canonical JSON.
    """

    key: Key
    values: tuple[Any, ...]
    fingerprint: bytes


@dataclass(frozen=True)
class Reader:
    """Makes rows of what one of the two databases gives.

    Attributes:
        side: `source` or `target`.
        place: The database as people may see it.
        postgresql: Whether the target is PostgreSQL, whose limits then hold for both sides.
    """

    side: str
    place: str
    postgresql: bool

    def read(self, shape: Shape, values: Values) -> Row:
        """Check a row and take its fingerprint.

        Args:
            shape: Its table.
            values: As the database gives them.

        Raises:
            ForeignDatabaseError: The target cannot hold it; names table and key, and never content.
        """
        try:
            return self._row(shape, values)
        except Unfit as unfit:
            shown = shown_key(tuple(values[place] for place in shape.key))
            message = (
                f"expected rows of {shape.name} that the target can hold, but the one with the key {shown} in the "
                f"{self.side} {self.place} has {unfit}. Mend or delete that row there and run it again; nothing of "
                "its batch was written"
            )
        raise ForeignDatabaseError(message)

    def _row(self, shape: Shape, values: Values) -> Row:
        ours = list(values)
        for place, length in zip(shape.texts, shape.lengths, strict=True):
            check_text(shape.columns[place], ours[place], length if self.postgresql else None)
        for place in shape.times:
            ours[place] = moment(shape.columns[place], values[place])
        canonical = [value.isoformat() if type(value) is datetime else value for value in ours]
        canonical[shape.document] = document(
            shape.columns[shape.document],
            values[shape.document],
            nullable=shape is EVENTS and self.postgresql,
            postgresql=self.postgresql,
        )
        fingerprint = sha256(spelt(canonical).encode("utf-8", "surrogatepass")).digest()
        return Row(tuple([ours[place] for place in shape.key]), tuple(ours), fingerprint)


def state(shape: Shape, row: Row) -> dict[str, Any]:
    """The JSON object of a row."""
    return parsed(row.values[shape.document])


def spelt(value: Any) -> str:
    """A JSON value in the one canonical spelling."""
    return _ENCODER.encode(value)


def shown_key(key: Iterable[Any]) -> str:
    """A key for a message, its parts cut short."""
    parts = (repr(part) for part in key)
    return f"({', '.join(part if len(part) <= _SHOWN else f'{part[:_SHOWN]}…' for part in parts)})"


class Digest:
    """The digest of many rows, whatever their order: the sum of their fingerprints, modulo 2**256."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._sum = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows in."""
        self._sum += sum(int.from_bytes(row.fingerprint) for row in rows)

    def hex(self) -> str:
        """The digest, 64 digits."""
        return f"{self._sum % 2**256:064x}"
