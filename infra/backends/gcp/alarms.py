"""What somebody is told of: thresholds on Cloud SQL's metrics (Cloud Monitoring, "Google Cloud metrics")."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from infra.backends.gcp.instance import machine_of
from infra.settings.gcp import GcpSettings

_GIB: Final = 2**30

SECONDS: Final = 300
"""Seconds that a metric is averaged over, and then has to stay beyond its threshold."""


@dataclass(frozen=True)
class Threshold:
    """An alarm on a metric.

    Attributes:
        key: A short name, in names of resources.
        title: What has happened, for a person.
        advice: What to do about it.
        metric: The metric under `cloudsql.googleapis.com/database/`.
        limit: The value beyond which it is one.
        below: Whether it is one under the limit instead.
        summed: Whether the metric has several series for one server, which belong together.
        replicas: Whether it is about the read replicas.
    """

    key: str
    title: str
    advice: str
    metric: str
    limit: float
    below: bool = False
    summed: bool = False
    replicas: bool = False


def thresholds(settings: GcpSettings) -> Iterator[Threshold]:
    """The alarms that these settings give reason for; read-only."""
    alerts, machine = settings.alerts, machine_of(settings)
    yield Threshold(
        "cpu",
        f"CPU above {alerts.cpu_percent} %",
        "Look at Query Insights for the queries; a bigger tier restarts the server.",
        "cpu/utilization",
        alerts.cpu_percent / 100,
    )
    yield Threshold(
        "memory",
        f"memory above {alerts.memory_percent} %",
        "Fewer connections or a bigger tier; beyond 100 % PostgreSQL is killed and starts again.",
        "memory/utilization",
        alerts.memory_percent / 100,
    )
    # Not `disk/utilization`, which is of the disk's size of the day: that grows along, up to the limit.
    yield Threshold(
        "storage",
        f"storage above {alerts.storage_percent} % of {settings.storage.max_gib} GiB, up to which it grows",
        "Purge old sessions, or raise storage.max_gib: at the limit the server stops.",
        "disk/bytes_used",
        settings.storage.max_gib * _GIB * alerts.storage_percent / 100,
    )
    yield Threshold(
        "connections",
        f"connections above {alerts.connections_percent} % of {machine.max_connections}",
        "Each API server process opens up to 15; fewer processes, or a tier with more memory.",
        "postgresql/num_backends",
        machine.max_connections * alerts.connections_percent / 100,
        summed=True,
    )
    yield Threshold("down", "the server is not up", "Look at the operations of the instance.", "up", 1, below=True)
    if settings.high_availability:
        yield Threshold(
            "standby",
            "no standby that could take over",
            "Look at the operations of the instance; a failover would fail now.",
            "available_for_failover",
            1,
            below=True,
        )
    if settings.read_replicas or settings.replica_region:
        yield Threshold(
            "replica-lag",
            f"a read replica is more than {alerts.replication_lag_seconds} s behind",
            "Long queries on the replica and bursts of writes hold it up.",
            "replication/replica_lag",
            alerts.replication_lag_seconds,
            replicas=True,
        )


@dataclass(frozen=True)
class LogMatch:
    """An alarm on an entry of the audit log (Cloud SQL, "Cloud SQL audit logging").

    Attributes:
        key: A short name, in names of resources.
        title: What has happened, for a person.
        advice: What to do about it.
        query: The entry, in the logging query language.
    """

    key: str
    title: str
    advice: str
    query: str


BACKUP_METHOD: Final = 'protoPayload.methodName="cloudsql.instances.automatedBackup"'

LOG_MATCHES: Final = (
    LogMatch(
        "failover",
        "a failover",
        "Clients reconnect by themselves; look for errors of theirs, and at why the primary went.",
        'protoPayload.methodName=("cloudsql.instances.autoFailover" OR "cloudsql.instances.failover")',
    ),
    # Cloud SQL, "View audit logs for automated backups".
    LogMatch(
        "backup-failed",
        "an automated backup failed",
        "Take one by hand: gcloud sql backups create --instance=<name>",
        f"{BACKUP_METHOD} AND "
        'protoPayload.metadata.windowStatus=("STATUS_FAILED" OR "STATUS_ATTEMPT_FAILED" OR "STATUS_SKIPPED")',
    ),
)

BACKUP_MADE: Final = f'{BACKUP_METHOD} AND protoPayload.metadata.windowStatus="STATUS_SUCCEEDED"'
