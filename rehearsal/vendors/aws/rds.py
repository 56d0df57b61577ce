"""What stands around an RDS instance: groups, subscriptions, copies."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Plane
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs
from rehearsal.vendors.aws.base import NAME, Amazon
from rehearsal.vendors.declared import says, words

_ARN: Final = "arn:aws:rds:{region}:{account}"
_MANAGED: Final = "Managed by Pulumi"

_STATIC: Final = words(
    """
    max_connections shared_buffers shared_preload_libraries max_wal_senders max_worker_processes
    max_replication_slots max_locks_per_transaction max_prepared_transactions rds.logical_replication
    wal_buffers huge_pages track_activity_query_size superuser_reserved_connections
    """
)
"""Parameters that only a restart changes (RDS User Guide, "RDS for PostgreSQL DB instance parameter list")."""

_CATEGORIES: Final = (
    "availability backup configuration change creation deletion failover failure low storage maintenance "
    "notification read replica recovery restoration security patching"
)


class ParameterGroup(Amazon):
    """The server's parameters."""

    token = "aws:rds/parameterGroup:ParameterGroup"  # noqa: S105
    autoname = NAME
    replaces = words("family description name namePrefix")
    operation = "rds:CreateDBParameterGroup"
    renames = says(name="DBParameterGroupName", family="DBParameterGroupFamily")
    elsewhere = words("namePrefix parameters skipDestroy")
    form = "{name}"
    fills = says(description=_MANAGED)
    answers = says(arn=f"{_ARN}:pg:{{name}}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateDBParameterGroup and ModifyDBParameterGroup."""
        del call
        yield from group_name(inputs.get("name"))
        family = inputs.get("family")
        if isinstance(family, str) and not re.fullmatch(r"postgres1[1-8]", family):
            yield Refusal("family", f"expected a family of PostgreSQL, for example postgres17, got {family!r}")
        seen: set[str] = set()
        for index, each in enumerate(inputs.get("parameters") or []):
            here = f"parameters[{index}]"
            name, method = (each.get("name"), each.get("applyMethod")) if isinstance(each, dict) else (UNKNOWN, None)
            if not isinstance(name, str):
                continue
            if name in seen:
                yield Refusal(f"{here}.name", f"expected each parameter once, got {name!r} again")
            seen.add(name)
            if method not in (None, UNKNOWN, "immediate", "pending-reboot"):
                yield Refusal(f"{here}.applyMethod", f"expected immediate or pending-reboot, got {method!r}")
            elif name in _STATIC and method != "pending-reboot":
                reason = f"cannot use immediate apply method for static parameter {name}: expected pending-reboot"
                yield Refusal(f"{here}.applyMethod", reason)

    def kept(self, this: Resource) -> dict[str, Any]:
        """The parameters, for instances."""
        return {"parameters": {each["name"]: str(each["value"]) for each in this.inputs.get("parameters") or []}}

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """ModifyDBParameterGroup: every member takes them over, static ones with its next restart."""
        told = super().change(behind, this, before)
        for server in behind.ask("servers.list")["servers"]:
            if server["attributes"].get("parameterGroupName") == this.identity:
                behind.ask("servers.modify", name=server["name"], **self.kept(this))
        return told


class SubnetGroup(Amazon):
    """The subnets that an instance may be in."""

    token = "aws:rds/subnetGroup:SubnetGroup"  # noqa: S105
    autoname = NAME
    replaces = words("name namePrefix")
    operation = "rds:CreateDBSubnetGroup"
    renames = says(name="DBSubnetGroupName", description="DBSubnetGroupDescription")
    elsewhere = words("namePrefix")
    form = "{name}"
    fills = says(description=_MANAGED)
    answers = says(arn=f"{_ARN}:subgrp:{{name}}", supportedNetworkTypes=["IPV4"], vpcId="vpc-{short}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateDBSubnetGroup."""
        del call
        yield from group_name(inputs.get("name"))
        subnets = inputs.get("subnetIds")
        if isinstance(subnets, list) and len(subnets) < 2:  # noqa: PLR2004  # Two zones.
            reason = (
                "DB Subnet Group doesn't meet availability zone coverage requirement. Please add subnets to cover at "
            )
            yield Refusal("subnetIds", f"{reason}least 2 availability zones")

    def kept(self, this: Resource) -> dict[str, Any]:
        """The subnets, for instances."""
        return {"subnets": list(this.inputs.get("subnetIds") or [])}


class OptionGroup(Amazon):
    """Options, of which PostgreSQL has none."""

    token = "aws:rds/optionGroup:OptionGroup"  # noqa: S105
    autoname = NAME
    replaces = words("engineName majorEngineVersion name namePrefix optionGroupDescription")
    operation = "rds:CreateOptionGroup"
    renames = says(name="OptionGroupName")
    elsewhere = words("namePrefix options skipDestroy")
    form = "{name}"
    fills = says(optionGroupDescription=_MANAGED)
    answers = says(arn=f"{_ARN}:og:{{name}}")


class EventSubscription(Amazon):
    """Which of RDS' events go to a topic."""

    token = "aws:rds/eventSubscription:EventSubscription"  # noqa: S105
    autoname = NAME
    replaces = words("name namePrefix")
    operation = "rds:CreateEventSubscription"
    renames = says(name="SubscriptionName", snsTopic="SnsTopicArn")
    elsewhere = words("namePrefix")
    form = "{name}"
    fills = says(enabled=True)
    answers = says(arn=f"{_ARN}:es:{{name}}", customerAwsId="{account}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateEventSubscription, SourceType, and RDS User Guide, "Amazon RDS event categories and event messages"."""
        del call
        kinds = words(
            """
            db-instance db-cluster db-parameter-group db-security-group db-snapshot db-cluster-snapshot db-proxy
            zero-etl custom-engine-version blue-green-deployment db-shard-group
            """
        )
        kind = inputs.get("sourceType")
        if kind not in (None, UNKNOWN, *kinds):
            yield Refusal("sourceType", f"expected one of {', '.join(sorted(kinds))}, got {kind!r}")
        if inputs.get("sourceIds") and kind is None:
            yield Refusal("sourceType", "expected a type, for example db-instance: sourceIds need one")
        for index, category in enumerate(inputs.get("eventCategories") or []):
            if isinstance(category, str) and category not in _CATEGORIES:
                yield Refusal(f"eventCategories[{index}]", f"expected for example failover or backup, got {category!r}")


class Snapshot(Amazon):
    """A backup on demand."""

    token = "aws:rds/snapshot:Snapshot"  # noqa: S105
    replaces = words("dbInstanceIdentifier dbSnapshotIdentifier")
    form = "{dbSnapshotIdentifier}"
    answers = says(dbSnapshotArn=f"{_ARN}:snapshot:{{dbSnapshotIdentifier}}", status="available", engine="postgres")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """CreateDBSnapshot."""
        name, label = this.inputs["dbInstanceIdentifier"], this.inputs["dbSnapshotIdentifier"]
        behind.ask("backups.create", server=name, label=label)
        return super().begin(behind, this, half=half)


class SnapshotCopy(Amazon):
    """A copy of a backup, in another region if asked."""

    token = "aws:rds/snapshotCopy:SnapshotCopy"  # noqa: S105
    replaces = words(
        """
        sourceDbSnapshotIdentifier targetDbSnapshotIdentifier copyTags destinationRegion kmsKeyId optionGroupName
        presignedUrl targetCustomAvailabilityZone
        """
    )
    form = "{targetDbSnapshotIdentifier}"
    answers = says(dbSnapshotArn=f"{_ARN}:snapshot:{{targetDbSnapshotIdentifier}}", engine="postgres")


class BackupsReplication(Amazon):
    """Automated backups, copied to another region."""

    token = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"  # noqa: S105
    replaces = words("sourceDbInstanceArn kmsKeyId preSignedUrl retentionPeriod")
    operation = "rds:StartDBInstanceAutomatedBackupsReplication"
    renames = says(sourceDbInstanceArn="SourceDBInstanceArn", retentionPeriod="BackupRetentionPeriod")
    form = f"{_ARN}:auto-backup:ab-{{hex}}"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """StartDBInstanceAutomatedBackupsReplication."""
        days, source = inputs.get("retentionPeriod"), inputs.get("sourceDbInstanceArn")
        if isinstance(days, int) and not 1 <= days <= 35:  # noqa: PLR2004  # The documented limit.
            yield Refusal("retentionPeriod", f"expected 1 to 35 days, got {days}")
        region = inputs.get("region") or call.config.get("region")
        if isinstance(source, str) and isinstance(region, str) and f":{region}:" in source:
            yield Refusal("sourceDbInstanceArn", f"expected an instance of another region than {region}")


def group_name(name: object) -> Iterator[Refusal]:
    """What is wrong with the name of a group (CreateDBParameterGroup, CreateDBSubnetGroup)."""
    if isinstance(name, str) and (not re.fullmatch(r"[a-z]([-a-z0-9._ ]*[a-z0-9])?", name) or len(name) > 255):  # noqa: PLR2004
        yield Refusal("name", f"expected up to 255 lowercase letters, digits and hyphens, got {name!r}")
