"""What can be asked of servers: each request is refused, or begins an operation and returns at once."""

from collections.abc import Callable, Mapping
from typing import Final

from rehearsal.controlplane import record as status
from rehearsal.controlplane.names import Names
from rehearsal.controlplane.operations import Job, Operation, Operations
from rehearsal.controlplane.record import ServerRecord, public
from rehearsal.controlplane.register import Backup, Register
from rehearsal.controlplane.request import KINDS, ServerChange, ServerRequest
from rehearsal.controlplane.things import Need, Thing, Things
from rehearsal.controlplane.vendors.rules import Rules
from rehearsal.controlplane.words import Words
from rehearsal.controlplane.works import Works
from rehearsal.errors import CloudRefusalError

_SCOPE: Final = "server"


class Servers:
    """The servers of all clouds.

    Args:
        register: What there is.
        operations: What runs.
        works: Does what operations do.
        things: What servers stand on.
        names: What is reserved.
        rules: The clouds by name.
    """

    def __init__(  # The parts of a cloud.
        self,
        register: Register,
        operations: Operations,
        works: Works,
        things: Things,
        names: Names,
        rules: Mapping[str, Rules],
    ) -> None:
        """Nothing is asked yet."""
        self.register = register
        self.operations = operations
        self._works = works
        self._things = things
        self._names = names
        self._rules = rules

    def rules(self, cloud: str) -> Rules:
        """A cloud's rules.

        Raises:
            CloudRefusalError: There is no such cloud.
        """
        if cloud not in self._rules:
            message = f"expected one of {', '.join(self._rules)}, got {cloud!r}"
            raise CloudRefusalError(code="InvalidCloud", message=message)
        return self._rules[cloud]

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
        if fresh and found.status == status.AVAILABLE:
            return self._works.look(found)
        return found

    def create(self, request: ServerRequest) -> Operation:
        """Make a server: a new one, a replica, or one restored to a moment.

        Raises:
            CloudRefusalError: The name cannot be had, what it needs is not there, or it cannot be restored so.
        """
        if request.kind not in KINDS:
            message = f"expected one of {', '.join(KINDS)}, got {request.kind!r}"
            raise CloudRefusalError(code="InvalidKind", message=message)
        there = self.register.find(request.cloud, request.name)
        if there is not None and there.status != status.DELETING:  # Else it is waited for.
            raise self.rules(request.cloud).taken(request.name)
        source = self._source(request)
        request = request.after(source) if source else request
        record = self._record(request, source)

        def accept() -> None:
            self._take(record)
            self.register.keep(record)

        def work() -> None:
            try:
                self._works.create(record, request, source)
            except BaseException:
                self._release(record, reserved=False)
                self.register.forget(record)
                raise

        kind = {"primary": "create"}.get(request.kind, request.kind)
        return self.operations.start(Job(record.cloud, record.name, kind, accept, work))

    def modify(self, cloud: str, name: str, change: ServerChange, *, wait: bool = False) -> Operation:
        """Change a server; `wait` lets a running operation end first where the cloud's provider does so too."""
        if change.needs is not None:
            self._things.put(_thing(self.get(cloud, name), change.needs))
        return self._begin(cloud, name, "modify", lambda record: self._works.modify(record, change), wait=wait)

    def fail_over(self, cloud: str, name: str, *, clean: bool = False) -> Operation:
        """Have the standby take over; the primary crashes, unless it is to be clean."""
        if not self.get(cloud, name).standby:
            raise self.rules(cloud).alone(name)
        return self._begin(cloud, name, "failover", lambda record: self._works.fail_over(record, clean=clean))

    def restart(self, cloud: str, name: str) -> Operation:
        """Restart a server."""
        return self._begin(cloud, name, "restart", self._works.restart)

    def back_up(self, cloud: str, name: str, label: str) -> Operation:
        """Make a backup under a name."""
        self._expect_label(cloud, label)
        begun: list[Backup] = []

        def work(record: ServerRecord) -> None:
            self._works.back_up(record, begun[0])

        def begin(record: ServerRecord) -> None:
            begun.append(self._works.begin_backup(record, label, "manual"))

        return self._begin(cloud, name, "backup", work, begin=begin)

    def work_on(self, cloud: str, name: str, kind: str, work: Callable[[ServerRecord], None]) -> Operation:
        """Do something short on a server, with respect to what runs on it."""
        return self._begin(cloud, name, kind, work, wait=True)

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
        self._expect_deletable(record)
        if final_backup is not None:
            self._expect_label(cloud, final_backup)

        def work(record: ServerRecord) -> None:
            self._works.delete(record, final_backup=final_backup, keep_archive=keep_archive)
            self._release(record, reserved=self.rules(cloud).reserves_names)

        return self._begin(cloud, record.name, "delete", work, wait=wait)

    def mend(self, record: ServerRecord) -> None:
        """See to a server that was being made or deleted when the control plane was killed: half of one is none."""
        if record.status == status.CREATING:
            self._works.clear(record)
            self._release(record, reserved=False)
        elif record.status == status.DELETING and self._works.is_gone(record):
            self._release(record, reserved=self.rules(record.cloud).reserves_names)

    def _begin(  # What an operation is.
        self,
        cloud: str,
        name: str,
        kind: str,
        work: Callable[[ServerRecord], None],
        *,
        wait: bool = False,
        begin: Callable[[ServerRecord], object] = lambda _: None,
    ) -> Operation:
        rules, name = self.rules(cloud), self.get(cloud, name).name

        def accept() -> None:
            record = self.get(cloud, name)
            begin(record)
            self._works.set_status(record, _STATUS.get(kind, status.AVAILABLE))

        def run() -> None:
            try:
                work(self.get(cloud, name))
            finally:
                self._works.settle(cloud, name)

        busy = None if wait and rules.waits else rules.busy(name)
        return self.operations.start(Job(cloud, name, kind, accept, run), busy=busy)

    def _source(self, request: ServerRequest) -> ServerRecord | None:
        """What the new server is made of.

        Raises:
            CloudRefusalError: It is not there, or cannot be restored to the moment.
        """
        if request.kind == "primary":
            return None
        rules, name = self.rules(request.cloud), request.source or ""
        source = self.register.source(request.cloud, name)
        if source is None:
            raise rules.missing(name)
        if request.kind == "restore" and source.kind != "replica" and source.status == status.AVAILABLE:
            source = self._works.look(source)
        if request.moment and not _covers(source, request):
            raise rules.unrestorable(name, request.moment)
        return source

    def _record(self, request: ServerRequest, source: ServerRecord | None) -> ServerRecord:
        rules, number = self.rules(request.cloud), self.register.number()
        place = rules.place(request, number)
        return ServerRecord(
            cloud=request.cloud,
            name=request.name,
            kind=request.kind,
            number=number,
            region=request.region or rules.region,
            resource_id=place.resource_id,
            hosts=place.hosts,
            addresses=place.addresses,
            zone=place.zone,
            standby_zone=place.standby_zone,
            standby=request.standby,
            asked_version=request.version,
            owner=request.owner,
            database=request.database,
            storage_gib=request.storage_gib or 20,
            autogrow_gib=request.autogrow_gib,
            parameters=request.parameters,
            source=source.name if source else None,
            attributes=public(request.attributes),
            needs=request.needs,
        )

    def _take(self, record: ServerRecord) -> None:
        rules = self.rules(record.cloud)
        taken, reserved = _words(rules.taken(record.name)), _words(rules.reserved(record.name))
        self._names.take(record.cloud, _SCOPE, record.name, taken=taken, reserved=reserved)
        try:
            self._things.put(_thing(record, record.needs))
        except CloudRefusalError:
            self._names.release(record.cloud, _SCOPE, record.name)
            raise

    def _release(self, record: ServerRecord, *, reserved: bool) -> None:
        self._things.remove(record.cloud, thing_id(record.name))
        self._names.release(record.cloud, _SCOPE, record.name, reserved=reserved)

    def _expect_deletable(self, record: ServerRecord) -> None:
        rules = self.rules(record.cloud)
        if rules.is_protected(record):
            raise rules.protected(record.name)
        followers = (each for each in self.register.servers(record.cloud) if each.kind == "replica")
        if any(each.source == record.name for each in followers):
            raise rules.followed(record.name)
        self._things.expect_unused(record.cloud, thing_id(record.name))

    def _expect_label(self, cloud: str, label: str) -> None:
        if self.register.backup(cloud, label) is not None:
            raise self.rules(cloud).backup_taken(label)


_STATUS: Final = {
    "modify": status.MODIFYING,
    "failover": status.FAILING_OVER,
    "restart": status.RESTARTING,
    "backup": status.BACKING_UP,
    "delete": status.DELETING,
}
"""What a server's status says while an operation runs; short ones do not show."""


def thing_id(name: str) -> str:
    """The id under which a server stands among the things."""
    return f"server/{name}"


def _thing(record: ServerRecord, needs: list[object]) -> Thing:
    return Thing(record.cloud, "server", thing_id(record.name), [Need.of(each) for each in needs])  # type: ignore[arg-type]


def _words(error: CloudRefusalError) -> Words:
    return {"code": error.code, "message": error.message, "status": error.status}


def _covers(source: ServerRecord, request: ServerRequest) -> bool:
    moment, earliest, latest = request.moment, source.earliest, source.latest
    return moment is not None and earliest is not None and latest is not None and earliest <= moment <= latest
