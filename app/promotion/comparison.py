"""A batch of the source against what the target has under the same keys, and which side may prevail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.promotion.rows import Key, Reader, Row, shown_key, spelt, state
from app.promotion.shape import EVENTS, SESSIONS, Shape
from app.promotion.stores.interface import Store


@dataclass(frozen=True)
class Conflict:
    """Two rows of one key, of which neither may be given up.

    Attributes:
        table: Their table.
        key: Their key.
        reason: Why the source's may not take the place of the target's.
    """

    table: str
    key: Key
    reason: str

    def __str__(self) -> str:
        """For example `sessions ('app', 'user', 's1'): the target's is newer`."""
        return f"{self.table} {shown_key(self.key)}: {self.reason}"


@dataclass(frozen=True)
class Compared:
    """A batch, sorted by what is to be done about it.

    Attributes:
        missing: Rows to insert.
        same: How many are there already.
        outdated: By key, what stands in the target, and the source's row that may take its place.
        conflicts: What must be decided by people.
    """

    missing: list[Row] = field(default_factory=list)
    same: int = 0
    outdated: list[tuple[Row, Row]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """Compares batches; read-only.

    Attributes:
        source: Where the rows come from.
        target: Where they are to go.
        reader: Reads the target's rows.
    """

    source: Store
    target: Store
    reader: Reader

    def found(self, shape: Shape, keys: Sequence[Key], *, lock: bool = False) -> dict[Key, Row]:
        """The target's rows of some keys.

        Args:
            shape: Their table.
            keys: Which ones.
            lock: Whether nobody is to change them until the transaction ends.
        """
        rows = (self.reader.read(shape, values) for values in self.target.lookup(shape, keys, lock=lock))
        return {row.key: row for row in rows}

    def compare(self, shape: Shape, rows: Sequence[Row]) -> Compared:
        """Sort a batch of the source.

        Args:
            shape: Its table.
            rows: The rows.
        """
        found = self.found(shape, [row.key for row in rows])
        missing = [row for row in rows if row.key not in found]
        unlike = [(found[row.key], row) for row in rows if row.key in found and not _same(found[row.key], row)]
        reasons = [self._reason(shape, there, row) for there, row in unlike]
        return Compared(
            missing,
            len(rows) - len(missing) - len(unlike),
            [pair for pair, reason in zip(unlike, reasons, strict=True) if reason is None],
            [
                Conflict(shape.name, row.key, reason)
                for (_, row), reason in zip(unlike, reasons, strict=True)
                if reason is not None
            ],
        )

    def _reason(self, shape: Shape, there: Row, row: Row) -> str | None:
        """Why the source's row may not take the place of the target's; None where nothing can be lost by it."""
        if shape is EVENTS:
            return "another event under the same id"
        if shape is SESSIONS:
            return self._session_reason(there, row)
        return self._state_reason(shape, there, row)

    def _session_reason(self, there: Row, row: Row) -> str | None:
        """ADK changes a session by appending an event: who lacks no event of the target's lacks nothing of it."""
        created = SESSIONS.times[0]
        if there.values[created] != row.values[created]:
            return "two sessions of the same id, created at different times"
        if not _is_newer(SESSIONS, row, there):
            return "the target's differs and is not older"
        if next(self._events_of_the_target_alone(row.key), None) is not None:
            return "the target's has events that the source's lacks"
        return None

    def _events_of_the_target_alone(self, session: Key) -> Iterator[Key]:
        for keys in self.target.event_keys(session):
            there = self.source.lookup(EVENTS, keys)
            known = {tuple(values[place] for place in EVENTS.key) for values in there}
            yield from (key for key in keys if key not in known)

    def _state_reason(self, shape: Shape, there: Row, row: Row) -> str | None:
        """ADK keeps no trace of who changed a state, and a session that did may have been deleted since.

        So the target's may be replaced where it is empty; or where the source's is newer, and either has all of it or
        the target's bears a time at which the source itself wrote: then an earlier promotion brought it, and ADK has
        not touched it, which would have set its time to the server's (google-adk 2.13, `onupdate=func.now()`).
        """
        old, new = state(shape, there), state(shape, row)
        if not old:
            return None
        if not _is_newer(shape, row, there):
            return "the target's differs and is not older"
        holds_all = all(name in new and spelt(new[name]) == spelt(value) for name, value in old.items())
        if holds_all or self.source.wrote_at(row.key, there.values[shape.update_time]):
            return None
        return "the target's has values that may have been set there alone"


def _same(there: Row, row: Row) -> bool:
    return there.fingerprint == row.fingerprint


def _is_newer(shape: Shape, row: Row, there: Row) -> bool:
    return bool(row.values[shape.update_time] > there.values[shape.update_time])
