"""The inputs of a Cloud SQL instance, from the settings."""

from collections.abc import Mapping
from typing import Any, Final

from pulumi_gcp import sql

from infra.backends.gcp.network import GcpNetwork
from infra.preflight.gcp.machines import Machine, machine
from infra.settings.gcp import GcpSettings
from infra.settings.managed import Maintenance

FLAGS: Final[Mapping[str, str]] = {
    "idle_in_transaction_session_timeout": "300000",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "statement_timeout": "60000",
}
"""Milliseconds and switches that `parameters` may set otherwise (Cloud SQL, "Configure database flags")."""

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CA_MODES: Final = {"shared": "GOOGLE_MANAGED_CAS_CA", "instance": "GOOGLE_MANAGED_INTERNAL_CA"}

_RENEWED: Final = "AUTOMATIC_ROTATION_DURING_MAINTENANCE"
"""Months before it expires; of the shared CA alone."""

_PLANS_PER_MINUTE: Final = 5
_QUERY_BYTES: Final = 1024


def machine_of(settings: GcpSettings) -> Machine:
    """The settings' machine, which preflight has seen to be one; read-only."""
    known = machine(settings.tier)
    if known is None:
        raise ValueError(settings.tier)
    return known


def primary(settings: GcpSettings, network: GcpNetwork, *, protected: bool) -> sql.DatabaseInstanceSettingsArgs:
    """The settings of a generation's primary.

    Args:
        settings: The `gcp` section.
        network: Where it is.
        protected: Whether Cloud SQL itself refuses to delete it.
    """
    return sql.DatabaseInstanceSettingsArgs(
        **_common(settings, network),
        availability_type="REGIONAL" if settings.high_availability else "ZONAL",
        backup_configuration=_backups(settings),
        deletion_protection_enabled=protected,
        deny_maintenance_period=_deny(settings),
        final_backup_config=sql.DatabaseInstanceSettingsFinalBackupConfigArgs(
            enabled=settings.backup.final, retention_days=settings.backup.final_days if settings.backup.final else None
        ),
        maintenance_window=_window(settings.maintenance),
        password_validation_policy=_password_policy() if settings.password_policy else None,
        retain_backups_on_delete=True,
    )


def replica(settings: GcpSettings, network: GcpNetwork, *, protected: bool) -> sql.DatabaseInstanceSettingsArgs:
    """The settings of a read replica: the primary's without backups and a standby, which Cloud SQL gives no replica.

    The edition is said here too: an omitted one is ENTERPRISE_PLUS from PostgreSQL 16 on, for replicas as well
    (cloud-foundation-fabric#2946).

    Args:
        settings: The `gcp` section.
        network: Where it is.
        protected: Whether Cloud SQL itself refuses to delete it, which it inherits from no primary.
    """
    return sql.DatabaseInstanceSettingsArgs(
        **_common(settings, network), availability_type="ZONAL", deletion_protection_enabled=protected
    )


def flags(settings: GcpSettings) -> dict[str, str]:
    """The database flags: defaults, then the stack file's, then what a promise of this project rests on; read-only."""
    own = {"max_connections": str(machine_of(settings).max_connections), "timezone": "UTC"}
    if settings.auth == "iam":
        own["cloudsql.iam_authentication"] = "on"
    return dict(sorted({**FLAGS, **settings.parameters, **own}.items()))


def _common(settings: GcpSettings, network: GcpNetwork) -> dict[str, Any]:
    return {
        "tier": settings.tier,
        "edition": settings.edition,
        "disk_type": "HYPERDISK_BALANCED" if machine_of(settings).hyperdisk else "PD_SSD",
        "disk_size": settings.storage.size_gib,
        "disk_autoresize": True,
        "disk_autoresize_limit": settings.storage.max_gib,
        "database_flags": [
            sql.DatabaseInstanceSettingsDatabaseFlagArgs(name=name, value=value)
            for name, value in flags(settings).items()
        ],
        "insights_config": _insights() if settings.query_insights else None,
        "ip_configuration": _addresses(settings, network),
        "user_labels": settings.labels or None,
    }


def _addresses(settings: GcpSettings, network: GcpNetwork) -> sql.DatabaseInstanceSettingsIpConfigurationArgs:
    private = settings.network.mode == "private"
    return sql.DatabaseInstanceSettingsIpConfigurationArgs(
        ipv4_enabled=settings.network.mode == "public",
        private_network=network.network if private else None,
        allocated_ip_range=network.allocated_range if private else None,
        authorized_networks=[
            sql.DatabaseInstanceSettingsIpConfigurationAuthorizedNetworkArgs(name=f"clients-{place}", value=cidr)
            for place, cidr in enumerate(settings.network.allowed_cidrs, start=1)
        ]
        or None,
        psc_configs=[_psc(settings)] if settings.network.mode == "psc" else None,
        ssl_mode="ENCRYPTED_ONLY",
        server_ca_mode=_CA_MODES[settings.network.server_ca],
        # By default nobody renews the certificate that `verify-full` checks (Cloud SQL Admin API, IpConfiguration).
        server_certificate_rotation_mode=_RENEWED if settings.network.server_ca == "shared" else None,
    )


def _psc(settings: GcpSettings) -> sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgs:
    """Endpoints are the consumers' to make, but for one network, in which Cloud SQL makes it and its DNS name."""
    return sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgs(
        psc_enabled=True,
        allowed_consumer_projects=list(settings.network.consumer_projects),
        psc_auto_dns_enabled=True if settings.network.id else None,
        psc_auto_connections=[_endpoint(settings)] if settings.network.id else None,
    )


def _endpoint(settings: GcpSettings) -> sql.DatabaseInstanceSettingsIpConfigurationPscConfigPscAutoConnectionArgs:
    """The endpoint in a network; only one that is shared by another project has a service project."""
    shared = settings.network.id.split("/")[1] != settings.project
    return sql.DatabaseInstanceSettingsIpConfigurationPscConfigPscAutoConnectionArgs(
        consumer_network=settings.network.id, consumer_service_project_id=settings.project if shared else None
    )


def _backups(settings: GcpSettings) -> sql.DatabaseInstanceSettingsBackupConfigurationArgs:
    backup = settings.backup
    return sql.DatabaseInstanceSettingsBackupConfigurationArgs(
        enabled=True,
        start_time=backup.window,
        location=backup.copy_region or None,
        point_in_time_recovery_enabled=backup.pitr_days > 0,
        transaction_log_retention_days=backup.pitr_days or None,
        backup_retention_settings=sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
            retained_backups=backup.retention_days, retention_unit="COUNT"
        ),
    )


def _insights() -> sql.DatabaseInstanceSettingsInsightsConfigArgs:
    return sql.DatabaseInstanceSettingsInsightsConfigArgs(
        query_insights_enabled=True,
        query_plans_per_minute=_PLANS_PER_MINUTE,
        query_string_length=_QUERY_BYTES,
        record_application_tags=True,
        record_client_address=False,
    )


def _window(maintenance: Maintenance) -> sql.DatabaseInstanceSettingsMaintenanceWindowArgs:
    return sql.DatabaseInstanceSettingsMaintenanceWindowArgs(
        day=_DAYS.index(maintenance.day) + 1, hour=maintenance.hour, update_track="stable"
    )


def _deny(settings: GcpSettings) -> sql.DatabaseInstanceSettingsDenyMaintenancePeriodArgs | None:
    deny = settings.deny_maintenance
    if deny is None:
        return None
    return sql.DatabaseInstanceSettingsDenyMaintenancePeriodArgs(
        start_date=deny.start, end_date=deny.end, time="00:00:00"
    )


def _password_policy() -> sql.DatabaseInstanceSettingsPasswordValidationPolicyArgs:
    """No rule of complexity: it asks for punctuation, and generated passwords are letters and digits alone."""
    return sql.DatabaseInstanceSettingsPasswordValidationPolicyArgs(
        enable_password_policy=True, min_length=20, disallow_username_substring=True
    )
