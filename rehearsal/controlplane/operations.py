"""Long operations: one at a time on a server, in a worker of its own, while its status tells what goes on."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rehearsal.controlplane.ledger import Document, Ledger
from rehearsal.controlplane.record import written
from rehearsal.errors import (
    CloudRefusalError,
    RehearsalError,
    RestorableError,
    SettingsError,
    StandbyError,
    StatementError,
)

PENDING: Final = "pending"
DONE: Final = "done"
FAILED: Final = "failed"

_SHELF: Final = "operations"
_CODES: Final[Mapping[type, str]] = {
    RestorableError: "InvalidRestore",
    SettingsError: "InvalidParameterValue",
    StandbyError: "InvalidRequest",
    StatementError: "InvalidRequest",
}
"""Codes for what PostgreSQL itself refuses."""


@dataclass
class Operation:
    """One long operation.

    Attributes:
        id: Its name.
        cloud: The cloud.
        server: The server that it works on.
        kind: What it does: "create", "restore", "modify", "failover", "restart", "backup" or "delete".
        status: `PENDING`, `DONE` or `FAILED`.
        started: When, UTC, ISO 8601.
        ended: When; None while it runs.
        code: Of a failure.
        message: Of a failure.
        number: In which order operations began.
    """

    cloud: str
    server: str
    kind: str
    number: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = PENDING
    started: str = field(default_factory=lambda: written(dt.datetime.now(dt.UTC)))
    ended: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Job:
    """What an operation does.

    Attributes:
        cloud: The cloud.
        server: The server's name.
        kind: What it does, as in `Operation`.
        accept: Refuses it, or sets the server's status; runs before anybody hears that the operation began.
        work: Does it; what it raises is the operation's failure.
    """

    cloud: str
    server: str
    kind: str
    accept: Callable[[], None]
    work: Callable[[], None]


class Operations:
    """Those that run, and those that ever ran.

    Args:
        ledger: Where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        """What a killed control plane was at has failed."""
        self._ledger = ledger
        self._changed = threading.Condition()
        self._running: dict[tuple[str, str], Operation] = {}
        for operation in self.all():
            if operation.status == PENDING:
                self._end(operation, CloudRefusalError("InternalError", "the operation was interrupted"))

    def start(self, job: Job, *, busy: CloudRefusalError | None = None) -> Operation:
        """Begin an operation and return at once.

        Args:
            job: What to do.
            busy: What to raise where another one runs on the server; None waits for that one's end.

        Raises:
            CloudRefusalError: `busy`, or the job was refused.
        """
        place = (job.cloud, job.server)
        with self._changed:
            while place in self._running:
                if busy is not None:
                    raise busy
                self._changed.wait()
            job.accept()
            operation = Operation(job.cloud, job.server, job.kind, self._ledger.count(_SHELF))
            self._running[place] = operation
            self._keep(operation)
        name = f"{job.kind} {job.server}"
        threading.Thread(target=self._work, args=(operation, job.work), name=name, daemon=True).start()
        return operation

    def running(self, cloud: str, server: str) -> Operation | None:
        """The one that runs on a server; None where none does."""
        with self._changed:
            return self._running.get((cloud, server))

    def wait(self, operation: Operation) -> None:
        """Block until an operation has ended.

        Raises:
            CloudRefusalError: It failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: operation.status != PENDING)
        if operation.status == FAILED:
            raise CloudRefusalError(operation.code or "InternalError", operation.message or "the operation failed")

    def settle(self) -> None:
        """Block until nothing runs any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def get(self, id_: str) -> Operation | None:
        """An operation by its id; None where there was none."""
        found = self._ledger.get(_SHELF, id_)
        return None if found is None else _operation(found)

    def all(self, cloud: str | None = None) -> list[Operation]:
        """Every operation, or those of a cloud; the first one first."""
        found = [_operation(document) for document in self._ledger.all(_SHELF).values()]
        return sorted((each for each in found if cloud in (None, each.cloud)), key=lambda each: each.number)

    def _work(self, operation: Operation, work: Callable[[], None]) -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as caught:  # noqa: BLE001  # Whatever it is, who asks for the operation shall hear of it.
            error = caught
        with self._changed:
            self._end(operation, error)
            del self._running[operation.cloud, operation.server]
            self._changed.notify_all()

    def _end(self, operation: Operation, error: Exception | None) -> None:
        operation.status, operation.ended = DONE, written(dt.datetime.now(dt.UTC))
        if error is not None:
            operation.status, operation.code, operation.message = FAILED, *_told(error)
        self._keep(operation)

    def _keep(self, operation: Operation) -> None:
        self._ledger.put(_SHELF, operation.id, asdict(operation))


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, CloudRefusalError):
        return error.code, error.message
    if isinstance(error, RehearsalError):
        return _CODES.get(type(error), "InternalError"), str(error)
    return "InternalError", f"{type(error).__name__}: {error}"


def _operation(document: Document) -> Operation:
    fields: dict[str, Any] = document
    return Operation(**fields)
