"""The one statement that weighs what ADK is about to read, in SQLAlchemy's terms, for both kinds of database.

jsonb is compressed on disk, up to 255-fold, and its numbers are written out in text, `1e300` in 301 digits.
What is stored decides only where even the worst of it would be small, or the best of it too large; all else is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    MetaData,
    ScalarSelect,
    Select,
    Subquery,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

SMALL: Final = 2**20
"""Bytes that nobody counts, so that ordinary sessions never wait for one another."""

_PART: Final = 100
"""Bytes more for each object and each list: an empty part of a content, `{}`, becomes an object of 775 bytes
(google-genai 1), where a byte of other JSON costs 2 to 17."""

_WRITTEN: Final = 26
"""What a byte of jsonb weighs at most: a number of 12 is written with 309 digits (PostgreSQL, `numeric.c`)."""

_COMPRESSED: Final = 255
"""Bytes of jsonb that a byte on disk can become (lz4, "LZ4 Block Format"; pglz does less)."""

_BINARY: Final = 4
"""Bytes of jsonb that a byte of text can become: a digit and its comma have 12 (PostgreSQL, `jsonb.h`)."""

_NONE: Final[ColumnElement[Any]] = literal_column("0")

_Value = ColumnElement[Any]


@dataclass(frozen=True)
class Weights:
    """How a value weighs in one kind of database; the first two without it being decompressed.

    Attributes:
        least: No more than what it weighs.
        most: No less.
        text: It, as ADK gets it.
        size: The bytes of a text.
    """

    least: Callable[[_Value], _Value]
    most: Callable[[_Value], _Value]
    text: Callable[[_Value], _Value]
    size: Callable[[_Value], _Value]


def _bytes(value: _Value) -> _Value:
    return func.length(cast(value, LargeBinary))


JSONB: Final = Weights(
    least=lambda value: func.pg_column_size(value, type_=Integer) // _BINARY,
    most=lambda value: (
        cast(func.pg_column_size(value), BigInteger)
        * case((func.pg_column_compression(value).is_(None), _WRITTEN), else_=_WRITTEN * _COMPRESSED)
    ),
    text=lambda value: cast(value, Text),
    size=func.octet_length,
)
"""PostgreSQL's."""

JSON: Final = Weights(
    least=_bytes,
    most=lambda value: _bytes(value) * (_PART + 1),
    text=lambda value: type_coerce(value, Text),
    size=_bytes,
)
"""SQLite's."""


@dataclass(frozen=True)
class Shape:
    """What a statement looks at; it is made once for each.

    Attributes:
        user: Whether one user's, or everybody's.
        session: Whether one session with its events.
        all: Whether all sessions, without events.
        recent: Whether the last events alone.
        after: Whether the events from some moment on.
    """

    user: bool = True
    session: bool = False
    all: bool = False
    recent: bool = False
    after: bool = False


def statement(tables: MetaData, weights: Weights, bound: int, shape: Shape) -> Select[Any]:
    """One that gives one number: bytes of JSON, and 100 for each object and list; of what is small, fewer.

    Args:
        tables: Of the layout.
        weights: Of its values.
        bound: From how many bytes on it does not matter how many.
        shape: What it looks at; its parameters are `app`, `user`, `session`, `recent` and `after`.
    """
    found = _found(tables.tables, shape)
    value, times = found.c.value, found.c.times
    least, most = _sum(times * weights.least(value)), _sum(times * weights.most(value))
    sums = select(least.label("least"), most.label("most"), func.count().label("count"))
    looked = sums.select_from(found).subquery("looked")
    read = _read(found, weights, bound, looked)
    decided = case((looked.c.most <= SMALL, looked.c.least), (looked.c.least > bound, looked.c.least), else_=read)
    return select(decided).select_from(looked)


def _read(found: CTE, weights: Weights, bound: int, looked: Subquery) -> ScalarSelect[Any]:
    """The sum of all, or as much of it as is over the bound, so that no more is decompressed and written out."""
    # OFFSET 0 keeps PostgreSQL from writing a text three times.
    texts = select(weights.text(found.c.value).label("text"), found.c.times).offset(_NONE).subquery("texts")
    size, parts = weights.size(texts.c.text), weights.size(texts.c.text) - weights.size(_without_parts(texts.c.text))
    weighed = select((texts.c.times * (size + _PART * parts)).label("weight")).offset(_NONE).subquery("weighed")
    so_far = func.sum(weighed.c.weight).over(rows=(None, 0)).label("weight")
    running = select(so_far, func.row_number().over(rows=(None, 0)).label("row")).subquery("running")
    last = or_(running.c.weight > bound, running.c.row == looked.c.count)
    return select(running.c.weight).where(last).limit(1).correlate(looked).scalar_subquery()


def _without_parts(text: _Value) -> _Value:
    """Without the marks of objects and lists; PostgreSQL's translate() would take four times as long."""
    return func.replace(func.replace(text, "{", ""), "[", "")


def _sum(each: _Value) -> _Value:
    return func.coalesce(func.sum(each), 0)


def _found(tables: Mapping[str, Table], shape: Shape) -> CTE:
    """Each value, and how often ADK has it in memory: a user's state is merged into each session."""
    sessions, users, apps = (tables[name] for name in ("sessions", "user_states", "app_states"))
    of_user = _times(sessions, shape, sessions.c.user_id == users.c.user_id)
    parts = [
        select(users.c.state.label("value"), of_user.label("times")).where(*_of(users, shape)),
        select(apps.c.state, _times(sessions, shape)).where(apps.c.app_name == bindparam("app")),
    ]
    if shape.session or shape.all:
        one = [sessions.c.id == bindparam("session")] if shape.session else []
        parts.append(select(sessions.c.state, literal_column("1")).where(*_of(sessions, shape), *one))
    if shape.session:
        last = _last(tables["events"], shape)
        parts.append(select(last.c.event_data, literal_column("1")))
    return union_all(*parts).cte("found")


def _of(table: Table, shape: Shape) -> list[_Value]:
    app = table.c.app_name == bindparam("app")
    return [app, table.c.user_id == bindparam("user")] if shape.user else [app]


def _times(sessions: Table, shape: Shape, *more: _Value) -> _Value:
    """Once as it is read, and once for each session of a list."""
    if not shape.all:
        return literal_column("1")
    return 1 + select(func.count()).select_from(sessions).where(*_of(sessions, shape), *more).scalar_subquery()


def _last(events: Table, shape: Shape) -> Subquery:
    """The events that ADK reads (google-adk 2.13 `get_session`)."""
    asked = select(events.c.event_data).where(*_of(events, shape), events.c.session_id == bindparam("session"))
    if shape.after:
        asked = asked.where(events.c.timestamp >= bindparam("after", type_=NullType()))
    if shape.recent:
        asked = asked.order_by(events.c.timestamp.desc(), events.c.id.desc()).limit(bindparam("recent"))
    return asked.subquery("last")
