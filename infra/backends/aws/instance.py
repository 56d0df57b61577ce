"""The inputs of an RDS instance as maps: what a generation and its replicas share, and what only a generation has."""

from typing import Any, Final

import pulumi
import pulumi_aws as aws

from infra.preflight.aws.storage import STRIPED_GIB, STRIPED_IOPS, STRIPED_THROUGHPUT
from infra.settings.aws import AwsSettings
from infra.settings.servers import Server

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

LOGS: Final = ("postgresql", "upgrade")
"""The logs that RDS for PostgreSQL exports to CloudWatch."""


def shared(settings: AwsSettings, monitoring_role: pulumi.Input[str] | None) -> dict[str, Any]:
    """What a generation and its replicas have in common; read-only.

    Args:
        settings: The section.
        monitoring_role: The ARN of the role of enhanced monitoring, or None without it.
    """
    return {
        "instance_class": settings.instance_class,
        "storage_type": "gp3",
        **volume(settings),
        "max_allocated_storage": settings.storage.max_gib or None,
        "auto_minor_version_upgrade": True,
        "apply_immediately": settings.apply_immediately,
        "maintenance_window": maintenance_window(settings),
        "ca_cert_identifier": settings.ca,
        "copy_tags_to_snapshot": True,
        "iam_database_authentication_enabled": settings.auth == "iam",
        "enabled_cloudwatch_logs_exports": list(LOGS),
        "monitoring_interval": settings.monitoring_interval,
        "monitoring_role_arn": monitoring_role,
        **_insights(settings),
    }


def primary(settings: AwsSettings, server: Server, password: pulumi.Input[str]) -> dict[str, Any]:
    """What only a generation has; read-only.

    Args:
        settings: The section.
        server: The generation.
        password: The owner's, not used where RDS keeps it.
    """
    upgrading = is_upgrading(settings, server)
    return {
        "engine": "postgres",
        # The major version alone: with a minor one every later `up` would try to undo RDS's own minor upgrades.
        "engine_version": str(settings.version_of(server)),
        "allow_major_version_upgrade": upgrading,
        # An upgrade that waited for the window would leave its new parameter group unused and the old one undeletable.
        "apply_immediately": settings.apply_immediately or upgrading,
        "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
        "allocated_storage": settings.storage.size_gib,
        "storage_encrypted": True,
        "kms_key_id": settings.encryption_key or None,
        "multi_az": settings.high_availability,
        "username": settings.owner_user,
        **_login(settings, password),
        **backups(settings),
        "deletion_protection": settings.protected(server),
    }


def backups(settings: AwsSettings) -> dict[str, Any]:
    """What is backed up by itself; read-only."""
    return {
        "backup_retention_period": settings.backup.retention_days,
        "backup_window": backup_window(settings),
        "delete_automated_backups": False,
    }


def is_upgrading(settings: AwsSettings, server: Server) -> bool:
    """Whether a generation may take a major upgrade in place; read-only.

    That is deliberate where the generation itself states a version above the section's. A changed `aws.version` alone
    upgrades nothing that is there: RDS refuses it, since nobody allowed it.
    """
    return settings.version_of(server) > settings.version


def keeps_password(settings: AwsSettings) -> bool:
    """Whether RDS itself makes and keeps the owner's password, so that none is in the state; read-only."""
    return settings.manage_master_password or settings.auth == "iam"


def volume(settings: AwsSettings) -> dict[str, int]:
    """IOPS and throughput, where RDS takes them; read-only.

    From 400 GiB on they are always stated: a volume that grows across that size would else be modified with the 3,000
    IOPS of the smaller one, which RDS refuses (hashicorp/terraform-provider-aws#28382).
    """
    if settings.storage.size_gib < STRIPED_GIB:
        return {}
    return {
        "iops": settings.storage.iops or STRIPED_IOPS,
        "storage_throughput": settings.storage.throughput or STRIPED_THROUGHPUT,
    }


def maintenance_window(settings: AwsSettings) -> str:
    """The weekly hour as RDS writes it, for example `sun:23:00-mon:00:00`; read-only."""
    start, hour = _DAYS.index(settings.maintenance.day), settings.maintenance.hour
    end = (start + 1) % len(_DAYS) if hour == 23 else start  # noqa: PLR2004  # The last hour of a day.
    return f"{_DAYS[start][:3]}:{hour:02}:00-{_DAYS[end][:3]}:{(hour + 1) % 24:02}:00"


def backup_window(settings: AwsSettings) -> str:
    """The daily hour as RDS writes it, for example `23:30-00:30`; read-only."""
    hour, minute = settings.backup.window.split(":")
    return f"{hour}:{minute}-{(int(hour) + 1) % 24:02}:{minute}"


def restored(
    server: Server, source: pulumi.Input[str], backups: str
) -> aws.rds.InstanceRestoreToPointInTimeArgs | None:
    """Where the data of a restored generation comes from, or None; read-only.

    Args:
        server: The generation.
        source: The identifier of the server it is restored from.
        backups: The ARN of that server's retained or copied backups instead; empty where it is there.
    """
    if server.restore is None:
        return None
    latest = server.restore.time == "latest"
    return aws.rds.InstanceRestoreToPointInTimeArgs(
        restore_time=None if latest else server.restore.time,
        use_latest_restorable_time=True if latest else None,
        source_db_instance_automated_backups_arn=backups or None,
        source_db_instance_identifier=None if backups else source,
    )


def _login(settings: AwsSettings, password: pulumi.Input[str]) -> dict[str, Any]:
    """Either the password or RDS's own; both at once RDS refuses (Amazon RDS API, "CreateDBInstance")."""
    if keeps_password(settings):
        return {
            "manage_master_user_password": True,
            "master_user_secret_kms_key_id": settings.encryption_key or None,
        }
    return {"password": password}


def _insights(settings: AwsSettings) -> dict[str, Any]:
    """Database Insights. `standard` is not stated: a restored server would report it back as a change."""
    if not settings.query_insights:
        return {"performance_insights_enabled": False}
    advanced = settings.insights_mode == "advanced"
    return {
        "performance_insights_enabled": True,
        "performance_insights_retention_period": settings.insights_retention_days,
        "database_insights_mode": "advanced" if advanced else None,
    }
