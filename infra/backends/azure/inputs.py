"""A server's inputs, out of the settings."""

from datetime import UTC, datetime
from typing import Any, Final

import pulumi
from pulumi_azure_native import dbforpostgresql

from infra.backends.azure.site import Site
from infra.preflight.azure.machines import MACHINES
from infra.settings.azure import AzureSettings
from infra.settings.servers import Server
from infra.settings.types import Day

MADE_ONCE: Final = ("administratorLogin", "createMode", "pointInTimeUTC", "sourceServerResourceId")
"""What matters when a server is made and replaces it when it is edited: never looked at again."""

MOVED_BY_AZURE: Final = (
    "availabilityZone",
    "highAvailability.standbyAvailabilityZone",
    "storage.storageSizeGB",
)
"""A failover swaps the zones and autogrow doubles the storage. Never all of `highAvailability`, whose mode is ours."""

ADOPTED: Final = (
    "administratorLoginPassword",
    "authConfig",
    "backup",
    "dataEncryption",
    "highAvailability",
    "identity",
    "maintenanceWindow",
    "network",
    "sku",
    "storage",
    "tags",
    "version",
)
"""What of an adopted server stays as it is: an import with other inputs than the server has fails."""

_DAYS: Final[tuple[Day, ...]] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def primary(
    site: Site, server: Server, group: pulumi.Input[str], source: pulumi.Input[str] | None
) -> dbforpostgresql.ServerArgs:
    """The inputs of a generation.

    Args:
        site: What the servers of the stack share.
        server: The generation.
        group: The name of its resource group.
        source: The id of the server that it is restored from, or None.
    """
    settings = site.settings
    args = _common(site, settings.sku, settings.region)
    pulumi.set(args, "resource_group_name", group)
    pulumi.set(args, "version", str(settings.version_of(server)))
    pulumi.set(args, "high_availability", dbforpostgresql.HighAvailabilityArgs(mode=standby(settings)))
    pulumi.set(args, "backup", _backup(settings))
    if site.passwords:
        pulumi.set(args, "administrator_login_password", pulumi.Output.secret(site.passwords.owner))
    if server.restore:
        pulumi.set(args, "create_mode", "PointInTimeRestore")
        pulumi.set(args, "source_server_resource_id", source)
        pulumi.set(args, "point_in_time_utc", _moment(server.restore.time))
    elif site.passwords:
        pulumi.set(args, "administrator_login", settings.owner_user)
    return args


def replica(site: Site, primary_id: pulumi.Input[str], *, far: bool) -> dbforpostgresql.ServerArgs:
    """The inputs of a read replica: no backup, no standby, no password and no version of its own.

    Args:
        site: What the servers of the stack share.
        primary_id: The id of its primary.
        far: Whether it is in the replica's region.
    """
    settings = site.settings
    region = settings.replica_region if far else settings.region
    args = _common(site, settings.replica_sku or settings.sku, region, far=far)
    pulumi.set(args, "create_mode", "Replica")
    pulumi.set(args, "source_server_resource_id", primary_id)
    return args


def standby(settings: AzureSettings) -> str:
    """The mode of high availability, in Azure's word; read-only."""
    return settings.high_availability_mode if settings.high_availability else "Disabled"


def window(settings: AzureSettings) -> dict[str, Any]:
    """The weekly maintenance window, in Azure's words; read-only."""
    maintenance = settings.maintenance
    day = _DAYS.index(maintenance.day)
    return {"customWindow": "Enabled", "dayOfWeek": day, "startHour": maintenance.hour, "startMinute": 0}


def _common(site: Site, sku: str, region: str, *, far: bool = False) -> dbforpostgresql.ServerArgs:
    settings = site.settings
    machine = MACHINES[sku]
    return dbforpostgresql.ServerArgs(
        resource_group_name=site.place.group,
        location=region,
        sku=dbforpostgresql.SkuArgs(name=machine.name, tier=machine.tier),
        storage=dbforpostgresql.StorageArgs(
            storage_size_gb=settings.storage.size_gib,
            auto_grow="Enabled" if settings.storage.autogrow else "Disabled",
            tier=settings.storage.tier or None,
        ),
        auth_config=_auth(site),
        network=site.network.inputs(far=far),
        data_encryption=site.identities.encryption(far=far),
        identity=site.identities.assigned(far=far),
        maintenance_window=_window(settings),
        tags=settings.labels or None,
    )


def _window(settings: AzureSettings) -> dbforpostgresql.MaintenanceWindowArgs:
    said = window(settings)
    return dbforpostgresql.MaintenanceWindowArgs(
        custom_window="Enabled", day_of_week=said["dayOfWeek"], start_hour=said["startHour"], start_minute=0
    )


def _auth(site: Site) -> dbforpostgresql.AuthConfigArgs:
    entra, passwords = ("Disabled", "Enabled") if site.passwords else ("Enabled", "Disabled")
    return dbforpostgresql.AuthConfigArgs(
        active_directory_auth=entra,
        password_auth=passwords,
        tenant_id=None if site.passwords else site.identities.tenant,
    )


def _backup(settings: AzureSettings) -> dbforpostgresql.BackupArgs:
    return dbforpostgresql.BackupArgs(
        backup_retention_days=settings.backup.retention_days,
        geo_redundant_backup="Enabled" if settings.backup.copy_region else "Disabled",
    )


def _moment(time: str) -> str:
    """Azure has no word for the newest moment: its own command line sends the time of the call, and so do we."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if time == "latest" else time
