"""What RDS says of instances, snapshots, backups and events."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.controlplane import operations
from rehearsal.controlplane import record as status
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.register import Backup
from rehearsal.controlplane.vendors.aws.rules import ACCOUNT

_STATUS: Final = {status.FAILING_OVER: "rebooting", status.RESTARTING: "rebooting"}
"""The others RDS calls as we do (RDS User Guide, "Viewing Amazon RDS DB instance status")."""

_NAMES: Final = {
    "DBInstanceClass": "instanceClass",
    "DBName": "dbName",
    "DBParameterGroupName": "parameterGroupName",
    "DBSubnetGroupName": "dbSubnetGroupName",
    "EnableIAMDatabaseAuthentication": "iamDatabaseAuthenticationEnabled",
    "MultiAZ": "multiAz",
    "PreferredBackupWindow": "backupWindow",
    "PreferredMaintenanceWindow": "maintenanceWindow",
}
"""Pulumi's inputs by the API's parameters, where more differs than the first letter's case."""

_KEPT: Final = (
    *("DBInstanceClass", "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow"),
    *("AutoMinorVersionUpgrade", "PubliclyAccessible", "StorageType", "StorageEncrypted", "KmsKeyId", "Iops"),
    *("CACertificateIdentifier", "CopyTagsToSnapshot", "DeletionProtection", "PerformanceInsightsEnabled"),
)
"""What an instance says as the program did."""

_EVENTS: Final = {
    "create": ("DB instance created", "creation"),
    "restore": ("Restored to point in time", "restoration"),
    "replica": ("DB instance created", "creation"),
    "modify": ("Finished applying modification", "configuration change"),
    "failover": ("Multi-AZ instance failover completed", "failover"),
    "restart": ("DB instance restarted", "availability"),
    "backup": ("Finished DB Instance backup", "backup"),
    "delete": ("DB instance deleted", "deletion"),
}
"""RDS User Guide, "Amazon RDS event categories and event messages"."""

_FAILURES: Final = {
    "create": ("The DB instance creation failed. {message}", "failure"),
    "restore": ("The DB instance creation failed. {message}", "failure"),
    "replica": ("The DB instance creation failed. {message}", "failure"),
    "failover": ("Recovered from partial failover", "failover"),
}
"""As above; of other failures RDS tells nothing."""

_BEGINNINGS: Final = {"failover": ("Multi-AZ instance failover started", "failover")}
"""As above."""


def instance(record: ServerRecord, replicas: list[str]) -> dict[str, Any]:
    """An instance, as DBInstance."""
    said, named = record.attributes, record.kind == "replica"
    port = said.get("port") or 5432
    shown = record.status != status.CREATING
    return {
        **{key: said.get(attribute(key)) for key in _KEPT},
        "DBInstanceIdentifier": record.name,
        "DBInstanceArn": arn(record, "db", record.name),
        "DbiResourceId": record.resource_id,
        "DBInstanceStatus": _STATUS.get(record.status, record.status),
        "Engine": "postgres",
        "EngineVersion": record.version or record.asked_version,
        "MasterUsername": record.owner,
        "DBName": record.database,
        "Endpoint": {"Address": record.host, "Port": port} if shown else None,
        "AllocatedStorage": int(record.storage_gib),
        "MaxAllocatedStorage": int(record.autogrow_gib) or None,
        "InstanceCreateTime": record.created,
        "AvailabilityZone": record.zone,
        "MultiAZ": record.standby,
        "SecondaryAvailabilityZone": record.standby_zone if record.standby else None,
        "LatestRestorableTime": record.latest,
        "ReadReplicaSourceDBInstanceIdentifier": record.source if named else None,
        "ReadReplicaDBInstanceIdentifiers": replicas,
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": each, "Status": "active"} for each in said.get("vpcSecurityGroupIds") or []
        ],
        "DBParameterGroups": _parameter_groups(record),
        "DBSubnetGroup": {"DBSubnetGroupName": name} if (name := said.get("dbSubnetGroupName")) else None,
        "IAMDatabaseAuthenticationEnabled": said.get("iamDatabaseAuthenticationEnabled") is True,
        "PendingModifiedValues": {},
        "TagList": [{"Key": key, "Value": value} for key, value in (said.get("tags") or {}).items()],
    }


def snapshot(backup: Backup, record: ServerRecord | None) -> dict[str, Any]:
    """A snapshot, as DBSnapshot; `record` is of its server, also where that is gone."""
    return {
        "DBSnapshotIdentifier": backup.label,
        "DBInstanceIdentifier": backup.server,
        "DbiResourceId": backup.resource_id,
        "SnapshotCreateTime": dt.datetime.fromisoformat(backup.ended) if backup.ended else None,
        "Engine": "postgres",
        "EngineVersion": record.version if record else None,
        "AllocatedStorage": int(backup.storage_gib),
        "AvailabilityZone": record.zone if record else None,
        "MasterUsername": record.owner if record else None,
        "DBSnapshotArn": arn(record, "snapshot", backup.label) if record else None,
        "Status": "available" if backup.ended else "creating",
        "SnapshotType": "manual",
        "PercentProgress": 100 if backup.ended else 0,
    }


def automated(record: ServerRecord, *, retained: bool) -> dict[str, Any]:
    """The automated backups of an instance, as DBInstanceAutomatedBackup."""
    return {
        "DBInstanceArn": arn(record, "db", record.name),
        "DBInstanceAutomatedBackupsArn": automated_arn(record),
        "DbiResourceId": record.resource_id,
        "DBInstanceIdentifier": record.name,
        "Region": record.region,
        "RestoreWindow": {"EarliestTime": record.earliest, "LatestTime": record.latest} if record.restorable else None,
        "AllocatedStorage": int(record.storage_gib),
        "Status": "retained" if retained else "active",
        "AvailabilityZone": record.zone,
        "InstanceCreateTime": record.created,
        "MasterUsername": record.owner,
        "Engine": "postgres",
        "EngineVersion": record.version,
        "BackupRetentionPeriod": record.attributes.get("backupRetentionPeriod"),
    }


def events(operation: Operation, region: str) -> Iterator[dict[str, Any]]:
    """What RDS tells of an operation: of some that they began, of most that they ended, of a few how they failed."""
    told = [(_BEGINNINGS, operation.started)]
    if operation.ended is not None:
        told.append((_EVENTS if operation.status == operations.DONE else _FAILURES, operation.ended))
    for words, moment in told:
        if operation.kind in words:
            message, category = words[operation.kind]
            yield {
                "SourceIdentifier": operation.server,
                "SourceType": "db-instance",
                "SourceArn": f"arn:aws:rds:{region}:{ACCOUNT}:db:{operation.server}",
                "Message": message.format(message=operation.message),
                "EventCategories": [category],
                "Date": dt.datetime.fromisoformat(moment),
            }


def attribute(parameter: str) -> str:
    """Pulumi's input of a parameter.

    >>> attribute("MultiAZ"), attribute("DeletionProtection")
    ('multiAz', 'deletionProtection')
    """
    return _NAMES.get(parameter, f"{parameter[:1].lower()}{parameter[1:]}")


def arn(record: ServerRecord, kind: str, name: str) -> str:
    """The Amazon resource name of something in a server's region."""
    return f"arn:aws:rds:{record.region}:{ACCOUNT}:{kind}:{name}"


def automated_arn(record: ServerRecord) -> str:
    """The name of a server's automated backups, which stays when the server goes."""
    return arn(record, "auto-backup", f"ab-{record.resource_id[3:].lower()}")


def _parameter_groups(record: ServerRecord) -> list[dict[str, str]]:
    name = record.attributes.get("parameterGroupName")
    state = "pending-reboot" if record.pending else "in-sync"
    return [{"DBParameterGroupName": name, "ParameterApplyStatus": state}] if name else []
