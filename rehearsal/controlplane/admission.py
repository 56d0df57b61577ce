"""Whether a cloud takes a request about a server: names, what stands on what, protection, moments."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from rehearsal.controlplane import record as status
from rehearsal.controlplane.names import Names
from rehearsal.controlplane.record import ServerRecord, public
from rehearsal.controlplane.register import Register
from rehearsal.controlplane.request import KINDS, ServerRequest
from rehearsal.controlplane.things import Need, Thing, Things
from rehearsal.controlplane.vendors.rules import Rules
from rehearsal.controlplane.words import Words
from rehearsal.errors import CloudRefusalError

_SCOPE: Final = "server"
_USUAL_GIB: Final = 20


class Admission:
    """Refuses in the cloud's words, or takes note.

    Args:
        register: What there is.
        things: What servers stand on.
        names: What is reserved.
        rules: The clouds by name.
    """

    def __init__(self, register: Register, things: Things, names: Names, rules: Mapping[str, Rules]) -> None:
        """Nothing is asked yet."""
        self._register = register
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

    def expect_new(self, request: ServerRequest) -> None:
        """Make sure that a request can be one for a new server.

        Raises:
            CloudRefusalError: It is of no kind, or there is a server of the name; one that goes is waited for.
        """
        if request.kind not in KINDS:
            message = f"expected one of {', '.join(KINDS)}, got {request.kind!r}"
            raise CloudRefusalError(code="InvalidKind", message=message)
        there = self._register.find(request.cloud, request.name)
        if there is not None and there.status != status.DELETING:
            raise self.rules(request.cloud).taken(request.name)

    def source(self, request: ServerRequest, look: Callable[[ServerRecord], ServerRecord]) -> ServerRecord | None:
        """What a new server is made of; `look` tells how far a server can be restored by now.

        Raises:
            CloudRefusalError: It is not there, or cannot be restored to the moment.
        """
        if request.kind == "primary":
            return None
        rules, name = self.rules(request.cloud), request.source or ""
        source = self._register.source(request.cloud, name)
        if source is None:
            raise rules.missing(name)
        if request.kind == "restore" and source.kind != "replica" and source.status == status.AVAILABLE:
            source = look(source)
        if request.moment and not _covers(source, request):
            raise rules.unrestorable(name, request.moment)
        return source

    def record(self, request: ServerRequest, source: ServerRecord | None) -> ServerRecord:
        """The record of a new server, where the cloud puts it."""
        rules, number = self.rules(request.cloud), self._register.number()
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
            storage_gib=request.storage_gib or _USUAL_GIB,
            autogrow_gib=request.autogrow_gib,
            parameters=request.parameters,
            source=source.name if source else None,
            attributes=public(request.attributes),
            needs=request.needs,
        )

    def take(self, record: ServerRecord) -> None:
        """Take a new server's name, and note what it stands on.

        Raises:
            CloudRefusalError: The name cannot be had, or what it needs is not there.
        """
        rules = self.rules(record.cloud)
        taken, reserved = _words(rules.taken(record.name)), _words(rules.reserved(record.name))
        self._names.take(record.cloud, _SCOPE, record.name, taken=taken, reserved=reserved)
        try:
            self.note(record, record.needs)
        except CloudRefusalError:
            self._names.release(record.cloud, _SCOPE, record.name)
            raise

    def note(self, record: ServerRecord, needs: list[Any]) -> None:
        """Note what a server stands on from now on.

        Raises:
            CloudRefusalError: It is not there.
        """
        needed = [Need.of(each) for each in needs]
        self._things.put(Thing(record.cloud, "server", _thing_id(record.name), needed))

    def release(self, record: ServerRecord, *, reserved: bool) -> None:
        """A server is gone: it needs nothing any more, and its name is free or stays reserved."""
        self._things.remove(record.cloud, _thing_id(record.name))
        self._names.release(record.cloud, _SCOPE, record.name, reserved=reserved)

    def expect_deletable(self, record: ServerRecord) -> None:
        """Make sure that a server can be deleted.

        Raises:
            CloudRefusalError: It is protected, has replicas, or something needs it.
        """
        rules = self.rules(record.cloud)
        if rules.is_protected(record):
            raise rules.protected(record.name)
        followers = (each for each in self._register.servers(record.cloud) if each.kind == "replica")
        if any(each.source == record.name for each in followers):
            raise rules.followed(record.name)
        self._things.expect_unused(record.cloud, _thing_id(record.name))

    def expect_label(self, cloud: str, label: str) -> None:
        """Make sure that the name of a backup is free.

        Raises:
            CloudRefusalError: It is not.
        """
        if self._register.backup(cloud, label) is not None:
            raise self.rules(cloud).backup_taken(label)


def _thing_id(name: str) -> str:
    """The id under which a server stands among the things."""
    return f"server/{name}"


def _words(error: CloudRefusalError) -> Words:
    return {"code": error.code, "message": error.message, "status": error.status}


def _covers(source: ServerRecord, request: ServerRequest) -> bool:
    moment, earliest, latest = request.moment, source.earliest, source.latest
    return moment is not None and earliest is not None and latest is not None and earliest <= moment <= latest
