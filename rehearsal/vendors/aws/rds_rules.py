"""What RDS for PostgreSQL refuses beyond its model: storage, windows, names, monitoring.

Written from Amazon's documentation alone, so that it can judge the project's own preflight.
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Tree
from rehearsal.vendors.aws import rds_windows

_CLASS: Final = re.compile(r"db\.[a-z]\d+[a-z]*(-[a-z]+)?\.(micro|small|medium|large|\d*xlarge)(\.tpc\d+\.mem\d+x)?")

_RESERVED: Final = frozenset(
    ["admin", "user", "rdsadmin", "rdsrepladmin", "rds_superuser", "rdstopmgr", "root", "public"]
)
"""RDS User Guide, "Understanding PostgreSQL roles"; words that PostgreSQL itself reserves."""

_MONITORING: Final = (0, 1, 5, 10, 15, 30, 60)
_CERTIFICATES: Final = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
_LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
_LIFECYCLES: Final = ("open-source-rds-extended-support", "open-source-rds-extended-support-disabled")
_STORAGES: Final = ("standard", "gp2", "gp3", "io1", "io2")
_SOURCES: Final = ("sourceDbInstanceIdentifier", "sourceDbiResourceId", "sourceDbInstanceAutomatedBackupsArn")
_STRIPED: Final = 400
"""GiB from which gp3 volumes of PostgreSQL are striped (RDS User Guide, "gp3 storage")."""


def instance(inputs: dict[str, Any], *, fresh: bool = True) -> Iterator[Refusal]:
    """What is wrong with an instance.

    Args:
        inputs: Without marks of secrecy.
        fresh: Whether it is to be made, so that what is missing is missing.
    """
    fresh = fresh and inputs.get("restoreToPointInTime") is None and inputs.get("replicateSourceDb") is None
    yield from _names(inputs)
    yield from _machine(inputs, fresh=fresh)
    yield from _size(inputs, fresh=fresh)
    yield from _performance(inputs)
    yield from _login(inputs, fresh=fresh)
    yield from _range("backupRetentionPeriod", inputs.get("backupRetentionPeriod"), 0, 35)
    yield from rds_windows.windows(inputs)
    yield from _monitoring(inputs)
    yield from _restore(inputs)


def _names(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """CreateDBInstance, DBInstanceIdentifier and DBName."""
    for key, longest in (("identifier", 63), ("finalSnapshotIdentifier", 255)):
        name = _text(inputs.get(key))
        if name and (not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name) or len(name) > longest):
            expected = f"up to {longest} letters, digits and single hyphens, a letter first and no hyphen last"
            yield Refusal(key, f"expected {expected}, for example adk-sessions, got {name!r}")
    if _text(inputs.get("identifier")) != _text(inputs.get("identifier")).lower():
        yield Refusal("identifier", "only lowercase alphanumeric characters and hyphens allowed")
    name = _text(inputs.get("dbName"))
    if name and (
        not re.fullmatch(r"[A-Za-z]\w{0,62}", name, re.ASCII) or name in ("rdsadmin", "template0", "template1")
    ):
        reason = "DBName must begin with a letter and contain only alphanumeric characters"
        yield Refusal("dbName", f"{reason}, got {name!r}")


def _machine(inputs: dict[str, Any], *, fresh: bool) -> Iterator[Refusal]:
    machine, version = _text(inputs.get("instanceClass")), _text(inputs.get("engineVersion"))
    if machine and not _CLASS.fullmatch(machine):
        yield Refusal("instanceClass", f"Invalid DB Instance class: {machine}; expected for example db.m7g.large")
    if fresh and inputs.get("engine") not in ("postgres", UNKNOWN):
        yield Refusal("engine", f"expected postgres, got {inputs.get('engine')!r}")
    if version and not re.fullmatch(r"1[1-8](\.\d{1,2})?", version):
        yield Refusal("engineVersion", f"Cannot find version {version} for postgres; expected for example 17 or 17.6")
    if inputs.get("multiAz") is True and inputs.get("availabilityZone") is not None:
        reason = "Requesting a specific availability zone is not valid for Multi-AZ instances."
        yield Refusal("availabilityZone", reason)
    certificate = _text(inputs.get("caCertIdentifier"))
    if certificate and certificate not in _CERTIFICATES:
        yield Refusal("caCertIdentifier", f"expected one of {', '.join(_CERTIFICATES)}, got {certificate!r}")
    support = _text(inputs.get("engineLifecycleSupport"))
    if support and support not in _LIFECYCLES:
        yield Refusal("engineLifecycleSupport", f"expected one of {', '.join(_LIFECYCLES)}, got {support!r}")
    yield from _range("port", inputs.get("port"), 1150, 65535)


def _size(inputs: dict[str, Any], *, fresh: bool) -> Iterator[Refusal]:
    """RDS User Guide, "Amazon RDS DB instance storage", "Managing capacity automatically"."""
    size, most = _number(inputs.get("allocatedStorage")), _number(inputs.get("maxAllocatedStorage"))
    kind = _text(inputs.get("storageType")) or ("io1" if inputs.get("iops") else "gp2")
    if kind not in _STORAGES:
        yield Refusal("storageType", f"Invalid storage type: {kind}; expected one of {', '.join(_STORAGES)}")
        return
    least = {"io1": 100, "io2": 100, "standard": 5}.get(kind, 20)
    if size is not None and not least <= size <= (3072 if kind == "standard" else 65536):
        reason = f"Invalid storage size for engine name postgres and storage type {kind}: {size:g}"
        yield Refusal("allocatedStorage", f"{reason}; expected {least} to 65536 GiB")
    if fresh and inputs.get("allocatedStorage") is None and inputs.get("snapshotIdentifier") is None:
        yield Refusal("allocatedStorage", "The parameter AllocatedStorage must be provided and must not be blank.")
    if most and size and most <= size:
        reason = f"expected 0 (off) or more than allocatedStorage, {size:g} GiB, for example {size * 2:g}"
        yield Refusal("maxAllocatedStorage", f"{reason}, got {most:g}")
    yield from _range("maxAllocatedStorage", most or None, 20, 65536)


def _performance(inputs: dict[str, Any]) -> Iterator[Refusal]:
    kind, size = _text(inputs.get("storageType")), _number(inputs.get("allocatedStorage"))
    iops, throughput = _number(inputs.get("iops")), _number(inputs.get("storageThroughput"))
    if kind in ("io1", "io2"):
        if inputs.get("iops") is None:
            yield Refusal("iops", f"expected a number: you must specify iops with storage type {kind}")
        yield from _range("iops", iops, 1000, 256000)
        ratio = 50 if kind == "io1" else 1000
        if iops and size and not 0.5 * size <= iops <= ratio * size:
            yield Refusal("iops", f"The IOPS to GiB ratio must be between 0.5 and {ratio}, got {iops / size:g}")
    elif kind == "gp3" and size is not None and size < _STRIPED:
        if iops or throughput:
            reason = "You can't specify IOPS or storage throughput for engine postgres and a storage size less than"
            yield Refusal("iops" if iops else "storageThroughput", f"{reason} {_STRIPED}.")
    elif kind == "gp3":
        yield from _range("iops", iops, 12000, 64000)
        yield from _range("storageThroughput", throughput, 500, 4000)
        if iops and throughput and throughput > iops / 4:
            reason = f"The storage throughput to IOPS ratio must be at most 0.25, got {throughput / iops:g}"
            yield Refusal("storageThroughput", reason)
    elif iops and kind:
        yield Refusal("iops", f"storage type {kind} takes no iops: expected gp3, io1 or io2")


def _login(inputs: dict[str, Any], *, fresh: bool) -> Iterator[Refusal]:
    """CreateDBInstance, MasterUsername, MasterUserPassword and ManageMasterUserPassword."""
    name, password = _text(inputs.get("username")), inputs.get("password")
    if name.lower() in _RESERVED or name.startswith("pg_"):
        reason = f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        yield Refusal("username", f"{reason}; expected for example adk_owner")
    elif name and not re.fullmatch(r"[A-Za-z]\w{0,62}", name, re.ASCII):
        yield Refusal("username", f"expected 1 to 63 letters, digits and underscores, a letter first, got {name!r}")
    managed = inputs.get("manageMasterUserPassword") is True
    if managed and (password is not None or inputs.get("passwordWo") is not None):
        yield Refusal("password", "conflicts with manageMasterUserPassword: RDS keeps the password itself")
    if fresh and not managed and password is None and inputs.get("passwordWo") is None:
        if inputs.get("snapshotIdentifier") is None:
            yield Refusal("password", "The parameter MasterUserPassword must be provided and must not be blank.")
        return
    if isinstance(password, str) and not 8 <= len(password) <= 128:  # noqa: PLR2004  # The documented limits.
        reason = "The parameter MasterUserPassword is not a valid password: expected 8 to 128 characters"
        yield Refusal("password", reason)
    elif isinstance(password, str) and not re.fullmatch(r"[!#-.0-?A-~]+", password):
        reason = "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        yield Refusal("password", f"The parameter MasterUserPassword is not a valid password. {reason}")


def _monitoring(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """RDS User Guide, "Enhanced Monitoring", "Performance Insights", "Database Insights"."""
    interval = _number(inputs.get("monitoringInterval"))
    if interval is not None and interval not in _MONITORING:
        expected = ", ".join(map(str, _MONITORING))
        yield Refusal("monitoringInterval", f"expected one of {expected} seconds, got {interval:g}")
    if interval and inputs.get("monitoringRoleArn") is None:
        reason = "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        yield Refusal("monitoringRoleArn", reason)
    kept = _number(inputs.get("performanceInsightsRetentionPeriod"))
    insights = inputs.get("performanceInsightsEnabled")
    if kept is not None and kept not in {7, 731, *(31 * months for months in range(1, 24))}:
        yield Refusal("performanceInsightsRetentionPeriod", f"expected 7, 731 or a multiple of 31 days, got {kept:g}")
    if kept is not None and insights is not True and insights is not UNKNOWN:
        yield Refusal("performanceInsightsRetentionPeriod", "expected performanceInsightsEnabled: true with it")
    if inputs.get("databaseInsightsMode") == "advanced" and (insights is not True or (kept or 7) < 465):  # noqa: PLR2004
        reason = "the mode advanced requires Performance Insights with a retention of at least 465 days"
        yield Refusal("databaseInsightsMode", reason)
    for index, log in enumerate(inputs.get("enabledCloudwatchLogsExports") or []):
        if isinstance(log, str) and log not in _LOGS:
            yield Refusal(f"enabledCloudwatchLogsExports[{index}]", f"expected one of {', '.join(_LOGS)}, got {log!r}")
    key = _text(inputs.get("kmsKeyId"))
    if key and not key.startswith("arn:"):
        yield Refusal("kmsKeyId", f"({key}) is an invalid ARN: expected arn:aws:kms:<region>:<account>:key/<id>")
    if inputs.get("kmsKeyId") and inputs.get("storageEncrypted") is not True:
        yield Refusal("storageEncrypted", "expected true: a KMS key encrypts nothing otherwise")


def _restore(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """RestoreDBInstanceToPointInTime, and CreateDBInstanceReadReplica."""
    restore = inputs.get("restoreToPointInTime")
    if isinstance(restore, dict):
        time, latest = restore.get("restoreTime"), restore.get("useLatestRestorableTime")
        if (time is None) == (latest is not True):
            yield Refusal("restoreToPointInTime", "expected exactly one of restoreTime and useLatestRestorableTime")
        sources = [restore.get(key) for key in _SOURCES]
        if len([source for source in sources if source is not None]) != 1:
            yield Refusal("restoreToPointInTime", "expected exactly one source")
        if isinstance(time, str) and _moment(time) is None:
            reason = f"expected UTC such as 2026-09-01T03:00:00Z, got {time!r}"
            yield Refusal("restoreToPointInTime.restoreTime", reason)
    if restore is not None and inputs.get("dbName") is not None:
        yield Refusal("dbName", "DBName must be null for Restoring for this Engine.")
    if inputs.get("replicateSourceDb") is not None:
        for key in ("dbName", "username", "password"):
            if inputs.get(key) is not None:
                yield Refusal(key, "a read replica takes it from its source: expected none")


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _range(path: str, value: Tree, least: int, most: int) -> Iterator[Refusal]:
    found = _number(value)
    if found is not None and not least <= found <= most:
        yield Refusal(path, f"expected {least} to {most}, got {found:g}")


def _number(value: Tree) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Tree) -> str:
    return value if isinstance(value, str) else ""
