"""A PostgreSQL database to promote from or to."""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    DateTime,
    Table,
    Text,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from app import dsn
from app.backends.interface import Target, Waits
from app.backends.postgresql import catalog
from app.backends.postgresql import connection as engine
from app.backends.postgresql.failures import translated
from app.promotion.rows import Key, Row, Values
from app.promotion.shape import EVENTS, SESSIONS, SHAPES, Shape
from app.promotion.stores import interface
from app.promotion.stores.layout import lacking
from app.schema.comparison import look
from app.schema.postgresql import ADK_METADATA, METADATA

_FIRST: Final = 200
"""How many rows to ask for before their size is known."""

_MARK: Final = 0x5E55_10DC
"""The first key of the advisory lock by which a database is told; that of a bootstrap is another."""


class PostgresqlStore:
    """A session database on a server; see `interface.Store`."""

    is_postgresql = True

    def __init__(self, connection: Connection, url: URL, waits: Waits, schema: str) -> None:
        """Take a connection from `connection.opened`, and the schema in which the tables are."""
        self.place = dsn.masked(url)
        self._url, self._waits, self._schema = url, waits, schema
        self._connection = connection.execution_options(schema_translate_map={None: schema})

    @classmethod
    @contextmanager
    def target(cls, target: Target) -> Iterator[Self]:
        """Open a database to write to, as its owner.

        Args:
            target: The database.

        Raises:
            DatabaseUnavailableError: It cannot be opened, or is a standby; the kind of the error says why.
            InvalidSettingError: There is no schema to work in.
        """
        with engine.opened(target.owner, target.waits) as connection:
            with engine.reading(connection, target.waits):
                schema = catalog.read(connection, target).schema
            yield cls(connection, target.owner, target.waits, schema)

    @classmethod
    @contextmanager
    def source(cls, url: URL, waits: Waits) -> Iterator[Self]:
        """Open a database to read from, with any role that may read; a standby will do.

        Args:
            url: A URL from `dsn.parse`.
            waits: The bounds.

        Raises:
            DatabaseUnavailableError: It cannot be opened; the kind of the error says why.
        """
        with engine.opened(url, waits) as connection:
            yield cls(connection, url, waits, catalog.schema_of(connection, Target.of(url)))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `interface.Store`."""
        with translated(self._url), engine.reading(self._connection, self._waits):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """See `interface.Store`; one promotion or bootstrap at a time."""
        with translated(self._url), engine.writing(self._connection, self._waits):
            yield

    def differences(self) -> tuple[str, ...]:
        """See `interface.Store`; what ADK tolerates is none."""
        with translated(self._url):
            found = look(self._connection, [*SHAPES, ADK_METADATA.name], self._schema)
        return tuple(said for name in METADATA.tables for said in lacking(METADATA.tables[name], found.columns))

    def mark(self) -> str:
        """See `interface.Store`: an advisory lock of a random number, which the database shows to everybody in it."""
        number = secrets.randbelow(2**31)
        with translated(self._url):
            engine.scalar(self._connection, "SELECT pg_advisory_xact_lock(:first, :number)", first=_MARK, number=number)
        return f"{number} {self._schema}"

    def bears(self, mark: str) -> bool:
        """See `interface.Store`."""
        number, _, schema = mark.partition(" ")
        sql = (
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON oid = database WHERE datname = current_database() "
            "AND locktype = 'advisory' AND classid::bigint = :first AND objid::bigint = :number)"
        )
        if not number.isdecimal() or schema != self._schema:
            return False
        with translated(self._url):
            return bool(engine.scalar(self._connection, sql, first=_MARK, number=int(number)))

    def count(self, shape: Shape) -> int:
        """See `interface.Store`."""
        with translated(self._url):
            return int(self._connection.execute(select(func.count()).select_from(_table(shape))).scalar_one())

    def pages(self, shape: Shape) -> Iterator[list[Values]]:
        """See `interface.Store`: by the keys of the tables' indexes, found with their sizes before they are read."""
        position: tuple[Any, ...] | None = None
        limit = _FIRST
        while found := self._positions(shape, position, limit):
            size, taken = 0, 0
            while taken < len(found) and (taken == 0 or size + found[taken][-1] <= interface.BATCH_BYTES):
                size += found[taken][-1]
                taken += 1
            position = tuple(found[taken - 1][:-1])
            keys = [_key(shape, row) for row in found[:taken]]
            rows = {tuple(row[place] for place in shape.key): row for row in self.lookup(shape, keys)}
            yield [rows[key] for key in keys]
            limit = max(1, min(interface.BATCH_ROWS, 2 * interface.BATCH_BYTES * taken // max(size, 1)))

    def lookup(self, shape: Shape, keys: Sequence[Key], *, lock: bool = False) -> list[Values]:
        """See `interface.Store`."""
        there, wanted = _table(shape), func.jsonb_array_elements(_json("keys")).column_valued("wanted")
        matches = [
            there.c[name] == func.jsonb_array_element_text(wanted, place) for place, name in enumerate(shape.key_names)
        ]
        document = there.c[shape.columns[shape.document]]
        columns = [cast(each, Text) if each is document else each for each in there.c]
        statement = select(*columns).select_from(there).where(*matches)
        if lock:
            statement = statement.with_for_update(of=there)
        with translated(self._url):
            return [tuple(row) for row in self._connection.execute(statement, {"keys": json.dumps(keys)})]

    def insert(self, shape: Shape, rows: Sequence[Row]) -> int:
        """See `interface.Store`; one statement and one parameter, which is quick without any right but INSERT."""
        given = func.jsonb_array_elements(_json("rows")).column_valued("given")
        values = [_column(shape, place, given) for place in range(len(shape.columns))]
        statement = insert(_table(shape)).from_select(list(shape.columns), select(*values)).on_conflict_do_nothing()
        statement = statement.execution_options(preserve_rowcount=True)
        with translated(self._url):
            found = self._connection.execute(statement, {"rows": _spelt(shape, rows)})
            return int(found.rowcount)

    def replace(self, shape: Shape, row: Row) -> None:
        """See `interface.Store`."""
        there = _table(shape)
        matches = [there.c[name] == value for name, value in zip(shape.key_names, row.key, strict=True)]
        values: dict[str, Any] = dict(zip(shape.columns, row.values, strict=True))
        name = shape.columns[shape.document]
        values[name] = cast(literal(values[name], Text), JSONB)
        with translated(self._url):
            self._connection.execute(update(there).where(*matches).values(values))

    def event_keys(self, session: Key) -> Iterator[list[Key]]:
        """See `interface.Store`."""
        there = _table(EVENTS)
        matches = [there.c[name] == value for name, value in zip(EVENTS.key_names, session, strict=False)]
        statement = select(there.c.id).where(*matches).order_by(there.c.id).limit(interface.BATCH_ROWS)
        page = statement
        while True:
            with translated(self._url):
                found = self._connection.execute(page).scalars().all()
            if not found:
                return
            page = statement.where(there.c.id > found[-1])
            yield [(*session, name) for name in found]

    def wrote_at(self, scope: Key, moment: datetime) -> bool:
        """See `interface.Store`."""
        return any(self._wrote_at(shape, scope, moment) for shape in (SESSIONS, EVENTS))

    def _wrote_at(self, shape: Shape, scope: Key, moment: datetime) -> bool:
        there = _table(shape)
        matches = [there.c[name] == value for name, value in zip(SESSIONS.key_names, scope, strict=False)]
        times = or_(*(there.c[shape.columns[place]] == moment for place in shape.times))
        with translated(self._url):
            return bool(self._connection.execute(select(exists().where(*matches, times))).scalar_one())

    def _positions(self, shape: Shape, after: tuple[Any, ...] | None, limit: int) -> list[tuple[Any, ...]]:
        """The next keys in order, each with how many bytes of JSON its row has."""
        there = _table(shape)
        names = ("app_name", "user_id", "session_id", "timestamp", "id") if shape is EVENTS else shape.key_names
        order = [there.c[name] for name in names]
        statement = select(*order, _size(there.c[shape.columns[shape.document]])).order_by(*order)
        if after is None:
            return self._read(statement, limit)
        if shape is not EVENTS:
            return self._read(statement.where(tuple_(*order) > tuple_(*after)), limit)
        # Two questions that the index on (app_name, user_id, session_id, …) answers without reading what was read.
        session, rest = tuple_(*order[:3]), tuple_(*order[3:])
        same = [each == value for each, value in zip(order[:3], after[:3], strict=True)]
        found = self._read(statement.where(*same, rest > tuple_(*after[3:])), limit)
        if len(found) < limit:
            found += self._read(statement.where(session > tuple_(*after[:3])), limit - len(found))
        return found

    def _read(self, statement: Any, limit: int) -> list[tuple[Any, ...]]:
        with translated(self._url):
            return [tuple(row) for row in self._connection.execute(statement.limit(limit))]


def _table(shape: Shape) -> Table:
    return METADATA.tables[shape.name]


def _key(shape: Shape, position: Sequence[Any]) -> Key:
    return (*position[:3], position[4]) if shape is EVENTS else tuple(position[:-1])


def _size(document: ColumnElement[Any]) -> ColumnElement[int]:
    """How long a document is; only a compressed one must be unpacked to tell."""
    whole = func.octet_length(cast(document, Text))
    stored = func.pg_column_size(document)
    return func.coalesce(case((func.pg_column_compression(document).is_(None), stored), else_=whole), 0)


def _json(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name, type_=Text()), JSONB)


def _column(shape: Shape, place: int, given: ColumnElement[Any]) -> ColumnElement[Any]:
    if place == shape.document:
        return func.nullif(func.jsonb_array_element(given, place), cast(literal("null", Text()), JSONB), type_=JSONB)
    value = func.jsonb_array_element_text(given, place, type_=Text)
    return cast(value, DateTime) if place in shape.times else value


def _spelt(shape: Shape, rows: Sequence[Row]) -> str:
    """The rows as one JSON array; their documents stand in it as they are."""
    return f"[{','.join(_array(shape, row) for row in rows)}]"


def _array(shape: Shape, row: Row) -> str:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in row.values]
    parts = [json.dumps(value) for value in values]
    parts[shape.document] = values[shape.document] or "null"
    return f"[{','.join(parts)}]"
