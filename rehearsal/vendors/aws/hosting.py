"""RDS instances on a control plane: Pulumi's inputs as requests, and what an instance stands on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.values import at
from rehearsal.vendors.hosted import number

_SUBNET_GROUP: Final = (
    "InvalidDBSubnetGroupStateFault",
    "Cannot delete the subnet group '{id}' because at least one database instance: {by} is still using it.",
)
_PARAMETER_GROUP: Final = (
    "InvalidDBParameterGroupState",
    "One or more database instances are still members of this parameter group {id}, so the group cannot be deleted",
)
_SECURITY_GROUP: Final = ("DependencyViolation", "resource {id} has a dependent object")
_SUBNET: Final = ("DependencyViolation", "The subnet '{id}' has dependencies and cannot be deleted.")
"""Codes and words: Amazon RDS API Reference, each action's "Errors"; Amazon EC2, "Error codes"."""

_BACKUPS: Final = "ab-"
"""How the names of automated backups begin; the rest is the instance's resource id."""


def asked(behind: Plane, inputs: Mapping[str, Any], region: str) -> dict[str, Any]:
    """CreateDBInstance, RestoreDBInstanceToPointInTime or CreateDBInstanceReadReplica, as the control plane has them.

    Args:
        behind: The cloud, for the parameter group.
        inputs: Plain.
        region: Where.
    """
    return {
        **_origin(inputs),
        "region": region,
        "version": str(inputs.get("engineVersion") or "").partition(".")[0],
        "owner": inputs.get("username") or "",
        "password": inputs.get("password") or "",
        "database": inputs.get("dbName"),
        "standby": inputs.get("multiAz") is True,
        "parameters": parameters(behind, inputs),
        "storage_gib": number(inputs.get("allocatedStorage")),
        "autogrow_gib": number(inputs.get("maxAllocatedStorage")),
        "zone": inputs.get("availabilityZone") or "",
    }


def changed(behind: Plane, inputs: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyDBInstance, and PromoteReadReplica where it follows nobody any more."""
    password = inputs.get("password")
    follows = inputs.get("replicateSourceDb") is not None
    return {
        "standby": inputs.get("multiAz") is True,
        "parameters": parameters(behind, inputs),
        "password": password if password != before.get("password") else None,
        "storage_gib": number(inputs.get("allocatedStorage")) or None,
        "autogrow_gib": number(inputs.get("maxAllocatedStorage")),
        "promote": before.get("replicateSourceDb") is not None and not follows,
    }


def parameters(behind: Plane, inputs: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the parameter group, which a group of Amazon's own adds nothing to."""
    group = behind.thing(str(inputs.get("parameterGroupName") or ""))
    return dict(at(group, "config.parameters") or {})


def needs(behind: Plane, inputs: Mapping[str, Any], name: str) -> Iterable[Need]:
    """What an instance holds on to; that is its own subnets, too, through its network interfaces."""
    return behind.known(*_wanted(behind, inputs, name))


def logs(inputs: Mapping[str, Any], name: str) -> Iterator[str]:
    """The log groups of an instance (RDS User Guide, "Publishing PostgreSQL logs to Amazon CloudWatch Logs")."""
    for log in inputs.get("enabledCloudwatchLogsExports") or []:
        yield f"/aws/rds/instance/{name}/{log}"


def _wanted(behind: Plane, inputs: Mapping[str, Any], name: str) -> Iterator[Need]:
    group = str(inputs.get("dbSubnetGroupName") or "")
    yield _need(group, _SUBNET_GROUP, name)
    yield _need(str(inputs.get("parameterGroupName") or ""), _PARAMETER_GROUP, name)
    for each in inputs.get("vpcSecurityGroupIds") or []:
        yield _need(each, _SECURITY_GROUP, name)
    for each in at(behind.thing(group) if group else None, "config.subnets") or []:
        yield _need(each, _SUBNET, name)


def _need(identity: str, words: tuple[str, str], name: str) -> Need:
    return need(identity, words[1].replace("{by}", name), words[0])


def _origin(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs.get("replicateSourceDb") is not None:
        return {"kind": "replica", "source": str(inputs["replicateSourceDb"]).rpartition(":")[2]}
    restore = inputs.get("restoreToPointInTime")
    if restore is None:
        return {}
    keys = ("sourceDbInstanceIdentifier", "sourceDbiResourceId", "sourceDbInstanceAutomatedBackupsArn")
    source = str(next((restore[key] for key in keys if restore.get(key)), "")).rpartition(":")[2]
    if source.startswith(_BACKUPS):
        source = f"db-{source.removeprefix(_BACKUPS).upper()}"
    return {"kind": "restore", "source": source, "time": restore.get("restoreTime")}
