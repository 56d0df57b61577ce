"""One batch into the target: compared, written in a transaction, and read back in the next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import ConflictingDataError, ForeignDatabaseError, VerificationError
from app.promotion.comparison import Compared, Comparison, Conflict
from app.promotion.rows import Key, Row, shown_key
from app.promotion.shape import APP_STATES, EVENTS, SESSIONS, USER_STATES, Shape
from app.promotion.stores.interface import Store

_NAMED: Final = 5
"""How many conflicts a message names."""

_States = Mapping[Shape, Sequence[Row]]


class Batches:
    """Writes batches to a target.

    Attributes:
        added: How many empty rows of state it has written, which ADK needs in PostgreSQL.
    """

    def __init__(self, target: Store, comparison: Comparison) -> None:
        """Take the target, and what compares it with the source."""
        self.added = 0
        self._target = target
        self._comparison = comparison

    def may_be_written_apart(self, shape: Shape) -> bool:
        """Whether another thread may write this table: where the source is not asked, nor SQLite, which forbids it."""
        return shape is EVENTS and self._target.is_postgresql

    def write(self, shape: Shape, rows: Sequence[Row]) -> int:
        """Bring a batch over.

        Args:
            shape: Its table.
            rows: The source's rows.

        Returns:
            How many rows were written; the others were there.

        Raises:
            ConflictingDataError: The target has other data under the same key; nothing of the batch was written.
            ForeignDatabaseError: The target does not take a row; nothing of the batch was written.
            VerificationError: A row was read back differently.
        """
        with self._target.snapshot():
            compared = self._comparison.compare(shape, rows)
            states = self._lacking_states(rows) if shape is SESSIONS and self._target.is_postgresql else {}
        if compared.conflicts:
            raise conflicting(compared.conflicts, self._target, "What was copied before stays; nothing was overwritten")
        if not compared.missing and not compared.outdated and not states:
            return 0
        try:
            with self._target.writing():
                added = sum(self._target.insert(each, lacking) for each, lacking in states.items())
                written = self._insert(shape, compared.missing) + self._replace(shape, compared)
        except DBAPIError:
            culprit = self._culprit(shape, compared.missing)  # The error itself may quote content.
        else:
            self.added += added
            self._read_back(shape, [*compared.missing, *(row for _, row in compared.outdated)])
            return written
        raise culprit

    def _insert(self, shape: Shape, rows: Sequence[Row]) -> int:
        return self._target.insert(shape, rows) if rows else 0

    def _replace(self, shape: Shape, compared: Compared) -> int:
        """Unless somebody has changed one since it was compared."""
        if not compared.outdated:
            return 0
        found = self._comparison.found(shape, [row.key for _, row in compared.outdated], lock=True)
        for seen, row in compared.outdated:
            now = found.get(row.key)
            if now is None or now.fingerprint != seen.fingerprint:
                conflict = Conflict(shape.name, row.key, "the target's was changed during the promotion")
                raise conflicting([conflict], self._target, "What was copied before stays; nothing was overwritten")
            self._target.replace(shape, row)
        return len(compared.outdated)

    def _lacking_states(self, rows: Sequence[Row]) -> _States:
        """The empty rows of state that ADK expects beside every session in PostgreSQL.

        `SqliteSessionService` writes a row only where there is some state; `DatabaseSessionService` fails without one
        (google-adk 2.13: "App state missing in storage").
        """
        wanted: dict[Shape, dict[Key, datetime]] = {APP_STATES: {}, USER_STATES: {}}
        for row in rows:
            for shape, times in wanted.items():
                key = row.key[: len(shape.key)]
                times[key] = max(times.get(key, datetime.min), row.values[SESSIONS.update_time])  # noqa: DTZ901  # Naive UTC.
        lacking = {}
        for shape, times in wanted.items():
            there = self._comparison.found(shape, list(times))
            if made := [Row(key, (*key, "{}", times[key]), b"") for key in times if key not in there]:
                lacking[shape] = made
        return lacking

    def _read_back(self, shape: Shape, rows: Sequence[Row]) -> None:
        with self._target.snapshot():
            found = self._comparison.found(shape, [row.key for row in rows])
        for row in rows:
            there = found.get(row.key)
            if there is None or there.fingerprint != row.fingerprint:
                what = "no such row" if there is None else "another content"
                message = (
                    f"{shape.name} {shown_key(row.key)}: expected to read it from the target as it is in the source, "
                    f"found {what}. If the target is in use already, stop its agents and run it again"
                )
                raise VerificationError(message)

    def _culprit(self, shape: Shape, rows: Sequence[Row]) -> Exception:
        """Which row the target does not take, tried one by one and undone."""
        for row in rows:
            reason = self._refusal(shape, row)
            if reason is not None:
                message = (
                    f"expected rows of {shape.name} that the target can hold, but the one with the key "
                    f"{shown_key(row.key)} {reason}. Mend or delete that row in the source and run it again; what was "
                    "copied before stays, nothing of its batch was written"
                )
                return ForeignDatabaseError(message)
        message = f"{shape.name}: expected the target to take a batch, it refused, and took each row. Run it again"
        return VerificationError(message)

    def _refusal(self, shape: Shape, row: Row) -> str | None:
        try:
            self._try(shape, row)
        except _Undo:
            return None
        except IntegrityError:
            return "is of a session that is not there" if shape is EVENTS else "breaks a constraint of the target"
        except DBAPIError as error:
            return f"has a value that the target does not take ({type(error.orig).__name__})"
        return None

    def _try(self, shape: Shape, row: Row) -> None:
        with self._target.writing():
            self._target.insert(shape, [row])
            raise _Undo


def conflicting(found: Sequence[Conflict], target: Store, left: str) -> ConflictingDataError:
    """The error for rows that people must decide about.

    Args:
        found: The conflicts, at least one.
        target: Where they are.
        left: What became of the target, a sentence.
    """
    named = "; ".join(str(conflict) for conflict in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    remedy = (
        "Delete the session on the side that is wrong, or set that state to {} in the target if the source's is right, "
        "or promote to an empty database"
    )
    return ConflictingDataError(
        f"expected nothing else under the keys of the source in {target.place}, but {len(found)} "
        f"{'row differs' if len(found) == 1 else 'rows differ'}: {named}{more}. {left}. {remedy}"
    )


class _Undo(Exception):  # noqa: N818  # Never leaves this module.
    """Ends a transaction without a trace."""
