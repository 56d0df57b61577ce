"""The server's parameters, in a group of its own for each major version."""

from typing import Final

import pulumi
import pulumi_aws as aws

from infra.settings.aws import AwsSettings

OURS: Final = {
    # ADK compares its timestamps, which carry no zone, as UTC.
    "timezone": "UTC",
    # The default from 15 on; stated, since a restored or adopted server may come with another group.
    "rds.force_ssl": "1",
    "password_encryption": "scram-sha-256",
    "log_connections": "1",
    "log_disconnections": "1",
    # A client that was killed inside a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "300000",
    # Far above any statement of ADK's; a dump or a promotion sets its own.
    "statement_timeout": "600000",
}
"""max_connections is not among them: RDS computes it from the memory, and a number would outlive the machine."""

_INSIGHTS: Final = {"log_min_duration_statement": "1000", "track_io_timing": "1"}

STATIC: Final = frozenset(
    {
        "autovacuum_freeze_max_age",
        "autovacuum_max_workers",
        "autovacuum_multixact_freeze_max_age",
        "huge_pages",
        "max_connections",
        "max_locks_per_transaction",
        "max_logical_replication_workers",
        "max_pred_locks_per_transaction",
        "max_prepared_transactions",
        "max_replication_slots",
        "max_wal_senders",
        "max_worker_processes",
        "rds.logical_replication",
        "reserved_connections",
        "shared_buffers",
        "shared_preload_libraries",
        "superuser_reserved_connections",
        "track_activity_query_size",
        "wal_buffers",
    }
)
"""Parameters that wait for a restart; RDS refuses them with `immediate` (ModifyDBParameterGroup, "ApplyMethod")."""


def parameter_group(
    name: str, settings: AwsSettings, version: int, opts: pulumi.ResourceOptions
) -> aws.rds.ParameterGroup:
    """Register the group of one major version.

    It has no name of its own: a change of the major version needs another family, hence another group, which is made
    under another generated name before the server moves to it and the old one goes (pulumi, "Autonaming").

    Args:
        name: The group's name in the stack.
        settings: The section.
        version: The PostgreSQL major version.
        opts: The usual resource options.
    """
    chosen = {**OURS, **(_INSIGHTS if settings.query_insights else {}), **settings.parameters}
    return aws.rds.ParameterGroup(
        name,
        family=f"postgres{version}",
        description="Parameters of the session database",
        parameters=[
            aws.rds.ParameterGroupParameterArgs(
                name=key, value=value, apply_method="pending-reboot" if key in STATIC else "immediate"
            )
            for key, value in sorted(chosen.items())
        ],
        opts=opts,
    )
