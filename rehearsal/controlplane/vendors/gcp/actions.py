"""The calls of the Cloud SQL Admin API that drills need."""

import time
from typing import Any, Final

from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.controlplane.servers import Servers
from rehearsal.controlplane.vendors.gcp import shapes
from rehearsal.controlplane.vendors.rest import Answer, Asked, Call
from rehearsal.errors import CloudRefusalError

_PROJECT: Final = "/v1/projects/{project}"
_INSTANCES: Final = f"{_PROJECT}/instances"
_INSTANCE: Final = f"{_INSTANCES}/{{instance}}"


class Actions:
    """The Cloud SQL Admin API.

    Args:
        servers: What is asked.
    """

    def __init__(self, servers: Servers) -> None:
        """A table of contents."""
        self._servers = servers
        self._register = servers.register
        self.calls = [
            Call("instances.list", "GET", _INSTANCES, self._list),
            Call("instances.get", "GET", _INSTANCE, self._get),
            Call("instances.patch", "PATCH", _INSTANCE, self._patch),
            Call("instances.delete", "DELETE", _INSTANCE, self._delete),
            Call("instances.clone", "POST", f"{_INSTANCE}/clone", self._clone),
            Call("instances.failover", "POST", f"{_INSTANCE}/failover", self._fail_over),
            Call("instances.restart", "POST", f"{_INSTANCE}/restart", self._restart),
            Call("instances.promoteReplica", "POST", f"{_INSTANCE}/promoteReplica", self._promote),
            Call("instances.getLatestRecoveryTime", "GET", f"{_INSTANCE}/getLatestRecoveryTime", self._latest),
            Call("backupRuns.list", "GET", f"{_INSTANCE}/backupRuns", self._backup_runs),
            Call("backupRuns.insert", "POST", f"{_INSTANCE}/backupRuns", self._back_up),
            Call("Backups.ListBackups", "GET", f"{_PROJECT}/backups", self._backups),
            Call("operations.list", "GET", f"{_PROJECT}/operations", self._operations),
            Call("operations.get", "GET", f"{_PROJECT}/operations/{{operation}}", self._operation),
        ]

    def _list(self, asked: Asked) -> Answer:
        items = [self._shape(each, asked) for each in self._register.servers("gcp")]
        return Answer({"kind": "sql#instancesList", "items": items})

    def _get(self, asked: Asked) -> Answer:
        return Answer(self._shape(self._servers.get("gcp", asked.path["instance"], fresh=True), asked))

    def _patch(self, asked: Asked) -> Answer:
        record = self._servers.get("gcp", asked.path["instance"])
        settings = shapes.said_settings(asked.body.get("settings") or {})
        self._expect_version(record, (asked.body.get("settings") or {}).get("settingsVersion"))
        kind, flags = settings.get("availabilityType"), settings.get("databaseFlags")
        before = record.attributes.get("settings") or {}
        change = ServerChange(
            standby=None if kind is None else kind == "REGIONAL",
            parameters=None if flags is None else {each["name"]: each["value"] for each in flags},
            storage_gib=settings.get("diskSize"),
            autogrow_gib=settings.get("diskAutoresizeLimit"),
            restart=flags is not None,  # Cloud SQL restarts by itself where a flag needs it.
            attributes={**record.attributes, "settings": {**before, **settings}},
        )
        return self._begun(self._servers.modify("gcp", record.name, change), asked)

    def _delete(self, asked: Asked) -> Answer:
        record = self._servers.get("gcp", asked.path["instance"])
        final = asked.query.get("enableFinalBackup") == "true"
        keep = (record.attributes.get("settings") or {}).get("retainBackupsOnDelete") is True
        label = _label() if final else None
        done = self._servers.delete("gcp", record.name, final_backup=label, keep_archive=keep)
        return self._begun(done, asked)

    def _clone(self, asked: Asked) -> Answer:
        context: dict[str, Any] = asked.body.get("cloneContext") or {}
        source = self._register.source("gcp", asked.path["instance"])
        gone = context.get("sourceInstanceDeletionTime") is not None
        if source is None or (not gone and self._register.find("gcp", source.name) is None):
            raise self._servers.rules("gcp").missing(asked.path["instance"])
        name = _required(context, "cloneContext", "destinationInstanceName")
        request = ServerRequest(
            cloud="gcp",
            name=name,
            kind="restore",
            source=source.resource_id,
            time=context.get("pointInTime"),
            standby=source.standby,  # A clone has its source's settings.
            zone=context.get("preferredZone", ""),
            standby_zone=context.get("preferredSecondaryZone", ""),
            attributes={"name": name},
        )
        return self._begun(self._servers.create(request), asked)

    def _fail_over(self, asked: Asked) -> Answer:
        record = self._servers.get("gcp", asked.path["instance"])
        self._expect_version(record, (asked.body.get("failoverContext") or {}).get("settingsVersion"))
        return self._begun(self._servers.fail_over("gcp", record.name), asked)

    def _restart(self, asked: Asked) -> Answer:
        return self._begun(self._servers.restart("gcp", asked.path["instance"]), asked)

    def _promote(self, asked: Asked) -> Answer:
        return self._begun(self._servers.modify("gcp", asked.path["instance"], ServerChange(promote=True)), asked)

    def _latest(self, asked: Asked) -> Answer:
        record = self._servers.get("gcp", asked.path["instance"], fresh=True)
        if not record.restorable:
            message = "The instance has no point-in-time recovery."
            raise CloudRefusalError(code="invalidOperation", message=message)
        earliest, latest = map(shapes.moment, record.restorable)
        return Answer(
            {"kind": "sql#getLatestRecoveryTime", "earliestRecoveryTime": earliest, "latestRecoveryTime": latest}
        )

    def _backup_runs(self, asked: Asked) -> Answer:
        record = self._servers.get("gcp", asked.path["instance"])
        runs = [shapes.backup_run(each) for each in self._register.backups("gcp", record.resource_id)]
        return Answer({"kind": "sql#backupRunsList", "items": runs[::-1]})

    def _back_up(self, asked: Asked) -> Answer:
        return self._begun(self._servers.back_up("gcp", asked.path["instance"], _label()), asked)

    def _backups(self, asked: Asked) -> Answer:
        backups = [shapes.backup(each, asked.path["project"]) for each in self._register.backups("gcp")]
        return Answer({"backups": backups})

    def _operations(self, asked: Asked) -> Answer:
        name = asked.query.get("instance")
        chosen = [each for each in self._servers.operations.all("gcp") if name in (None, each.server)]
        items = [shapes.operation(each, asked.root, asked.path["project"]) for each in chosen]
        return Answer({"kind": "sql#operationsList", "items": items[::-1]})

    def _operation(self, asked: Asked) -> Answer:
        found = self._servers.operations.get(asked.path["operation"])
        if found is None:
            message = "The Cloud SQL instance operation does not exist."
            raise CloudRefusalError(code="operationDoesNotExist", message=message, status=404)
        return self._begun(found, asked)

    def _begun(self, operation: Operation, asked: Asked) -> Answer:
        return Answer(shapes.operation(operation, asked.root, asked.path["project"]))

    def _shape(self, record: ServerRecord, asked: Asked) -> dict[str, Any]:
        followers = (each for each in self._register.servers("gcp") if each.kind == "replica")
        replicas = [each.name for each in followers if each.source == record.name]
        context = shapes.Context(asked.root, asked.path["project"], self._version(record))
        return shapes.instance(record, context, replicas)

    def _version(self, record: ServerRecord) -> int:
        """How often the settings have changed, which Cloud SQL counts."""
        done = self._servers.operations.all("gcp")
        return 1 + sum(1 for each in done if (each.server, each.kind) == (record.name, "modify"))

    def _expect_version(self, record: ServerRecord, version: str | None) -> None:
        if version is not None and int(version) != self._version(record):
            message = "The settings version provided does not match the current one."
            raise CloudRefusalError(code="staleData", message=message, status=412)


def _label() -> str:
    """Backups are numbered by the millisecond they are asked for."""
    return str(time.time_ns() // 1_000_000)


def _required(values: dict[str, Any], where: str, key: str) -> str:
    if not values.get(key):
        message = f"Invalid request: {where}.{key} is required."
        raise CloudRefusalError(code="required", message=message)
    return str(values[key])
