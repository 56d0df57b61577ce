"""What Cloud SQL says of instances, operations and backups."""

import datetime as dt
from typing import Any, Final

from rehearsal.controlplane import operations
from rehearsal.controlplane import record as status
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.register import Backup

_STATES: Final = {status.CREATING: "PENDING_CREATE", status.DELETING: "PENDING_DELETE", status.FAILED: "FAILED"}
"""In all others the instance is RUNNABLE, whatever is done to it."""

_TYPES: Final = {
    "create": "CREATE",
    "restore": "CLONE",
    "replica": "CREATE_REPLICA",
    "modify": "UPDATE",
    "failover": "FAILOVER",
    "restart": "RESTART",
    "backup": "BACKUP_VOLUME",
    "delete": "DELETE",
    "create user": "CREATE_USER",
    "modify user": "UPDATE_USER",
    "delete user": "DELETE_USER",
    "create database": "CREATE_DATABASE",
    "delete database": "DELETE_DATABASE",
}

_NAMES: Final = {
    "dataDiskSizeGb": "diskSize",
    "dataDiskType": "diskType",
    "storageAutoResize": "diskAutoresize",
    "storageAutoResizeLimit": "diskAutoresizeLimit",
    "denyMaintenancePeriods": "denyMaintenancePeriod",
}
"""Pulumi's inputs by the API's settings, where they differ."""


def instance(record: ServerRecord, asked: "Context", replicas: list[str]) -> dict[str, Any]:
    """An instance, as DatabaseInstance."""
    name, said = record.name, record.attributes
    link = f"{asked.root}/v1/projects/{asked.project}/instances/{name}"
    replica = record.kind == "replica"
    return {
        "kind": "sql#instance",
        "name": name,
        "project": asked.project,
        "region": record.region,
        "connectionName": f"{asked.project}:{record.region}:{name}",
        "selfLink": link,
        "state": _STATES.get(record.status, "RUNNABLE"),
        "backendType": "SECOND_GEN",
        "instanceType": "READ_REPLICA_INSTANCE" if replica else "CLOUD_SQL_INSTANCE",
        "databaseVersion": said.get("databaseVersion") or f"POSTGRES_{record.asked_version or '17'}",
        "databaseInstalledVersion": f"POSTGRES_{record.version.replace('.', '_')}" if record.version else None,
        "createTime": moment(record.created_at),
        "gceZone": record.zone,
        "secondaryGceZone": record.standby_zone if record.standby else None,
        "ipAddresses": [{"type": "PRIVATE", "ipAddress": each} for each in record.addresses],
        "dnsName": f"{record.host}.",
        "dnsNames": [{"name": f"{each}.", "connectionType": _PSA, "dnsScope": "INSTANCE"} for each in record.hosts],
        "masterInstanceName": f"{asked.project}:{record.source}" if replica else None,
        "replicaNames": replicas,
        "settings": _settings(record, asked.settings_version),
    }


class Context:
    """What an instance's description says beyond the instance.

    Args:
        root: Where the endpoint is.
        project: The project.
        settings_version: How often its settings have changed.
    """

    def __init__(self, root: str, project: str, settings_version: int = 1) -> None:
        """Plain values."""
        self.root, self.project, self.settings_version = root, project, settings_version


_PSA: Final = "PRIVATE_SERVICES_ACCESS"


def operation(done: Operation, root: str, project: str) -> dict[str, Any]:
    """A long operation, as Operation."""
    error = None
    if done.status == operations.FAILED:
        each = {"kind": "sql#operationError", "code": done.code, "message": done.message}
        error = {"kind": "sql#operationErrors", "errors": [each]}
    path = f"{root}/v1/projects/{project}"
    said = {
        "kind": "sql#operation",
        "name": done.id,
        "operationType": _TYPES.get(done.kind, "UPDATE"),
        "status": "RUNNING" if done.status == operations.PENDING else "DONE",
        "insertTime": moment(done.started),
        "startTime": moment(done.started),
        "endTime": moment(done.ended) if done.ended else None,
        "targetId": done.server,
        "targetProject": project,
        "targetLink": f"{path}/instances/{done.server}",
        "selfLink": f"{path}/operations/{done.id}",
        "error": error,
    }
    return {key: value for key, value in said.items() if value is not None}


def backup_run(backup: Backup) -> dict[str, Any]:
    """A backup of an instance that is there, as BackupRun."""
    said = {
        "kind": "sql#backupRun",
        "id": backup.label,
        "instance": backup.server,
        "status": "SUCCESSFUL" if backup.ended else "RUNNING",
        "type": "ON_DEMAND",
        "backupKind": "SNAPSHOT",
        "enqueuedTime": moment(backup.started),
        "startTime": moment(backup.started),
        "endTime": moment(backup.ended) if backup.ended else None,
        "windowStartTime": moment(backup.started),
    }
    return {key: value for key, value in said.items() if value is not None}


def backup(each: Backup, project: str) -> dict[str, Any]:
    """A backup of the project, as Backup: those of deleted instances too."""
    return {
        "kind": "sql#backup",
        "name": f"projects/{project}/backups/{each.label}",
        "instance": each.server,
        "type": "FINAL" if each.kind == "final" else "ON_DEMAND",
        "state": "SUCCESSFUL" if each.ended else "RUNNING",
        "backupKind": "SNAPSHOT",
        "backupInterval": {"startTime": moment(each.started), "endTime": moment(each.ended or each.started)},
    }


def said_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Pulumi's inputs of settings that the API gives.

    >>> said_settings({"dataDiskSizeGb": "20", "tier": "db-custom-2-7680"})
    {'diskSize': 20, 'tier': 'db-custom-2-7680'}
    """
    numbers = {"dataDiskSizeGb", "storageAutoResizeLimit"}
    return {
        _NAMES.get(key, key): int(value) if key in numbers else value
        for key, value in settings.items()
        if key not in ("kind", "settingsVersion")
    }


def moment(written: str) -> str:
    """A moment as Google writes it.

    >>> moment("2026-09-01T03:00:00.123456+00:00")
    '2026-09-01T03:00:00.123456Z'
    """
    return dt.datetime.fromisoformat(written).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _settings(record: ServerRecord, version: int) -> dict[str, Any]:
    """As the program said them, with what has come true since."""
    back = {name: key for key, name in _NAMES.items()}
    said = {back.get(key, key): value for key, value in (record.attributes.get("settings") or {}).items()}
    return {
        **said,
        "kind": "sql#settings",
        "settingsVersion": str(version),
        "availabilityType": "REGIONAL" if record.standby else "ZONAL",
        "dataDiskSizeGb": str(int(record.storage_gib)),
    }
