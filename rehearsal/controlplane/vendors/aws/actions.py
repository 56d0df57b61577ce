"""The actions of RDS that drills need."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.controlplane.servers import Servers
from rehearsal.controlplane.vendors.aws import shapes
from rehearsal.errors import CloudRefusalError

Action = Callable[[dict[str, Any]], dict[str, Any]]

_EVENTS_MINUTES: Final = 60
"""How far DescribeEvents looks back where nothing else is said (its Duration)."""

_NOT_KEPT: Final = frozenset(
    {
        *("DBInstanceIdentifier", "ApplyImmediately", "MasterUserPassword", "NewDBInstanceIdentifier"),
        *("SourceDBInstanceIdentifier", "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn"),
        *("TargetDBInstanceIdentifier", "RestoreTime", "UseLatestRestorableTime", "Tags"),
    }
)
"""Parameters that are no part of what the instance is."""


class Actions:
    """RDS.

    Args:
        servers: What is asked.
    """

    def __init__(self, servers: Servers) -> None:
        """A table of contents."""
        self._servers = servers
        self._register = servers.register
        self.actions: Mapping[str, Action] = {
            "DescribeDBInstances": self._instances,
            "RebootDBInstance": self._reboot,
            "RestoreDBInstanceToPointInTime": self._restore,
            "ModifyDBInstance": self._modify,
            "PromoteReadReplica": self._promote,
            "DeleteDBInstance": self._delete,
            "CreateDBSnapshot": self._snapshot,
            "DescribeDBSnapshots": self._snapshots,
            "DescribeDBInstanceAutomatedBackups": self._automated,
            "DescribeEvents": self._events,
        }

    def _instances(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = _wanted(asked, "DBInstanceIdentifier", "db-instance-id")
        resources = _wanted(asked, "", "dbi-resource-id")
        if "DBInstanceIdentifier" in asked:
            found = [self._servers.get("aws", asked["DBInstanceIdentifier"])]
        else:
            found = self._register.servers("aws")
        chosen = [
            self._servers.get("aws", each.name, fresh=True)
            for each in found
            if (names is None or each.name in names or each.resource_id in names)
            and (resources is None or each.resource_id in resources)
        ]
        return {"DBInstances": [self._shape(each) for each in chosen]}

    def _reboot(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["DBInstanceIdentifier"]
        if asked.get("ForceFailover"):
            self._servers.fail_over("aws", name)
        else:
            self._servers.restart("aws", name)
        return self._instance(name)

    def _restore(self, asked: dict[str, Any]) -> dict[str, Any]:
        source, moment = self._source(asked), asked.get("RestoreTime")
        if (moment is None) != bool(asked.get("UseLatestRestorableTime")):
            message = "Specify either RestoreTime or UseLatestRestorableTime, and not both."
            raise CloudRefusalError(code="InvalidParameterCombination", message=message)
        request = ServerRequest(
            cloud="aws",
            name=asked["TargetDBInstanceIdentifier"],
            kind="restore",
            source=source.resource_id,
            time=moment.isoformat() if moment else None,
            standby=asked.get("MultiAZ", False),
            zone=asked.get("AvailabilityZone", ""),
            # A restored instance is protected only where the request says so.
            attributes={
                "deletionProtection": False,
                "multiAz": False,
                **_attributes(asked),
                "identifier": asked["TargetDBInstanceIdentifier"],
            },
        )
        self._servers.create(request)
        return self._instance(request.name)

    def _source(self, asked: dict[str, Any]) -> ServerRecord:
        arn: str = asked.get("SourceDBInstanceAutomatedBackupsArn", "")
        gone = (each for each in self._register.retained("aws") if shapes.automated_arn(each) == arn)
        record = next(gone, None) if arn else None
        name = asked.get("SourceDBInstanceIdentifier") or asked.get("SourceDbiResourceId")
        record = record or (self._register.source("aws", name) if name else None)
        if record is None:
            raise self._servers.rules("aws").missing(name or arn)
        return record

    def _modify(self, asked: dict[str, Any]) -> dict[str, Any]:
        record = self._servers.get("aws", asked["DBInstanceIdentifier"])
        if (new := asked.get("NewDBInstanceIdentifier")) not in (None, record.name):
            message = f"The rehearsal renames no instance: {record.name} to {new}."
            raise CloudRefusalError(code="InvalidParameterValue", message=message)
        change = ServerChange(
            standby=asked.get("MultiAZ"),
            password=asked.get("MasterUserPassword"),
            storage_gib=asked.get("AllocatedStorage"),
            autogrow_gib=asked.get("MaxAllocatedStorage"),
            attributes={**record.attributes, **_attributes(asked)},
        )
        self._servers.modify("aws", record.name, change)
        return self._instance(record.name)

    def _promote(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["DBInstanceIdentifier"]
        self._servers.modify("aws", name, ServerChange(promote=True))
        return self._instance(name)

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        record = self._servers.get("aws", asked["DBInstanceIdentifier"])
        label, skip = asked.get("FinalDBSnapshotIdentifier"), asked.get("SkipFinalSnapshot", False)
        if record.kind != "replica" and skip == (label is not None):
            message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and not both."
            raise CloudRefusalError(code="InvalidParameterCombination", message=message)
        keep = asked.get("DeleteAutomatedBackups") is False
        self._servers.delete("aws", record.name, final_backup=label, keep_archive=keep)
        shape = self._shape(record)
        return {"DBInstance": {**shape, "DBInstanceStatus": "deleting"}}

    def _snapshot(self, asked: dict[str, Any]) -> dict[str, Any]:
        label, record = asked["DBSnapshotIdentifier"], self._servers.get("aws", asked["DBInstanceIdentifier"])
        self._servers.back_up("aws", record.name, label)
        (backup,) = [each for each in self._register.backups("aws", record.resource_id) if each.label == label]
        return {"DBSnapshot": shapes.snapshot(backup, record)}

    def _snapshots(self, asked: dict[str, Any]) -> dict[str, Any]:
        label, server = asked.get("DBSnapshotIdentifier"), asked.get("DBInstanceIdentifier")
        found = [each for each in self._register.backups("aws", server) if label in (None, each.label)]
        if label is not None and not found:
            message = f"DBSnapshot {label} not found."
            raise CloudRefusalError(code="DBSnapshotNotFound", message=message, status=404)
        return {
            "DBSnapshots": [shapes.snapshot(each, self._register.source("aws", each.resource_id)) for each in found]
        }

    def _automated(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = [asked[key] for key in ("DBInstanceIdentifier", "DbiResourceId") if key in asked]
        backups = [
            shapes.automated(self._servers.get("aws", each.name, fresh=True) if live else each, retained=not live)
            for live, records in ((True, self._register.servers("aws")), (False, self._register.retained("aws")))
            for each in records
            if each.kind != "replica" and all(name in (each.name, each.resource_id) for name in names)
        ]
        return {"DBInstanceAutomatedBackups": backups}

    def _events(self, asked: dict[str, Any]) -> dict[str, Any]:
        now, name = dt.datetime.now(dt.UTC), asked.get("SourceIdentifier")
        end = asked.get("EndTime") or now
        start = asked.get("StartTime") or end - dt.timedelta(minutes=asked.get("Duration", _EVENTS_MINUTES))
        region = self._servers.rules("aws").region
        told = [event for each in self._servers.operations.all("aws") for event in shapes.events(each, region)]
        chosen = [each for each in told if name in (None, each["SourceIdentifier"]) and start <= each["Date"] <= end]
        return {"Events": chosen}

    def _instance(self, name: str) -> dict[str, Any]:
        return {"DBInstance": self._shape(self._servers.get("aws", name))}

    def _shape(self, record: ServerRecord) -> dict[str, Any]:
        followers = (each for each in self._register.servers("aws") if each.kind == "replica")
        return shapes.instance(record, [each.name for each in followers if each.source == record.name])


def _attributes(asked: dict[str, Any]) -> dict[str, Any]:
    """Pulumi's inputs that a request gives."""
    return {shapes.attribute(key): value for key, value in asked.items() if key not in _NOT_KEPT}


def _wanted(asked: dict[str, Any], key: str, name: str) -> list[str] | None:
    """What a parameter or a filter of that name chooses; None where neither is given."""
    for each in asked.get("Filters") or []:
        if each["Name"] == name:
            values: list[str] = each["Values"]
            return values
    return [asked[key]] if key in asked else None
