"""The calls of Azure Database for PostgreSQL that drills need."""

from typing import Any, Final

from rehearsal.controlplane import operations
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.controlplane.servers import Servers
from rehearsal.controlplane.vendors.azure import shapes
from rehearsal.controlplane.vendors.azure.rules import TYPE
from rehearsal.controlplane.vendors.rest import Answer, Asked, Call
from rehearsal.errors import CloudRefusalError

_SUBSCRIPTION: Final = "/subscriptions/{subscription}"
_ALL: Final = f"{_SUBSCRIPTION}/providers/{TYPE}"
_GROUP: Final = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{TYPE}"
_SERVER: Final = f"{_GROUP}/{{server}}"
_LOCATION: Final = f"{_SUBSCRIPTION}/providers/Microsoft.DBforPostgreSQL/locations/{{location}}"

_CLEAN: Final = {"PlannedFailover": True, "ForcedFailover": False}
_KINDS: Final = {"PointInTimeRestore": "restore", "Replica": "replica"}


class Actions:
    """Flexible servers.

    Args:
        servers: What is asked.
    """

    def __init__(self, servers: Servers) -> None:
        """A table of contents."""
        self._servers = servers
        self._register = servers.register
        self.calls = [
            Call("servers.listBySubscription", "GET", _ALL, self._list),
            Call("servers.listByResourceGroup", "GET", _GROUP, self._list),
            Call("servers.get", "GET", _SERVER, self._get),
            Call("servers.createOrUpdate", "PUT", _SERVER, self._create),
            Call("servers.update", "PATCH", _SERVER, self._update),
            Call("servers.delete", "DELETE", _SERVER, self._delete),
            Call("servers.restart", "POST", f"{_SERVER}/restart", self._restart),
            Call("backups.listByServer", "GET", f"{_SERVER}/backups", self._backups),
            Call("backups.create", "PUT", f"{_SERVER}/backups/{{backup}}", self._back_up),
            Call("backups.get", "GET", f"{_SERVER}/backups/{{backup}}", self._backup),
            Call("azureAsyncOperation", "GET", f"{_LOCATION}/azureAsyncOperation/{{operation}}", self._operation),
            Call("operationResults", "GET", f"{_LOCATION}/operationResults/{{operation}}", self._result),
        ]

    def _list(self, asked: Asked) -> Answer:
        group = asked.path.get("group")
        found = [each for each in self._register.servers("azure") if group in (None, _group(each, group or ""))]
        return Answer({"value": [self._shape(each, asked) for each in found]})

    def _get(self, asked: Asked) -> Answer:
        return Answer(self._shape(self._servers.get("azure", self._find(asked).name, fresh=True), asked))

    def _create(self, asked: Asked) -> Answer:
        properties: dict[str, Any] = asked.body.get("properties") or {}
        mode = properties.get("createMode")
        if mode not in _KINDS:
            message = f"The rehearsal creates servers of createMode {', '.join(_KINDS)}, not {mode}."
            raise CloudRefusalError(code="InvalidParameterValue", message=message)
        availability = properties.get("highAvailability") or {}
        name = asked.path["server"]
        request = ServerRequest(
            cloud="azure",
            name=name,
            kind=_KINDS[mode],
            source=str(properties.get("sourceServerResourceId", "")).rpartition("/")[2],
            time=properties.get("pointInTimeUTC"),
            region=asked.body.get("location", ""),
            zone=properties.get("availabilityZone", ""),
            standby=availability.get("mode", "Disabled") != "Disabled",
            standby_zone=availability.get("standbyAvailabilityZone", ""),
            attributes={
                "highAvailability": None,  # A restored server has none until somebody asks for it.
                **_attributes(asked.body),
                "serverName": name,
                "resourceGroupName": asked.path["group"],
            },
        )
        return self._begun(self._servers.create(request), asked, body=self._shape_of(name, asked))

    def _update(self, asked: Asked) -> Answer:
        record = self._find(asked)
        properties: dict[str, Any] = asked.body.get("properties") or {}
        availability, storage = properties.get("highAvailability") or {}, properties.get("storage") or {}
        change = ServerChange(
            standby=availability["mode"] != "Disabled" if "mode" in availability else None,
            password=properties.get("administratorLoginPassword"),
            storage_gib=storage.get("storageSizeGB"),
            promote=properties.get("replicationRole") == "None",
            attributes={**record.attributes, **_attributes(asked.body)},
        )
        done = self._servers.modify("azure", record.name, change)
        return self._begun(done, asked, body=self._shape_of(record.name, asked))

    def _delete(self, asked: Asked) -> Answer:
        return self._begun(self._servers.delete("azure", self._find(asked).name), asked)

    def _restart(self, asked: Asked) -> Answer:
        record = self._find(asked)
        if not asked.body.get("restartWithFailover"):
            return self._begun(self._servers.restart("azure", record.name), asked)
        mode = asked.body.get("failoverMode")
        if mode not in _CLEAN:
            message = f"Invalid value given for parameter failoverMode: expected {' or '.join(_CLEAN)}."
            raise CloudRefusalError(code="InvalidParameterValue", message=message)
        return self._begun(self._servers.fail_over("azure", record.name, clean=_CLEAN[mode]), asked)

    def _backups(self, asked: Asked) -> Answer:
        record = self._find(asked)
        found = self._register.backups("azure", record.resource_id)
        return Answer({"value": [shapes.backup(each, self._id(record, asked)) for each in found if each.ended]})

    def _back_up(self, asked: Asked) -> Answer:
        record = self._find(asked)
        return self._begun(self._servers.back_up("azure", record.name, asked.path["backup"]), asked)

    def _backup(self, asked: Asked) -> Answer:
        record, label = self._find(asked), asked.path["backup"]
        for each in self._register.backups("azure", record.resource_id):
            if each.label == label and each.ended:
                return Answer(shapes.backup(each, self._id(record, asked)))
        message = f"The backup '{label}' was not found."
        raise CloudRefusalError(code="ResourceNotFound", message=message, status=404)

    def _operation(self, asked: Asked) -> Answer:
        return Answer(shapes.operation(self._done(asked)))

    def _result(self, asked: Asked) -> Answer:
        pending = self._done(asked).status == operations.PENDING
        return Answer(None, 202, {"Location": f"{asked.root}{_path(asked)}"}) if pending else Answer(None, 204)

    def _done(self, asked: Asked) -> Operation:
        found = self._servers.operations.get(asked.path["operation"])
        if found is None:
            message = f"The operation '{asked.path['operation']}' was not found."
            raise CloudRefusalError(code="NotFound", message=message, status=404)
        return found

    def _begun(self, operation: Operation, asked: Asked, body: dict[str, Any] | None = None) -> Answer:
        """Accepted: where to ask how far it is."""
        here = f"{asked.root}/subscriptions/{asked.path['subscription']}/providers/Microsoft.DBforPostgreSQL"
        place = f"{here}/locations/{self._servers.rules('azure').region}"
        headers = {
            "Azure-AsyncOperation": f"{place}/azureAsyncOperation/{operation.id}?api-version=2025-08-01",
            "Location": f"{place}/operationResults/{operation.id}?api-version=2025-08-01",
            "Retry-After": "1",
        }
        return Answer(body, 202, headers)

    def _find(self, asked: Asked) -> ServerRecord:
        name, group = asked.path["server"], asked.path["group"]
        record = self._servers.get("azure", name)
        if record.name != name or _group(record, group) != group:
            raise self._servers.rules("azure").missing(name)
        return record

    def _shape_of(self, name: str, asked: Asked) -> dict[str, Any]:
        return self._shape(self._servers.get("azure", name), asked)

    def _shape(self, record: ServerRecord, asked: Asked) -> dict[str, Any]:
        return shapes.server(record, asked.path["subscription"], _group(record, asked.path.get("group", "")))

    def _id(self, record: ServerRecord, asked: Asked) -> str:
        return str(self._shape(record, asked)["id"])


def _group(record: ServerRecord, default: str) -> str:
    """The server's resource group; whatever is asked for where the program has said none."""
    return str(record.attributes.get("resourceGroupName") or default)


def _attributes(body: dict[str, Any]) -> dict[str, Any]:
    """Pulumi's inputs that a request gives: its properties beside the rest."""
    rest = {key: value for key, value in body.items() if key in ("sku", "tags", "identity", "location")}
    return {**rest, **(body.get("properties") or {})}


def _path(asked: Asked) -> str:
    return _LOCATION.format(**asked.path) + f"/operationResults/{asked.path['operation']}?api-version=2025-08-01"
