"""Single values of a row: what both kinds of database can hold, and in one form wherever they came from."""

import json
import re
from datetime import datetime
from decimal import Decimal
from functools import partial
from math import isinf
from typing import Any, Final, NoReturn

from sqlalchemy.dialects import sqlite

from app.schema.sqlite import EpochSeconds

_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD])")
"""How escapes begin that may stand for what PostgreSQL's JSONB cannot hold: NUL, and half of a surrogate pair."""

_from_seconds: Final = partial(EpochSeconds().process_result_value, dialect=sqlite.dialect())


class Unfit(Exception):  # noqa: N818  # `rows` makes an error of it.
    """What a row has that the target cannot hold, for example `a NUL character in state`."""


def check_text(column: str, value: Any, length: int | None) -> None:
    """See that an id or a name can be held.

    Args:
        column: Its column.
        value: What stands there.
        length: How many characters it may have; any number where None.

    Raises:
        Unfit: It cannot.
    """
    if isinstance(value, str) and value.isascii() and "\0" not in value and (length is None or len(value) <= length):
        return
    if not isinstance(value, str):
        _refuse(f"{column} of type {_kind(value)}, not text")
    if _is_broken(value):
        _refuse(f"{column} that is no valid UTF-8")
    if "\0" in value:
        _refuse(f"a NUL character in {column}")
    if length is not None and len(value) > length:
        _refuse(f"{len(value)} characters in {column}, more than {length}")


def moment(column: str, value: Any) -> datetime:
    """A time, naive UTC and exact to the microsecond.

    Args:
        column: Its column.
        value: A `datetime` from PostgreSQL, or SQLite's seconds since 1970.

    Raises:
        Unfit: It is none.
    """
    if type(value) is datetime:
        return value
    if not isinstance(value, int | float):
        _refuse(f"{column} of type {_kind(value)}, not seconds since 1970")
    try:
        found = _from_seconds(value)
    except (ValueError, OverflowError, OSError):
        found = None
    return found or _refuse(f"{column} that is no moment between the years 1 and 9999")


def document(column: str, value: Any, *, nullable: bool, postgresql: bool) -> dict[str, Any] | None:
    """A JSON object, its numbers in one form.

    Args:
        column: Its column.
        value: Its text.
        nullable: Whether there may be none.
        postgresql: Whether JSONB is to hold it.

    Raises:
        Unfit: It is none, or JSONB cannot hold it.
    """
    if value is None and nullable:
        return None
    if not isinstance(value, str):
        _refuse(f"{column} of type {_kind(value)}, not JSON text")
    if _is_broken(value):
        _refuse(f"{column} that is no valid UTF-8")
    try:
        found = (_STRICT if postgresql else _LAX).decode(value)
    except (ValueError, RecursionError):
        _refuse(f"{column} that is no JSON")
    if found is None and nullable:
        return None
    if not isinstance(found, dict):
        _refuse(f"{column} that is no JSON object")
    if postgresql and _SUSPECT.search(value):
        _check_strings(column, found)
    return found


def parsed(text: str) -> dict[str, Any]:
    """A document that has been found good, its numbers in one form."""
    return dict(_LAX.decode(text))


def _number(text: str) -> float | int:
    """A number with a fraction or an exponent, the same whether JSONB has respelt it or not.

    JSONB keeps numbers as decimals: 1e22 comes back as 10000000000000000000000, -0.0 as 0. So a whole number is an
    integer, wherever it came from.
    """
    number = float(text)
    if isinf(number):
        raise ValueError
    if not number.is_integer():
        return number
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else number


def _lax_number(text: str) -> float | int:
    return float(text) if isinf(float(text)) else _number(text)


def _no_constant(_: str) -> NoReturn:
    raise ValueError


_STRICT: Final = json.JSONDecoder(parse_float=_number, parse_constant=_no_constant)
"""JSON proper: NaN and Infinity, which Python writes, are none, nor is what Python would read as Infinity."""

_LAX: Final = json.JSONDecoder(parse_float=_lax_number)


def _check_strings(column: str, found: Any) -> None:
    left = [found]
    while left:
        value = left.pop()
        if isinstance(value, str):
            if "\0" in value:
                _refuse(f"a NUL character in {column}")
            if _is_broken(value):
                _refuse(f"half of a surrogate pair in {column}")
        elif isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            left += value


def _is_broken(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _kind(value: Any) -> str:
    return "NULL" if value is None else type(value).__name__


def _refuse(reason: str) -> NoReturn:
    raise Unfit(reason)
