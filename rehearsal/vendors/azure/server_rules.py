"""What Azure Database for PostgreSQL refuses beyond its model: machines, storage, high availability, restores.

Written from Microsoft's documentation alone, so that it can judge the project's own preflight.
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Tree, at

_PREFIXES: Final = {"Burstable": "B", "GeneralPurpose": "D", "MemoryOptimized": "E"}
"""The first letter of a tier's machines ("Compute options in Azure Database for PostgreSQL")."""

_SIZES: Final = (32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767)
"""GiB of Premium SSD ("Storage options in Azure Database for PostgreSQL")."""

_LEAST_TIER: Final = {
    32: "P4",
    64: "P6",
    128: "P10",
    256: "P15",
    512: "P20",
    1024: "P30",
    2048: "P40",
    4095: "P50",
    4096: "P50",
    8192: "P60",
    16384: "P70",
    32767: "P80",
}
_TIERS: Final = ("P4", "P6", "P10", "P15", "P20", "P30", "P40", "P50", "P60", "P70", "P80")

_RESERVED: Final = frozenset(
    [
        "azure_superuser",
        "azure_pg_admin",
        "admin",
        "administrator",
        "root",
        "guest",
        "public",
        "azuresu",
        "replication",
        "user",
    ]
)
"""Names of administrators ("Create an Azure Database for PostgreSQL flexible server", Administrator login)."""

_DERIVED: Final = ("PointInTimeRestore", "GeoRestore", "Replica", "ReviveDropped")


def server(inputs: dict[str, Any], *, fresh: bool = True) -> Iterator[Refusal]:
    """What is wrong with a server.

    Args:
        inputs: Without marks of secrecy.
        fresh: Whether it is to be made, so that what is missing is missing.
    """
    name = inputs.get("serverName")
    if isinstance(name, str) and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])", name):
        expected = "3 to 63 lowercase letters, digits and hyphens, no hyphen first or last"
        yield Refusal("serverName", f"expected {expected}, got {name!r}")
    derived = inputs.get("createMode") in _DERIVED
    yield from _machine(inputs, derived=derived, fresh=fresh)
    yield from _storage(inputs.get("storage"), derived=derived, fresh=fresh)
    yield from _login(inputs, derived=derived, fresh=fresh)
    yield from _backup(inputs)
    yield from _zones(inputs)
    yield from _network(inputs)
    yield from _source(inputs, derived=derived)
    yield from _upkeep(inputs)


def _machine(inputs: dict[str, Any], *, derived: bool, fresh: bool) -> Iterator[Refusal]:
    sku = inputs.get("sku")
    if sku is None and fresh and not derived:
        yield Refusal("sku", "expected a machine, for example Standard_D2ds_v5 of the tier GeneralPurpose")
    if not isinstance(sku, dict):
        return
    name, tier = sku.get("name"), sku.get("tier")
    found = re.fullmatch(r"Standard_([A-Z])\d+\w*", name) if isinstance(name, str) else None
    if isinstance(name, str) and not found:
        yield Refusal("sku.name", f"expected a machine such as Standard_D2ds_v5, got {name!r}")
    elif found and isinstance(tier, str) and _PREFIXES.get(tier) != found[1]:
        letter = _PREFIXES.get(tier, "?")
        yield Refusal("sku.tier", f"{name} is no machine of the tier {tier}, whose machines are Standard_{letter}…")
    mode = at(inputs, "highAvailability.mode")
    if tier == "Burstable" and mode in ("ZoneRedundant", "SameZone"):
        reason = "High availability is not supported for the Burstable pricing tier: expected GeneralPurpose or "
        yield Refusal("highAvailability.mode", f"{reason}MemoryOptimized")
    if tier == "Burstable" and inputs.get("createMode") == "Replica":
        yield Refusal("createMode", "Read replicas are not supported for the Burstable pricing tier")


def _storage(storage: Tree, *, derived: bool, fresh: bool) -> Iterator[Refusal]:
    if storage is None and fresh and not derived:
        yield Refusal("storage", "expected storage with a size, for example storageSizeGB: 128")
    if not isinstance(storage, dict):
        return
    size, kind, tier = storage.get("storageSizeGB"), storage.get("type") or "Premium_LRS", storage.get("tier")
    if kind == "Premium_LRS":
        if isinstance(size, int) and size not in _SIZES:
            yield Refusal("storage.storageSizeGB", f"expected one of {', '.join(map(str, _SIZES))}, got {size}")
        elif isinstance(size, int) and tier in _TIERS and _TIERS.index(tier) < _TIERS.index(_LEAST_TIER[size]):
            yield Refusal("storage.tier", f"expected at least {_LEAST_TIER[size]} for {size} GiB, got {tier}")
        if storage.get("throughput") is not None:
            yield Refusal("storage.throughput", "expected none: it is for PremiumV2_LRS and UltraSSD_LRS")
    else:
        yield from _provisioned(storage, kind)


def _provisioned(storage: dict[str, Any], kind: Tree) -> Iterator[Refusal]:
    """Storage whose performance is asked for ("Premium SSD v2")."""
    size = storage.get("storageSizeGB")
    if isinstance(size, int) and not 32 <= size <= 65536:  # noqa: PLR2004  # The documented limits.
        yield Refusal("storage.storageSizeGB", f"expected 32 to 65536, got {size}")
    for key in ("iops", "throughput"):
        if storage.get(key) is None:
            yield Refusal(f"storage.{key}", f"expected a number: {kind} requires it")
    if storage.get("autoGrow") == "Enabled":
        yield Refusal("storage.autoGrow", f"expected Disabled: {kind} does not grow by itself")


def _login(inputs: dict[str, Any], *, derived: bool, fresh: bool) -> Iterator[Refusal]:
    """Names and passwords ("Create an Azure Database for PostgreSQL flexible server")."""
    name, password = inputs.get("administratorLogin"), inputs.get("administratorLoginPassword")
    by_password = at(inputs, "authConfig.passwordAuth") != "Disabled"
    by_entra = at(inputs, "authConfig.activeDirectoryAuth") == "Enabled"
    if not by_password and not by_entra:
        yield Refusal("authConfig", "expected at least one of passwordAuth and activeDirectoryAuth to be Enabled")
    if fresh and not derived and by_password and (name is None or password is None):
        missing = "administratorLogin" if name is None else "administratorLoginPassword"
        yield Refusal(missing, "expected a value: password authentication is enabled")
    if isinstance(name, str) and (name.lower() in _RESERVED or name.startswith("pg_")):
        yield Refusal("administratorLogin", f"{name} is reserved: expected another name, for example adk_owner")
    elif isinstance(name, str) and not re.fullmatch(r"[A-Za-z_]\w{0,62}", name, re.ASCII):
        yield Refusal("administratorLogin", f"expected 1 to 63 letters, digits and underscores, got {name!r}")
    if isinstance(password, str):
        kinds = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
        enough = sum(re.search(kind, password) is not None for kind in kinds) >= 3  # noqa: PLR2004  # Three of four.
        if not 8 <= len(password) <= 128 or not enough:  # noqa: PLR2004  # The documented limits.
            reason = "expected 8 to 128 characters of three kinds: lower and upper case letters, digits, others"
            yield Refusal("administratorLoginPassword", reason)
    if by_entra and at(inputs, "authConfig.tenantId") in (None, ""):
        yield Refusal("authConfig.tenantId", "expected the tenant's id: Microsoft Entra authentication is enabled")


def _backup(inputs: dict[str, Any]) -> Iterator[Refusal]:
    days = at(inputs, "backup.backupRetentionDays")
    if isinstance(days, int) and not 7 <= days <= 35:  # noqa: PLR2004  # "Backup and restore", retention.
        yield Refusal("backup.backupRetentionDays", f"expected 7 to 35 days, got {days}")
    geo = at(inputs, "backup.geoRedundantBackup") == "Enabled"
    if geo and at(inputs, "storage.type") in ("PremiumV2_LRS", "UltraSSD_LRS"):
        yield Refusal("backup.geoRedundantBackup", "expected Disabled: Premium SSD v2 has no geo-redundant backup")
    encryption = inputs.get("dataEncryption")
    if isinstance(encryption, dict) and encryption.get("type") == "AzureKeyVault":
        needed = ["primaryKeyURI", "primaryUserAssignedIdentityId"]
        needed += ["geoBackupKeyURI", "geoBackupUserAssignedIdentityId"] if geo else []
        for key in needed:
            if encryption.get(key) is None:
                yield Refusal(f"dataEncryption.{key}", "expected a value: the type AzureKeyVault requires it")


def _zones(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """See "High availability", zone-redundant and same-zone."""
    here, there = inputs.get("availabilityZone"), at(inputs, "highAvailability.standbyAvailabilityZone")
    for path, zone in (("availabilityZone", here), ("highAvailability.standbyAvailabilityZone", there)):
        if isinstance(zone, str) and zone not in ("", "1", "2", "3"):
            yield Refusal(path, f"expected 1, 2 or 3, or none, got {zone!r}")
    mode = at(inputs, "highAvailability.mode")
    if mode == "ZoneRedundant" and here and here == there and here is not UNKNOWN:
        yield Refusal("highAvailability.standbyAvailabilityZone", f"expected another zone than {here}")
    if mode == "SameZone" and here and there and here != there and UNKNOWN not in (here, there):
        yield Refusal("highAvailability.standbyAvailabilityZone", f"expected the same zone, {here}")


def _network(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """See "Network with private access", and "Network with public access"."""
    ways = inputs.get("network")
    if not isinstance(ways, dict):
        return
    subnet, zone = ways.get("delegatedSubnetResourceId"), ways.get("privateDnsZoneArmResourceId")
    if (subnet is None) != (zone is None):
        missing = "privateDnsZoneArmResourceId" if zone is None else "delegatedSubnetResourceId"
        yield Refusal(f"network.{missing}", "expected a subnet and a private DNS zone together")
    if subnet is not None and ways.get("publicNetworkAccess") == "Enabled":
        yield Refusal("network.publicNetworkAccess", "expected Disabled: a server in a subnet has no public access")
    if isinstance(subnet, str) and not re.fullmatch(r"/subscriptions/.+/virtualNetworks/[^/]+/subnets/[^/]+", subnet):
        yield Refusal("network.delegatedSubnetResourceId", f"expected the id of a subnet, got {subnet!r}")
    if isinstance(zone, str):
        domain = zone.rpartition("/")[2]
        if not domain.endswith("postgres.database.azure.com"):
            reason = f"expected a zone that ends in postgres.database.azure.com, got {domain!r}"
            yield Refusal("network.privateDnsZoneArmResourceId", reason)
        elif domain == f"{inputs.get('serverName')}.postgres.database.azure.com":
            reason = f"the zone {domain} must not be named as the server itself"
            yield Refusal("network.privateDnsZoneArmResourceId", reason)


def _source(inputs: dict[str, Any], *, derived: bool) -> Iterator[Refusal]:
    """See "Restore to point in time", "Geo-restore", "Read replicas"."""
    source, time, mode = inputs.get("sourceServerResourceId"), inputs.get("pointInTimeUTC"), inputs.get("createMode")
    if derived and source is None:
        yield Refusal("sourceServerResourceId", f"expected the id of a server: createMode {mode} requires it")
    if mode in ("PointInTimeRestore", "GeoRestore", "ReviveDropped") and time is None:
        yield Refusal("pointInTimeUTC", f"expected a moment: createMode {mode} requires it")
    if isinstance(time, str) and not _is_moment(time):
        yield Refusal("pointInTimeUTC", f"expected UTC such as 2026-09-01T03:00:00Z, got {time!r}")
    if isinstance(source, str) and not re.fullmatch(
        r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DBforPostgreSQL/flexibleServers/[^/]+",
        source,
        re.IGNORECASE,
    ):
        yield Refusal("sourceServerResourceId", f"expected the id of a flexible server, got {source!r}")


def _upkeep(inputs: dict[str, Any]) -> Iterator[Refusal]:
    """See "Scheduled maintenance"."""
    for key, most in (("dayOfWeek", 6), ("startHour", 23), ("startMinute", 59)):
        value = at(inputs, f"maintenanceWindow.{key}")
        if isinstance(value, int) and not 0 <= value <= most:
            yield Refusal(f"maintenanceWindow.{key}", f"expected 0 to {most}, got {value}")
    custom = at(inputs, "maintenanceWindow.customWindow")
    if isinstance(custom, str) and custom not in ("Enabled", "Disabled"):
        yield Refusal("maintenanceWindow.customWindow", f"expected Enabled or Disabled, got {custom!r}")


def _is_moment(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
