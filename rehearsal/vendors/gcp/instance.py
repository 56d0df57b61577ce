"""Cloud SQL instances: names, mapping to the API, life."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.errors import ProtectedError
from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.changes import Change
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Need, Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs, Tree, at
from rehearsal.vendors import certificates
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.gcp import hosting, sql_rules
from rehearsal.vendors.gcp.base import NAME, Google
from rehearsal.vendors.hosted import Hosted, Record

_RENAMES: Final = {
    "diskSize": "dataDiskSizeGb",
    "diskType": "dataDiskType",
    "diskAutoresize": "storageAutoResize",
    "diskAutoresizeLimit": "storageAutoResizeLimit",
    "pscConfigs": "pscConfig",
    "connectionPoolConfigs": "connectionPoolConfig",
    "denyMaintenancePeriod": "denyMaintenancePeriods",
}
"""hashicorp/terraform-provider-google, resource_sql_database_instance.go, expandSqlDatabaseInstanceSettings."""


class DatabaseInstance(Hosted, Google):
    """A Cloud SQL instance, a primary or a replica."""

    token = "gcp:sql/databaseInstance:DatabaseInstance"  # noqa: S105
    autoname = NAME
    secrets = frozenset({"rootPassword", "replicaConfiguration"})
    replaces = words(
        """
        encryptionKeyName name project region settings.collation replicaConfiguration.caCertificate
        replicaConfiguration.clientCertificate replicaConfiguration.clientKey replicaConfiguration.username
        replicaConfiguration.connectRetryInterval replicaConfiguration.dumpFilePath
        replicaConfiguration.failoverTarget replicaConfiguration.masterHeartbeatPeriod
        replicaConfiguration.password replicaConfiguration.sslCipher
        replicaConfiguration.verifyServerCertificate masterInstanceName
        """
    )
    model = "sqladmin.v1/DatabaseInstance"
    renames = _RENAMES
    # Other calls (clone, restoreBackup), the provider's own switches, and what the client encrypts or never sends.
    elsewhere = words(
        """
        backupdrBackup blueGreenDeployment clone deletionPolicy deletionProtection
        encryptionConfidentialMode encryptionKeyName enforceNewSqlNetworkArchitecture finalBackupDescription
        pointInTimeRestoreContext restoreBackupContext rootPasswordWo rootPasswordWoVersion
        replicationCluster
        """
    )
    form = "{name}"
    fills = says(deletionProtection=True)
    answers = says(
        connectionName="{project}:{region}:{name}",
        dnsName="{short}.{hex}.{region}.sql.goog.",
        selfLink="https://sqladmin.googleapis.com/sql/v1beta4/projects/{project}/instances/{name}",
        serviceAccountEmailAddress="p{digits}-{short}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
        maintenanceVersion="{databaseVersion}_4.R20260901.01_00",
        region="{region}",
    )

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """As the client sends it: a key under its configuration, one period as a list, one PSC block."""
        body = super().body(inputs)
        settings = body.get("settings")
        if isinstance(settings, dict):
            body["settings"] = {**settings, **_settings(settings)}
        if key := inputs.get("encryptionKeyName"):
            body["diskEncryptionConfiguration"] = {"kmsKeyName": key}
        return body

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Cloud SQL's own."""
        yield from sql_rules.instance({"project": call.config.get("project"), **inputs}, fresh=call.fresh)

    def is_replacing(self, change: Change, old: Inputs, new: Inputs) -> bool:
        """The fixed inputs, and what depends on values (the provider's CustomizeDiff)."""
        if super().is_replacing(change, old, new):
            return True
        if change.touches("settings.diskSize") and at(new, "settings.diskAutoresize") is False:
            return isinstance(change.old, int) and isinstance(change.new, int) and change.new < change.old
        if change.touches("settings.ipConfiguration.privateNetwork"):
            return change.kind == "delete" and change.path[-1] == "privateNetwork"
        return change.touches("settings.autoUpgradeEnabled") and change.old is True

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """Names, addresses by the ways in, and the certificate authority."""
        names = self.names(call, inputs)
        return {
            **super().computed(call, inputs),
            **_addresses(inputs, names["octet"]),
            "dnsNames": _dns(inputs, call, names.get("region", "")),
            "instanceType": "READ_REPLICA_INSTANCE" if inputs.get("masterInstanceName") else "CLOUD_SQL_INSTANCE",
            "pscServiceAttachmentLink": _attachment(inputs, names),
            "serverCaCerts": [certificates.authority("Google, Inc", "Google Cloud SQL Server CA")],
        }

    def imported(self, call: Call, identity: str) -> Inputs:
        """A usual instance under the name, and in the project, that the id says."""
        del call
        found = re.fullmatch(r"(?:projects/(?P<project>[^/]+)/instances/)?(?P<name>[^/]+)", identity)
        if not found:
            message = f"expected {identity!r} to be an instance: projects/<project>/instances/<name>, or <name>"
            raise ProtectedError(message)
        known: dict[str, Tree] = {key: value for key, value in found.groupdict().items() if value}
        return {**known, "settings": {"tier": "db-custom-2-7680", "edition": "ENTERPRISE"}}

    def expect_deletable(self, call: Call, identity: str, outputs: Inputs) -> None:
        """Unless one of the two protections is on."""
        del call
        if at(outputs, "deletionProtection") is True:
            message = (
                f"{identity}: Error, failed to delete instance because deletion_protection is set to true. "
                "Set it to false to proceed with this operation"
            )
            raise ProtectedError(message)
        if at(outputs, "settings.deletionProtectionEnabled") is True:
            message = (
                f"{identity}: googleapi: Error 400: The instance is protected. Please disable the deletion protection "
                "and try again: set deletionProtectionEnabled to false"
            )
            raise ProtectedError(message)

    # On a control plane.

    def server_of(self, this: Resource) -> str:
        """Its name; an import may say the project, too."""
        return str(this.inputs.get("name") or this.outputs.get("name") or this.identity).rpartition("/")[2]

    def asked(self, behind: Plane, this: Resource) -> dict[str, Any]:
        """instances.insert, and instances.clone."""
        del behind
        return hosting.asked(this.inputs, this.outputs)

    def changed(self, behind: Plane, this: Resource, before: dict[str, Any]) -> dict[str, Any]:
        """instances.patch."""
        del behind, before
        return hosting.changed(this.inputs)

    def told(self, behind: Plane, this: Resource, record: Record) -> Inputs:
        """instances.get."""
        return hosting.told(behind, this.inputs or record["attributes"], record)

    def seen(self, this: Resource, record: Record) -> Inputs:
        """What somebody else has changed, or the instance itself."""
        return hosting.seen(this.inputs or record["attributes"], record)

    def keeping(self, this: Resource) -> dict[str, Any]:
        """instances.delete."""
        return hosting.keeping(this.outputs, self.server_of(this))

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The way to it."""
        return hosting.needs(behind, this.inputs)


def _settings(settings: dict[str, Any]) -> Inputs:
    changed: Inputs = {}
    if isinstance(deny := settings.get("denyMaintenancePeriods"), dict):
        changed["denyMaintenancePeriods"] = [deny]
    addresses = settings.get("ipConfiguration")
    if isinstance(addresses, dict):
        psc = addresses.get("pscConfig")
        changed["ipConfiguration"] = {**addresses, "pscConfig": psc[0] if isinstance(psc, list) and psc else None}
    pool = settings.get("connectionPoolConfig")
    if isinstance(pool, list):
        changed["connectionPoolConfig"] = pool[0] if pool else None
    return changed


def _addresses(inputs: dict[str, Any], octet: str) -> Inputs:
    ways = at(inputs, "settings.ipConfiguration") or {}
    public = f"203.0.113.{octet}" if ways.get("ipv4Enabled", True) else ""
    private = f"10.64.0.{octet}" if ways.get("privateNetwork") else ""
    kinds = {"PRIMARY": public, "PRIVATE": private}
    listed = [{"type": kind, "ipAddress": address, "timeToRetire": ""} for kind, address in kinds.items() if address]
    first = listed[0]["ipAddress"] if listed else ""
    return {
        "firstIpAddress": first,
        "publicIpAddress": public,
        "privateIpAddress": private,
        "ipAddresses": listed,
    }


def _dns(inputs: dict[str, Any], call: Call, region: str) -> Tree:
    kind = "PRIVATE_SERVICES_ACCESS" if at(inputs, "settings.ipConfiguration.privateNetwork") else "PUBLIC"
    name = f"{call.chance('id', 8)}.{call.chance('id')}.{inputs.get('region') or region}.sql.goog."
    return [{"name": name, "connectionType": kind, "dnsScope": "INSTANCE", "recordManager": "CLOUD_SQL_AUTOMATION"}]


def _attachment(inputs: dict[str, Any], names: dict[str, Any]) -> str:
    if not at(inputs, "settings.ipConfiguration.pscConfigs"):
        return ""
    region = inputs.get("region") or names.get("region")
    return (
        f"projects/{names['short']}p-tp/regions/{region}/serviceAttachments/a-{names['short']}-psc-service-attachment"
    )
