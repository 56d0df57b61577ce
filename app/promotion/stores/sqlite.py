"""A SQLite file to promote from or to."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Literal, Self

from sqlalchemy import (
    URL,
    ColumnClause,
    Connection,
    TableClause,
    and_,
    column,
    func,
    inspect,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from app.backends.sqlite import connection as engine
from app.backends.sqlite.uri import database_path
from app.promotion.rows import Key, Row, Values
from app.promotion.shape import EVENTS, SESSIONS, SHAPES, Shape
from app.promotion.stores import interface
from app.schema.comparison import differences, look
from app.schema.sqlite import METADATA, EpochSeconds

_BEFORE_ALL: Final = -(2**63)

_rowid: Final[ColumnClause[int]] = column("rowid")

_MICROSECOND: Final = 1e-6

_TABLES: Final = {shape.name: table(shape.name, *map(column, shape.columns)) for shape in SHAPES.values()}
"""Without types: what stands in the file may be of any, and is checked afterwards."""


class SqliteStore:
    """A session database in a file; see `interface.Store`."""

    is_postgresql = False

    def __init__(self, connection: Connection, url: URL) -> None:
        """Take a connection from `connection.opened` to the file of the URL."""
        self.place = str(database_path(url))
        self._path = database_path(url)
        self._connection = connection
        # A text that is no UTF-8 is to be found with its row, not to break the reading of a batch.
        raw: Any = connection.connection.driver_connection
        raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")

    @classmethod
    @contextmanager
    def opened(cls, url: URL, *, read_only: bool) -> Iterator[Self]:
        """Open an existing file.

        Args:
            url: A URL from `dsn.parse`.
            read_only: Whether every write is to fail.

        Raises:
            DatabaseUnavailableError: The file cannot be used; the kind of the error says why.
            ForeignDatabaseError: It is no SQLite database.
        """
        with engine.opened(url) as connection:
            if read_only:
                connection.exec_driver_sql("PRAGMA query_only = ON")
            yield cls(connection, url)

    def snapshot(self) -> AbstractContextManager[None]:
        """See `interface.Store`; SQLite takes the snapshot with the first read."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[None]:
        """See `interface.Store`; the write lock is taken at once."""
        return self._transaction("BEGIN IMMEDIATE")

    def differences(self) -> tuple[str, ...]:
        """See `interface.Store`."""
        with self._told():
            there = set(inspect(self._connection).get_table_names())
            found = look(self._connection, [name for name in SHAPES if name in there])
            missing = [f"{name}: expected this table, found none" for name in SHAPES if name not in there]
            present = [METADATA.tables[name] for name in SHAPES if name in there]
            return (*missing, *(said for table in present for said in differences(self._connection, table, found)))

    def mark(self) -> str:
        """See `interface.Store`: the file's device and number, which a hard link shares."""
        status = self._path.stat()
        return f"file {status.st_dev} {status.st_ino}"

    def bears(self, mark: str) -> bool:
        """See `interface.Store`."""
        return mark == self.mark()

    def count(self, shape: Shape) -> int:
        """See `interface.Store`."""
        with self._told():
            return int(self._connection.execute(select(func.count()).select_from(_TABLES[shape.name])).scalar_one())

    def pages(self, shape: Shape) -> Iterator[list[Values]]:
        """See `interface.Store`: in the order of `rowid`, by which ADK tells which of two events came first."""
        after = _BEFORE_ALL
        while page := self._page(_TABLES[shape.name], shape, after):
            after = page[-1][0]
            yield [row[1:] for row in page]

    def lookup(self, shape: Shape, keys: Sequence[Key], *, lock: bool = False) -> list[Values]:  # noqa: ARG002  # Its shape.
        """See `interface.Store`; SQLite's write lock is on the whole file."""
        there = _TABLES[shape.name]
        wanted = func.json_each(json.dumps(keys)).table_valued("value", name="wanted")
        matches = [
            there.c[name] == func.json_extract(wanted.c.value, f"$[{place}]")
            for place, name in enumerate(shape.key_names)
        ]
        with self._told():
            found = self._connection.execute(select(*there.c).select_from(wanted.join(there, and_(*matches))))
            return [tuple(row) for row in found]

    def insert(self, shape: Shape, rows: Sequence[Row]) -> int:
        """See `interface.Store`."""
        statement = insert(_TABLES[shape.name]).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        with self._told():
            return int(self._connection.execute(statement, [_bound(shape, row) for row in rows]).rowcount)

    def replace(self, shape: Shape, row: Row) -> None:
        """See `interface.Store`."""
        there = _TABLES[shape.name]
        matches = [there.c[name] == value for name, value in zip(shape.key_names, row.key, strict=True)]
        with self._told():
            self._connection.execute(update(there).where(*matches).values(_bound(shape, row)))

    def event_keys(self, session: Key) -> Iterator[list[Key]]:
        """See `interface.Store`."""
        there, after = _TABLES[EVENTS.name], _BEFORE_ALL
        keys = [there.c[name] for name in EVENTS.key_names]
        matches = [key == value for key, value in zip(keys, session, strict=False)]
        statement = (
            select(_rowid, *keys).select_from(there).where(*matches).order_by(_rowid).limit(interface.BATCH_ROWS)
        )
        while True:
            with self._told():
                found = self._connection.execute(statement.where(_rowid > after)).all()
            if not found:
                return
            after = found[-1][0]
            yield [tuple(row[1:]) for row in found]

    def wrote_at(self, scope: Key, moment: datetime) -> bool:
        """See `interface.Store`."""
        return any(self._wrote_at(shape, scope, moment) for shape in (SESSIONS, EVENTS))

    def _wrote_at(self, shape: Shape, scope: Key, moment: datetime) -> bool:
        seconds = moment.replace(tzinfo=UTC).timestamp()
        there = _TABLES[shape.name]
        matches = [there.c[name] == value for name, value in zip(SESSIONS.key_names, scope, strict=False)]
        times = [there.c[shape.columns[place]] for place in shape.times]
        near = [time.between(seconds - _MICROSECOND, seconds + _MICROSECOND) for time in times]
        with self._told():
            found = self._connection.execute(select(*times).where(*matches, or_(*near))).all()
        read = EpochSeconds().process_result_value
        return any(read(value, self._connection.dialect) == moment for row in found for value in row)

    def _page(self, there: TableClause, shape: Shape, after: int) -> list[Values]:
        statement = select(_rowid, *there.c).select_from(there).where(_rowid > after).order_by(_rowid)
        page: list[Values] = []
        left = interface.BATCH_BYTES
        # SQLite gives one row at a time: leaving off early costs nothing.
        with self._told(), self._connection.execute(statement.limit(interface.BATCH_ROWS)) as found:
            for row in found:
                page.append(tuple(row))
                document = row[1 + shape.document]
                left -= len(document) if isinstance(document, str | bytes) else 0
                if left <= 0:
                    break
        return page

    @contextmanager
    def _transaction(self, begin: Literal["BEGIN", "BEGIN IMMEDIATE"]) -> Iterator[None]:
        with self._told(), engine.transaction(self._connection, begin):
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as ours, told of this file: the two databases of a promotion are open at once."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            if (ours := engine.translated(error, self._path)) is not None:
                raise ours from error
            raise


def _bound(shape: Shape, row: Row) -> dict[str, Any]:
    return {
        name: value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else value
        for name, value in zip(shape.columns, row.values, strict=True)
    }
