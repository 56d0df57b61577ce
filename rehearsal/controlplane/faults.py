"""Faults on demand: what the next operations of a kind shall run into."""

import contextlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from rehearsal.controlplane.ledger import Document, Ledger
from rehearsal.errors import CloudRefusalError

Fault = Literal["throttle", "fail-half-way", "time-out", "kill"]
"""`throttle`: refused before anything is done; `fail-half-way`: refused after half of it; `time-out`: done, but nobody
hears; `kill`: done, then whoever asked is killed."""

_SHELF: Final = "faults"
_KINDS: Final = get_args(Fault)


@dataclass
class Doom:
    """How the operations that begin in a request are to end.

    Attributes:
        error: Their failure.
        met: Whether one has begun.
    """

    error: CloudRefusalError
    met: bool = False


_DOOM: Final[ContextVar[Doom | None]] = ContextVar("doom", default=None)


@contextlib.contextmanager
def doomed(error: CloudRefusalError) -> Iterator[Doom]:
    """Have the operations that begin in the body fail half-way; those that run already do not know of it."""
    token = _DOOM.set(doom := Doom(error))
    try:
        yield doom
    finally:
        _DOOM.reset(token)


def doom() -> CloudRefusalError | None:
    """How an operation that begins now is to end; None where it may do as well as it can."""
    found = _DOOM.get()
    if found is None:
        return None
    found.met = True
    return found.error


class Faults:
    """The faults that are still to come, in the order in which they were added.

    Args:
        ledger: Where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        """None is added yet."""
        self._ledger = ledger

    def add(self, type_: str, operation: str, fault: str, *, cloud: str = "*", times: int = 1) -> None:
        """Have the next operations of a kind run into a fault.

        Args:
            type_: A type of resource, with `*` for any part of it. For example "aws:rds/instance:Instance"; "api" is
                the vendor's own HTTP.
            operation: "create", "update", "delete" or "read"; of "api" the operation's name; with `*` likewise.
            fault: One of `Fault`.
            cloud: "aws", "gcp", "azure" or "*".
            times: How many operations; at least one.

        Raises:
            CloudRefusalError: There is no such fault.
        """
        if fault not in _KINDS or times < 1:
            message = f"expected one of {', '.join(_KINDS)}, at least once, got {fault!r} {times} times"
            raise CloudRefusalError(code="InvalidFault", message=message)
        key = f"{self._ledger.count(_SHELF):08}-{uuid.uuid4().hex[:8]}"
        wanted = {"cloud": cloud, "type": type_, "operation": operation, "fault": fault, "times": times}
        self._ledger.put(_SHELF, key, wanted)

    def take(self, cloud: str, type_: str, operation: str) -> str | None:
        """The fault that this operation runs into, which is one fewer to come; None where it runs into none."""
        with self._ledger.transaction():
            for key, each in self._ledger.all(_SHELF).items():
                found = {"cloud": cloud, "type": type_, "operation": operation}
                if all(fnmatchcase(value, each[name]) for name, value in found.items()):
                    self._use(key, each)
                    return str(each["fault"])
        return None

    def all(self) -> list[Document]:
        """The faults still to come."""
        return list(self._ledger.all(_SHELF).values())

    def clear(self) -> None:
        """No fault is to come any more."""
        for key in self._ledger.all(_SHELF):
            self._ledger.remove(_SHELF, key)

    def _use(self, key: str, fault: Document) -> None:
        if fault["times"] > 1:
            self._ledger.put(_SHELF, key, {**fault, "times": fault["times"] - 1})
        else:
            self._ledger.remove(_SHELF, key)
