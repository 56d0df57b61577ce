"""What Azure Database for PostgreSQL says of servers, operations and backups."""

from typing import Any, Final

from rehearsal.controlplane import operations
from rehearsal.controlplane import record as status
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.register import Backup
from rehearsal.controlplane.vendors.azure.rules import TYPE

_STATES: Final = {
    status.CREATING: "Provisioning",
    status.MODIFYING: "Updating",
    status.FAILING_OVER: "Restarting",
    status.RESTARTING: "Restarting",
    status.DELETING: "Dropping",
    status.FAILED: "Inaccessible",
}
"""In all others the server is Ready, as while it is backed up."""

_SUCCEEDED: Final = "Succeeded"
_ENDS: Final = {operations.PENDING: "InProgress", operations.DONE: _SUCCEEDED, operations.FAILED: "Failed"}

_TOP: Final = ("location", "sku", "tags", "identity")
"""What stands beside the properties."""

_SAID: Final = ("authConfig", "network", "maintenanceWindow", "dataEncryption", "sourceServerResourceId")
"""What a server says as the program did."""


def server(record: ServerRecord, subscription: str, group: str) -> dict[str, Any]:
    """A server, as Server."""
    said = record.attributes
    storage, backup = said.get("storage") or {}, said.get("backup") or {}
    properties = {
        **{key: said.get(key) for key in _SAID},
        "state": _STATES.get(record.status, "Ready"),
        "administratorLogin": record.owner,
        "version": record.asked_version or record.version.partition(".")[0],
        "minorVersion": record.version.partition(".")[2] or None,
        "fullyQualifiedDomainName": record.host,
        "availabilityZone": record.zone,
        "highAvailability": _availability(record),
        "replicationRole": "AsyncReplica" if record.kind == "replica" else "Primary",
        "storage": {**storage, "storageSizeGB": int(record.storage_gib)},
        "backup": {**backup, "earliestRestoreDate": record.restorable[0] if record.restorable else None},
    }
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{TYPE}/{record.name}",
        "name": record.name,
        "type": TYPE,
        **{key: said[key] for key in _TOP if key in said},
        "location": said.get("location") or record.region,
        "systemData": {"createdAt": record.created_at, "createdByType": "Application"},
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def operation(done: Operation) -> dict[str, Any]:
    """A long operation, as Azure Resource Manager tells it.

    Source: Azure Resource Manager, "Track asynchronous Azure operations".
    """
    said: dict[str, Any] = {"name": done.id, "status": _ENDS[done.status], "startTime": done.started}
    if done.ended:
        said["endTime"] = done.ended
    if done.status == operations.FAILED:
        said["error"] = {"code": done.code, "message": done.message}
    return said


def backup(each: Backup, server_id: str) -> dict[str, Any]:
    """A backup, as BackupAutomaticAndOnDemand."""
    return {
        "id": f"{server_id}/backups/{each.label}",
        "name": each.label,
        "type": f"{TYPE}/backups",
        "properties": {"backupType": "Customer On-Demand", "completedTime": each.ended, "source": "Full"},
    }


def _availability(record: ServerRecord) -> dict[str, Any]:
    if not record.standby:
        return {"mode": "Disabled", "state": "NotEnabled"}
    state = "FailingOver" if record.status == status.FAILING_OVER else "Healthy"
    mode = (record.attributes.get("highAvailability") or {}).get("mode") or "ZoneRedundant"
    return {"mode": mode, "state": state, "standbyAvailabilityZone": record.standby_zone}
