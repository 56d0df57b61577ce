"""What can be asked of servers: each request is refused, or begins an operation and returns at once."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rehearsal.controlplane import faults
from rehearsal.controlplane import record as status
from rehearsal.controlplane.admission import Admission
from rehearsal.controlplane.operations import Job, Operation, Operations
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.register import Backup, Register
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.controlplane.vendors.rules import Rules
from rehearsal.controlplane.works import Works
from rehearsal.errors import CloudRefusalError


@dataclass(frozen=True)
class _Task:
    """What one operation does to a server.

    Attributes:
        kind: As in `Operation`.
        work: Does it.
        half: Does what is left of it where a fault has it fail half-way.
        begin: Refuses it, or takes note of it.
    """

    kind: str
    work: Callable[[ServerRecord], None]
    half: Callable[[ServerRecord], None] = lambda _: None
    begin: Callable[[ServerRecord], object] = lambda _: None


class Servers:
    """The servers of all clouds.

    Args:
        register: What there is.
        operations: What runs.
        works: Does what operations do.
        admission: Refuses what the cloud would refuse.
    """

    def __init__(self, register: Register, operations: Operations, works: Works, admission: Admission) -> None:
        """Nothing is asked yet."""
        self.register = register
        self.operations = operations
        self._works = works
        self._admission = admission

    def rules(self, cloud: str) -> Rules:
        """A cloud's rules; see `Admission.rules`."""
        return self._admission.rules(cloud)

    def get(self, cloud: str, name: str, *, fresh: bool = False) -> ServerRecord:
        """A server.

        Args:
            cloud: The cloud.
            name: Its name or its resource id.
            fresh: Whether to look at the server itself: its grown disk, and how far it can be restored.

        Raises:
            CloudRefusalError: There is none.
        """
        found = self.register.find(cloud, name)
        if found is None:
            raise self.rules(cloud).missing(name)
        if fresh:
            self.heal(found)
            found = self.register.find(cloud, name) or found
        if fresh and found.status == status.AVAILABLE:
            return self._works.look(found)
        return found

    def all(self, cloud: str | None = None) -> list[ServerRecord]:
        """Every server, or those of a cloud, by name; one that has crashed says so."""
        for record in self.register.servers(cloud):
            self.heal(record)
        return self.register.servers(cloud)

    def heal(self, record: ServerRecord) -> None:
        """Begin to bring back a server that has crashed under nobody's hands; nothing happens where all is well."""
        idle = record.status in _RESTING and self.operations.running(record.cloud, record.name) is None
        if not idle or self._works.is_well(record):
            return
        kind = "recovery" if self._works.is_running(record) else "restart"
        if kind == "restart" and self._works.takes_over(record):
            kind = "failover"
        with contextlib.suppress(CloudRefusalError):  # Somebody else was faster, or it was deleted.
            self._start(record.cloud, record.name, _Task(kind, self._works.recover))

    def create(self, request: ServerRequest) -> Operation:
        """Make a server: a new one, a replica, or one restored to a moment.

        Raises:
            CloudRefusalError: The name cannot be had, what it needs is not there, or it cannot be restored so.
        """
        self._admission.expect_new(request)
        source = self._admission.source(request, self._works.look)
        request = request.after(source) if source else request
        record, doom = self._admission.record(request, source), faults.doom()

        def accept() -> None:
            self._admission.take(record)
            self.register.keep(record)

        def work() -> None:
            try:
                self._works.create(record, request, source, status.FAILED if doom else status.AVAILABLE)
            except BaseException:
                self._admission.release(record, reserved=False)
                self.register.forget(record)
                raise
            if doom:
                raise doom

        kind = {"primary": "create"}.get(request.kind, request.kind)
        return self.operations.start(Job(record.cloud, record.name, kind, accept, work))

    def modify(self, cloud: str, name: str, change: ServerChange, *, wait: bool = False) -> Operation:
        """Change a server; `wait` lets a running operation end first where the cloud's provider does so too."""

        def begin(record: ServerRecord) -> None:
            if change.needs is not None:
                self._admission.note(record, change.needs)

        def work(record: ServerRecord) -> None:
            self._works.modify(record, change)

        return self._begin(cloud, name, _Task("modify", work, begin=begin), wait=wait)

    def fail_over(self, cloud: str, name: str, *, clean: bool = False) -> Operation:
        """Have the standby take over; the primary crashes, unless it is to be clean.

        Half of it is a primary that comes back by itself, before the standby has taken over.
        """
        if not self.get(cloud, name).standby:
            raise self.rules(cloud).alone(name)

        def work(record: ServerRecord) -> None:
            self._works.fail_over(record, clean=clean)

        return self._begin(cloud, name, _Task("failover", work, half=self._works.restart))

    def restart(self, cloud: str, name: str) -> Operation:
        """Restart a server."""
        return self._begin(cloud, name, _Task("restart", self._works.restart))

    def back_up(self, cloud: str, name: str, label: str) -> Operation:
        """Make a backup under a name."""
        self._admission.expect_label(cloud, label)
        begun: list[Backup] = []

        def work(record: ServerRecord) -> None:
            self._works.back_up(record, begun[0])

        def begin(record: ServerRecord) -> None:
            begun.append(self._works.begin_backup(record, label, "manual"))

        def half(_: ServerRecord) -> None:
            self.register.forget_backup(begun[0])

        return self._begin(cloud, name, _Task("backup", work, half, begin))

    def work_on(self, cloud: str, name: str, kind: str, work: Callable[[ServerRecord], None]) -> Operation:
        """Do something short on a server, with respect to what runs on it."""
        return self._begin(cloud, name, _Task(kind, work), wait=True)

    def delete(
        self, cloud: str, name: str, *, final_backup: str | None = None, keep_archive: bool = False, wait: bool = False
    ) -> Operation:
        """Delete a server.

        Args:
            cloud: The cloud.
            name: The server's name.
            final_backup: The name of a last backup; None makes none.
            keep_archive: Whether it can still be restored to a moment afterwards.
            wait: As in `modify`.

        Raises:
            CloudRefusalError: It is protected or needed, or the backup's name is taken.
        """
        record = self.get(cloud, name)
        self._admission.expect_deletable(record)
        if final_backup is not None:
            self._admission.expect_label(cloud, final_backup)

        def work(record: ServerRecord) -> None:
            self._works.delete(record, final_backup=final_backup, keep_archive=keep_archive)
            self._admission.release(record, reserved=self.rules(cloud).reserves_names)

        return self._begin(cloud, record.name, _Task("delete", work), wait=wait)

    def mend(self, record: ServerRecord) -> None:
        """See to a server that was being made or deleted when the control plane was killed: half of one is none."""
        if record.status == status.CREATING:
            self._works.clear(record)
            self._admission.release(record, reserved=False)
        elif record.status == status.DELETING and self._works.is_gone(record):
            self._admission.release(record, reserved=self.rules(record.cloud).reserves_names)

    def _begin(self, cloud: str, name: str, task: _Task, *, wait: bool = False) -> Operation:
        self.heal(self.get(cloud, name))
        return self._start(cloud, name, task, wait=wait, doom=faults.doom())

    def _start(
        self, cloud: str, name: str, task: _Task, *, wait: bool = False, doom: CloudRefusalError | None = None
    ) -> Operation:
        rules, name = self.rules(cloud), self.get(cloud, name).name

        def accept() -> None:
            record = self.get(cloud, name)
            task.begin(record)
            self._works.set_status(record, _STATUS.get(task.kind, status.AVAILABLE))

        def run() -> None:
            try:
                (task.half if doom else task.work)(self.get(cloud, name))
                if doom:
                    raise doom
            finally:
                self._works.settle(cloud, name)

        busy = None if wait and rules.waits else rules.busy(name)
        return self.operations.start(Job(cloud, name, task.kind, accept, run), busy=busy)


_RESTING: Final = (status.AVAILABLE, status.FAILED)
"""What a server's status says while nothing runs on it."""

_STATUS: Final = {
    "modify": status.MODIFYING,
    "failover": status.FAILING_OVER,
    "restart": status.RESTARTING,
    "backup": status.BACKING_UP,
    "delete": status.DELETING,
}
"""What a server's status says while an operation runs; short ones do not show."""
