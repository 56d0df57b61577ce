"""What operations do: each changes the server itself, then the record of it, then the file of ways to reach it."""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import psycopg

from rehearsal.controlplane import record as status
from rehearsal.controlplane.machines import Machines
from rehearsal.controlplane.record import ServerRecord, public, written
from rehearsal.controlplane.register import Backup, Register
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.errors import RehearsalError
from rehearsal.fleet import ManagedServer

_UNREACHABLE: Final = (RehearsalError, psycopg.Error)


class Works:
    """Runs in the workers of operations.

    Args:
        register: What there is.
        machines: The servers themselves.
        reach: Writes anew how every server is reached.
    """

    def __init__(self, register: Register, machines: Machines, reach: Callable[[], None]) -> None:
        """Nothing is done yet."""
        self._register = register
        self._machines = machines
        self._reach = reach
        self._looking = threading.Lock()

    def create(
        self, record: ServerRecord, request: ServerRequest, source: ServerRecord | None, word: str = status.AVAILABLE
    ) -> None:
        """Make the server of a new record; `word` is its status then."""
        if source is None:
            machine = self._machines.create(record, request)
        elif request.kind == "replica":
            machine = self._machines.replica(record, request, source)
        else:
            machine = self._machines.restore(record, request, source)
        self._keep(record, machine, word)

    def modify(self, record: ServerRecord, change: ServerChange) -> None:
        """Change a server; what is the same already costs nothing."""
        machine = self._machines.get(record)
        if change.promote and record.kind == "replica":
            machine.promote()
            record.kind, record.source = "primary", None
        if change.password is not None:
            machine.set_password(record.owner, change.password)
        self._parameters(record, machine, change)
        self._storage(record, machine, change)
        if change.standby is not None and change.standby != record.standby:
            machine.set_standby(change.standby)
            record.standby = change.standby
        record.attributes = record.attributes if change.attributes is None else public(change.attributes)
        record.needs = record.needs if change.needs is None else change.needs
        self._keep(record, machine)

    def fail_over(self, record: ServerRecord, *, clean: bool) -> None:
        """The standby takes over, and a new one begins to follow it."""
        machine = self._machines.get(record)
        machine.failover(clean=clean)
        record.swap_zones()
        self._keep(record, machine)
        machine.rejoin()

    def is_well(self, record: ServerRecord) -> bool:
        """Whether all processes of a server run that are to."""
        return self._machines.get(record).well

    def is_running(self, record: ServerRecord) -> bool:
        """Whether a server is there and its process lives."""
        return self._machines.is_whole(record) and self._machines.get(record).running

    def takes_over(self, record: ServerRecord) -> bool:
        """Whether a server has a standby that could take over."""
        return self._machines.get(record).has_standby

    def recover(self, record: ServerRecord) -> None:
        """Bring back what has crashed; the standby takes over where there is one."""
        machine = self._machines.get(record)
        if machine.recover():
            record.swap_zones()
        self._keep(record, machine)

    def restart(self, record: ServerRecord) -> None:
        """Stop and start: what waited for that is in force."""
        machine = self._machines.get(record)
        machine.restart()
        record.pending = []
        self._keep(record, machine)

    def begin_backup(self, record: ServerRecord, label: str, kind: str) -> Backup:
        """Say that a backup is being made."""
        backup = Backup(
            cloud=record.cloud,
            label=label,
            server=record.name,
            resource_id=record.resource_id,
            kind=kind,
            started=written(dt.datetime.now(dt.UTC)),
            ended=None,
            number=self._register.number(),
            storage_gib=record.storage_gib,
        )
        self._register.add_backup(backup)
        return backup

    def back_up(self, record: ServerRecord, backup: Backup) -> None:
        """Make a backup that has begun; one that fails was never there."""
        try:
            self._machines.get(record).backup(backup.label)
        except BaseException:
            self._register.forget_backup(backup)
            raise
        self._register.add_backup(replace(backup, ended=written(dt.datetime.now(dt.UTC))))

    def delete(self, record: ServerRecord, *, final_backup: str | None, keep_archive: bool) -> None:
        """Make the last backup, then take the server away, and its archive where nothing is to be restored."""
        keep_archive = (keep_archive or final_backup is not None) and record.kind != "replica"
        if final_backup is not None and record.kind != "replica":
            self.back_up(record, self.begin_backup(record, final_backup, "final"))
        if keep_archive:
            record = self.look(record)
        self._machines.drop(record, keep_archive=keep_archive)
        if keep_archive:
            self._register.retire(record)
        else:
            self._register.forget(record)
        self._reach()

    def clear(self, record: ServerRecord) -> None:
        """Take away what is left of a server that was not made to the end."""
        self._machines.clear(record)
        self._register.forget(record)

    def is_gone(self, record: ServerRecord) -> bool:
        """Whether a deletion has got so far that nothing can run; what is left of it can be restored."""
        if self._machines.is_whole(record):
            return False
        self._register.retire(record)
        return True

    def look(self, record: ServerRecord) -> ServerRecord:
        """The record with what only the server itself knows: how its disk has grown, and how far it can be restored.

        A server that cannot be asked in this moment is as it was last known.
        """
        machine = self._machines.get(record)
        if record.kind == "replica":
            return record
        with self._looking:
            try:
                record.storage_gib = machine.settle().gib
                moments = machine.earliest_restorable(), machine.latest_restorable()
            except _UNREACHABLE:
                return record
        record.restorable = [written(moment) for moment in moments if moment is not None]
        return record

    def set_status(self, record: ServerRecord, word: str) -> None:
        """Say what goes on."""
        record.status = word
        self._register.keep(record)

    def settle(self, cloud: str, name: str) -> None:
        """An operation has ended: the server, where there is one, is available again, as far as it runs."""
        record = self._register.find(cloud, name)
        if record is not None:
            self.set_status(record, status.AVAILABLE if self.is_running(record) else status.FAILED)

    def _keep(self, record: ServerRecord, machine: ManagedServer, word: str | None = None) -> None:
        record.port = machine.address[1]
        record.version = machine.version
        record.status = word or record.status
        self._register.keep(record)
        self._reach()

    @staticmethod
    def _parameters(record: ServerRecord, machine: ManagedServer, change: ServerChange) -> None:
        if change.parameters is not None and change.parameters != record.parameters:
            record.pending = list(machine.set_parameters(change.parameters))
            record.parameters = change.parameters
        if change.restart and record.pending:
            machine.restart()
            record.pending = []

    @staticmethod
    def _storage(record: ServerRecord, machine: ManagedServer, change: ServerChange) -> None:
        """The disk may have grown by itself meanwhile, and never shrinks."""
        has = machine.spec
        size = max(change.storage_gib or 0, has.storage_gib)
        most = has.autogrow_gib if change.autogrow_gib is None else change.autogrow_gib
        if (size, most) != (has.storage_gib, has.autogrow_gib):
            machine.set_storage(size, most)
        record.storage_gib, record.autogrow_gib = machine.spec.storage_gib, most
