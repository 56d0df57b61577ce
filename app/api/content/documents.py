"""JSON as every database keeps it: read once, within bounds, each name as often as it was written.

Left alone, each of these is a 500 of ADK's, or a server that answers nobody: NUL in PostgreSQL's text and jsonb, lone
surrogates that no UTF-8 can write, numbers that JSON has no words for, nesting that exhausts a stack, and millions of
values, which Python reads at a megabyte a second.
"""

import json
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync

from app.api.found import Pairs

_DEEPEST: Final = 100
"""Objects and lists within one another; pydantic gives up at about 255."""

_MOST: Final = 100_000
"""Values and names: ADK, pydantic and the driver each read them again, all others waiting (0.1 s in sum)."""

_SMALL: Final = 64 * 2**10
"""Bytes that are read in a few milliseconds, without a thread."""


class FaultError(Exception):
    """Why a request is refused, with its status. For example, its body is no JSON."""

    def __init__(self, detail: str, status: int = 422) -> None:
        """Take what was expected, and the status of HTTP."""
        super().__init__(detail)
        self.status = status


class Reader:
    """Reads JSON; large ones in a thread, one at a time, so that small requests are answered meanwhile."""

    def __init__(self, *, nul: bool) -> None:
        """Read nothing yet.

        Args:
            nul: Whether texts may have the character NUL: SQLite keeps it, PostgreSQL's jsonb refuses it
                (PostgreSQL, "JSON Types").
        """
        self._nul = nul
        self._one = anyio.CapacityLimiter(1)

    async def __call__(self, text: bytes) -> Any:
        """What a JSON text says, its objects as `Pairs`.

        Args:
            text: The JSON, in UTF-8.

        Raises:
            FaultError: It is none, or the database could not keep it.
        """
        if len(text) <= _SMALL:
            return self._read(text)
        return await run_sync(self._read, text, limiter=self._one)

    def _read(self, text: bytes) -> Any:
        _require_few(text)
        document = _parsed(text)
        _require_sound(document, nul=self._nul, escaped=b"\\u" in text)
        return document


def _require_few(text: bytes) -> None:
    """Counted before anything is made of it: what is outside of quotes has a mark for each value but the first."""
    if len(text) <= _MOST:
        return
    text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    many = text.count(b'"') > 4 * _MOST
    outside = b"" if many else b"".join(text.split(b'"')[::2])
    if many or sum(outside.count(mark) for mark in (b",", b"[", b"{")) > _MOST:
        message = f"expected JSON with at most {_MOST} values"
        raise FaultError(message)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), object_pairs_hook=Pairs, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        detail = f"expected JSON with at most {_DEEPEST} levels"
        raise FaultError(detail) from None
    except ValueError as error:
        detail = f"expected JSON in UTF-8: {getattr(error, 'msg', None) or 'it cannot be read'}"
        raise FaultError(detail, 400) from None


def _no_number(constant: str) -> float:
    message = f"expected numbers that JSON has words for, got {constant}"
    raise FaultError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        message = "expected numbers that fit into 64 bits, up to about 1.8e308"
        raise FaultError(message)
    return number


def _require_sound(document: Any, *, nul: bool, escaped: bool) -> None:
    """Neither NUL nor half of a surrogate pair can be in a text but by an escape."""
    waiting = [([document], 0)]
    while waiting:
        values, depth = waiting.pop()
        if depth > _DEEPEST:
            message = f"expected JSON with at most {_DEEPEST} levels"
            raise FaultError(message)
        parts = (part for pair in values for part in pair) if isinstance(values, Pairs) else values
        for part in parts:
            if isinstance(part, list):
                waiting.append((part, depth + 1))
            elif escaped and isinstance(part, str):
                _require_text(part, nul=nul)


def _require_text(text: str, *, nul: bool) -> None:
    if not nul and "\0" in text:
        message = "expected texts without the character NUL (\\u0000), which PostgreSQL does not keep"
        raise FaultError(message)
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "expected texts without a half of a surrogate pair (\\ud800 to \\udfff), which UTF-8 cannot write"
        raise FaultError(message) from None
