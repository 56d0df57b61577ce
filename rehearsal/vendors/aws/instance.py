"""RDS instances: names, the three calls that make one, life."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from rehearsal.errors import ProtectedError
from rehearsal.plugin.behaviour import Call, Difference
from rehearsal.plugin.changes import Change
from rehearsal.plugin.living import Resource
from rehearsal.plugin.naming import Autoname
from rehearsal.plugin.plane import Need, Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs, at, reveal
from rehearsal.vendors.aws import api, hosting, rds_rules
from rehearsal.vendors.aws.base import ACCOUNT, Amazon
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.hosted import Hosted, Record

_NOT_SENT: Final = words(
    """
    allowMajorVersionUpgrade applyImmediately blueGreenUpdate deleteAutomatedBackups finalSnapshotIdentifier
    identifierPrefix passwordWo passwordWoVersion replicaMode replicateSourceDb restoreToPointInTime s3Import
    skipFinalSnapshot snapshotIdentifier upgradeStorageConfig warningEventCategories
    """
)

_STATUS: Final = "available"

_UNRESTORED: Final = says(
    databaseInsightsMode="standard",
    maintenanceWindow="thu:05:17-thu:05:47",
    performanceInsightsEnabled=False,
    performanceInsightsRetentionPeriod=0,
)
"""What RestoreDBInstanceToPointInTime does not take and the provider does not change right after it, as it is then.

A second `up` changes it, since the provider compares with what RDS told (hashicorp/terraform-provider-aws#47742).
"""


class Instance(Hosted, Amazon):
    """An RDS instance: a new one, one restored to a moment, or a read replica."""

    token = "aws:rds/instance:Instance"  # noqa: S105
    # Without a separator (pulumi/pulumi-aws, provider/resources.go, aws_db_instance).
    autoname = Autoname(field="identifier", separator="", unless="identifierPrefix")
    secrets = words("password passwordWo")
    # Enums in the SDK lag behind: io2, and machines of the newest generations.
    opened = words("instanceClass storageType")
    replaces = words(
        """
        availabilityZone backupTarget characterSetName customIamInstanceProfile dbName engine kmsKeyId
        ncharCharacterSetName restoreToPointInTime s3Import snapshotIdentifier storageEncrypted timezone username
        """
    )
    operation = "rds:CreateDBInstance"
    renames = says(
        backupWindow="PreferredBackupWindow",
        caCertIdentifier="CACertificateIdentifier",
        customerOwnedIpEnabled="EnableCustomerOwnedIp",
        dbName="DBName",
        dbSubnetGroupName="DBSubnetGroupName",
        domainIamRoleName="DomainIAMRoleName",
        enabledCloudwatchLogsExports="EnableCloudwatchLogsExports",
        iamDatabaseAuthenticationEnabled="EnableIAMDatabaseAuthentication",
        identifier="DBInstanceIdentifier",
        instanceClass="DBInstanceClass",
        maintenanceWindow="PreferredMaintenanceWindow",
        multiAz="MultiAZ",
        parameterGroupName="DBParameterGroupName",
        password="MasterUserPassword",  # noqa: S106  # A parameter's name.
        performanceInsightsEnabled="EnablePerformanceInsights",
        performanceInsightsKmsKeyId="PerformanceInsightsKMSKeyId",
        username="MasterUsername",
    )
    elsewhere = _NOT_SENT
    form = "db-{resourceSuffix}"
    answers = says(
        address="{identifier}.{short}.{region}.rds.amazonaws.com",
        arn=f"arn:aws:rds:{{region}}:{ACCOUNT}:db:{{identifier}}",
        hostedZoneId="Z1RLNUO7B9Q6NB",
        status=_STATUS,
    )
    changing = words("tagsAll arn address endpoint engineVersionActual masterUserSecrets")

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """The model of the call that would be made, then RDS' own rules."""
        if inputs.get("restoreToPointInTime") is None and inputs.get("replicateSourceDb") is None:
            yield from super().refuse(call, inputs)
            return
        plain = reveal(inputs)
        name, request = _derived(plain, self.request(plain))
        back = {self.parameter(key): key for key in plain}
        # What the making call does not take, the provider changes right after it.
        later = api.operation("rds", "ModifyDBInstance").members
        members = api.operation("rds", name).members
        own = {key: value for key, value in request.items() if key in members}
        yield from api.refusals(f"rds:{name}", own, back)
        for key in request.keys() - own.keys() - later.keys() - _BY_SOURCE:
            yield Refusal(back.get(key, key), f"rds {name}: a restored server or a replica takes it from its source")
        yield from self.rules(call, plain)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """RDS' own."""
        yield from rds_rules.instance(inputs, fresh=call.fresh)

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """Where it is, what it is, and the secret that RDS keeps where it keeps the password."""
        known = super().computed(call, inputs)
        port = inputs.get("port") or 5432
        version = str(inputs.get("engineVersion") or "17")
        return {
            **known,
            "endpoint": f"{known['address']}:{port}",
            "port": port,
            "resourceId": f"db-{call.chance('resource', 26).upper()}",
            "engineVersionActual": version if "." in version else f"{version}.6",
            "availabilityZone": inputs.get("availabilityZone") or f"{known.get('region') or inputs.get('region')}a",
            "listenerEndpoints": [],
            "replicas": [],
            "masterUserSecrets": _managed(call, inputs),
            **(_left(_UNRESTORED, inputs) if inputs.get("restoreToPointInTime") is not None else {}),
        }

    def diff(self, old: Inputs, new: Inputs, ignored: list[str]) -> Difference:
        """Storage that has grown by itself is no difference (hashicorp/terraform-provider-aws, rds/instance.go)."""
        found = super().diff(old, new, ignored)
        grown = [each for each in found.changes if each.where == "allocatedStorage" and _has_grown(each, new)]
        return replace(found, changes=[each for each in found.changes if each not in grown])

    def there(self, inputs: Inputs, outputs: Inputs) -> Inputs:
        """What a restore left as it was, as RDS told it."""
        return {**inputs, **_left(outputs, {key: inputs.get(key) for key in _UNRESTORED})}

    def recomputed(self, call: Call, old: dict[str, Any], new: dict[str, Any]) -> Inputs:
        """A rename moves the address; a failover or a restart does not."""
        found = super().recomputed(call, old, new)
        return {**found, "endpoint": f"{found['address']}:{new.get('port') or old.get('port') or 5432}"}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The resource id, which a rename does not change (pulumi-aws 6 and later)."""
        del call, inputs
        return str(outputs["resourceId"])

    def imported(self, call: Call, identity: str) -> Inputs:
        """An import goes by the identifier; the rest is as servers usually are, for the program to leave alone."""
        del call
        return {"identifier": identity, "instanceClass": "db.m7g.large", "engine": "postgres"}

    def expect_deletable(self, call: Call, identity: str, outputs: Inputs) -> None:
        """Unless it is protected or its last snapshot has no name."""
        del call
        name = at(outputs, "identifier") or identity
        if at(outputs, "deletionProtection") is True:
            message = (
                f"{name}: InvalidParameterCombination: Cannot delete protected DB Instance, "
                "please disable deletion protection and try again."
            )
            raise ProtectedError(message)
        if not at(outputs, "skipFinalSnapshot") and not at(outputs, "finalSnapshotIdentifier"):
            message = f"{name}: final_snapshot_identifier is required when skip_final_snapshot is false"
            raise ProtectedError(message)

    # On a control plane.

    def server_of(self, this: Resource) -> str:
        """An import goes by the identifier, whatever comes later by the resource id."""
        return str(this.outputs.get("identifier") or this.inputs.get("identifier") or this.identity)

    def identity_of(self, this: Resource, outputs: dict[str, Any]) -> str:
        """The resource id."""
        del this
        return str(outputs["resourceId"])

    def asked(self, behind: Plane, this: Resource) -> dict[str, Any]:
        """One of the three calls."""
        return hosting.asked(behind, this.inputs, this.outputs["region"])

    def changed(self, behind: Plane, this: Resource, before: dict[str, Any]) -> dict[str, Any]:
        """ModifyDBInstance, and PromoteReadReplica."""
        return hosting.changed(behind, this.inputs, before)

    def told(self, behind: Plane, this: Resource, record: Record) -> Inputs:
        """DescribeDBInstances."""
        del behind
        port = this.inputs.get("port") or this.outputs.get("port") or 5432
        return {
            "address": record["host"],
            "endpoint": f"{record['host']}:{port}",
            "engineVersionActual": record["version"],
            "availabilityZone": record["zone"],
            "resourceId": record["resource_id"],
            "status": record["status"],
        }

    def seen(self, this: Resource, record: Record) -> Inputs:
        """Storage that autoscaling has grown, and a standby that somebody has taken away."""
        del this
        return {"allocatedStorage": int(record["storage_gib"]), "multiAz": record["standby"]}

    def keeping(self, this: Resource) -> dict[str, Any]:
        """DeleteDBInstance: the final snapshot, and the automated backups."""
        final = None if this.outputs.get("skipFinalSnapshot") else this.outputs.get("finalSnapshotIdentifier")
        return {"final_backup": final, "keep_archive": this.outputs.get("deleteAutomatedBackups") is False}

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """Groups and subnets."""
        return hosting.needs(behind, this.inputs, self.server_of(this))

    def begun(self, behind: Plane, this: Resource) -> None:
        """RDS makes the groups that its logs go to where they are not there yet."""
        for name in hosting.logs(this.inputs, self.server_of(this)):
            if behind.thing(name) is None:
                behind.ask("things.put", type="rds", id=name)


def _has_grown(change: Change, new: Inputs) -> bool:
    limit = new.get("maxAllocatedStorage")
    sizes = (change.old, change.new, limit)
    return all(isinstance(size, int) for size in sizes) and change.new < change.old and limit > change.new


_BY_SOURCE: Final = frozenset({"Engine", "KmsKeyId", "MasterUsername", "StorageEncrypted"})
"""What the provider does not send with a restore or a replica: it is the source's, and the program may say so too."""


def _derived(inputs: dict[str, Any], request: Inputs) -> tuple[str, Inputs]:
    """The call that makes a server out of another, and its request."""
    own = {key: value for key, value in request.items() if key != "DBInstanceIdentifier"}
    if (source := inputs.get("replicateSourceDb")) is not None:
        name, request = "CreateDBInstanceReadReplica", {**own, "SourceDBInstanceIdentifier": source}
        return name, {**request, "DBInstanceIdentifier": inputs.get("identifier")}
    restore = inputs.get("restoreToPointInTime")
    terms = {
        "SourceDBInstanceIdentifier": at(restore, "sourceDbInstanceIdentifier"),
        "SourceDbiResourceId": at(restore, "sourceDbiResourceId"),
        "SourceDBInstanceAutomatedBackupsArn": at(restore, "sourceDbInstanceAutomatedBackupsArn"),
        "UseLatestRestorableTime": at(restore, "useLatestRestorableTime"),
        "RestoreTime": at(restore, "restoreTime"),
        "TargetDBInstanceIdentifier": inputs.get("identifier"),
    }
    return "RestoreDBInstanceToPointInTime", {**own, **terms}


def _left(known: Mapping[str, Any], said: Mapping[str, Any]) -> Inputs:
    """What is known of what was said."""
    return {key: known[key] for key, value in said.items() if value is not None and key in known}


def _managed(call: Call, inputs: dict[str, Any]) -> list[dict[str, str]]:
    if inputs.get("manageMasterUserPassword") is not True:
        return []
    region = reveal(call.config.get("region"))
    prefix = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:rds!db-{call.chance('secret', 32)}"
    key = inputs.get("masterUserSecretKmsKeyId") or f"arn:aws:kms:{region}:{ACCOUNT}:key/{call.chance('key', 32)}"
    return [{"secretArn": f"{prefix}-AbCdEf", "kmsKeyId": key, "secretStatus": "active"}]
