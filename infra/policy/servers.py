"""Rules about one server: standby, backups, protection, encryption, upgrades."""

from typing import Final

from infra.policy.rule import Fix, Holds, Resource, Rule, same

GCP: Final = "gcp:sql/databaseInstance:DatabaseInstance"
AWS: Final = "aws:rds/instance:Instance"
AZURE: Final = "azure-native:dbforpostgresql:Server"

SERVERS: Final = (GCP, AWS, AZURE)

_LEAST_DAYS: Final = 7
"""Less history than a week does not outlast a long weekend after which somebody notices."""

_LEADER: Final = {GCP: "masterInstanceName", AWS: "replicateSourceDb"}
_BACKUP: Final = "settings.backupConfiguration"


def replica(resource: Resource) -> bool:
    """Whether a server only follows another one, which keeps the promises for both; read-only."""
    if resource.type == AZURE:
        return bool(resource.at("createMode") == "Replica")
    return resource.at(_LEADER[resource.type]) is not None


def _says(path: str, *accepted: object) -> Holds:
    return lambda server: replica(server) or server.says(path, *accepted)


def _on(path: str) -> Holds:
    return lambda server: replica(server) or server.on(path)


def _off(path: str) -> Holds:
    return lambda server: replica(server) or server.off(path)


def _at_least(path: str, least: float) -> Holds:
    return lambda server: replica(server) or server.at_least(path, least)


def _all(*rules: Holds) -> Holds:
    return lambda server: all(holds(server) for holds in rules)


def _named_final_snapshot(server: Resource) -> bool:
    return replica(server) or server.at("finalSnapshotIdentifier") is not None


def _protected(server: Resource) -> bool:
    return replica(server) or server.protect


RULES: Final = (
    Rule(
        name="high-availability",
        expected="a standby that takes over",
        severity="high",
        controls=("AWS Security Hub RDS.5", "Azure WAF RE:05", "Google Cloud WAF: redundancy"),
        fixes=same("high_availability", "{high_availability: true}"),
        each={
            GCP: _says("settings.availabilityType", "REGIONAL"),
            AWS: _on("multiAz"),
            AZURE: _says("highAvailability.mode", "ZoneRedundant", "SameZone"),
        },
    ),
    # Flexible Server cannot switch it off (Azure, "Backup and restore in Azure Database for PostgreSQL").
    Rule(
        name="pitr",
        expected="backups from which any moment can be restored",
        severity="critical",
        controls=("CIS Google Cloud 6.7", "AWS Security Hub RDS.11", "MCSB BR-1"),
        fixes={
            "gcp": Fix("backup.pitr_days", "{backup: {pitr_days: 7}}"),
            "aws": Fix("backup.retention_days", "{backup: {retention_days: 30}}"),
        },
        each={
            GCP: _all(_on(f"{_BACKUP}.enabled"), _on(f"{_BACKUP}.pointInTimeRecoveryEnabled")),
            AWS: _at_least("backupRetentionPeriod", 1),
        },
    ),
    Rule(
        name="backup-retention",
        expected=f"backups kept for {_LEAST_DAYS} days or more",
        severity="high",
        controls=("CIS Google Cloud 6.7", "AWS Security Hub RDS.11", "MCSB BR-1"),
        fixes=same("backup.retention_days", "{backup: {retention_days: 30}}"),
        each={
            GCP: _at_least(f"{_BACKUP}.backupRetentionSettings.retainedBackups", _LEAST_DAYS),
            AWS: _at_least("backupRetentionPeriod", _LEAST_DAYS),
            AZURE: _at_least("backup.backupRetentionDays", _LEAST_DAYS),
        },
    ),
    Rule(
        name="final-backup",
        expected="a backup that outlives the server",
        severity="high",
        controls=("MCSB BR-2",),
        # Flexible Server has none that lasts; a lock and the engine's protection stand in for it.
        fixes=same("backup.final", "{backup: {final: true}}", "gcp", "aws"),
        each={
            GCP: _on("settings.finalBackupConfig.enabled"),
            AWS: _all(_off("skipFinalSnapshot"), _named_final_snapshot),
        },
    ),
    Rule(
        name="deletion-protection",
        expected="protection against deletion, in the cloud and in the engine",
        severity="critical",
        controls=("AWS Security Hub RDS.8", "MCSB BR-2"),
        fixes=same("deletion_protection", "{deletion_protection: true}"),
        each={
            GCP: _all(_protected, _on("deletionProtection"), _on("settings.deletionProtectionEnabled")),
            AWS: _all(_protected, _on("deletionProtection")),
            AZURE: _protected,  # The cloud's half is a lock beside the server, of a type of its own.
        },
    ),
    Rule(
        name="storage-encryption",
        expected="encrypted storage",
        severity="critical",
        everywhere=True,
        controls=("AWS Security Hub RDS.3", "MCSB DP-4"),
        fixes=same("encryption_key", "{encryption_key: ''}", "aws"),
        each={AWS: _on("storageEncrypted")},  # The other two cannot do without.
    ),
    Rule(
        name="minor-upgrades",
        expected="minor versions upgraded by the cloud",
        severity="medium",
        controls=("AWS Security Hub RDS.13", "MCSB PV-6"),
        fixes=same("maintenance", "{maintenance: {day: sunday, hour: 4}}", "aws"),
        each={AWS: _on("autoMinorVersionUpgrade")},  # The other two always do.
    ),
)
