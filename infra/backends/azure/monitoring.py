"""Alerts: what is looked at on which server, and who is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
from pulumi_azure_native import dbforpostgresql, monitor

from infra.backends.azure.server import AzureServer
from infra.backends.azure.site import Site
from infra.preflight.azure.machines import MACHINES
from infra.settings.azure import AzureSettings

GIB: Final = 1024**3

_SHORT_NAME: Final = 12
"""The longest name that an action group signs its messages with."""


@dataclass(frozen=True)
class Alarm:
    """One metric and its limit.

    Attributes:
        name: What it is about.
        metric: The metric's id (Microsoft, "Monitor metrics in Azure Database for PostgreSQL").
        limit: The limit.
        operator: How the metric is when something is wrong.
        aggregation: What of each window is compared.
        window: The window, ISO 8601.
        every: How often it is looked at.
        severity: 0 is critical, 4 verbose.
        why: What it means, for whoever is woken by it.
    """

    name: str
    metric: str
    limit: float
    why: str
    operator: Literal["GreaterThan", "LessThan", "LessThanOrEqual"] = "GreaterThan"
    aggregation: Literal["Average", "Maximum"] = "Average"
    window: str = "PT15M"
    every: str = "PT5M"
    severity: int = 2


def on_primary(settings: AzureSettings) -> Iterator[Alarm]:
    """What is looked at on every generation; read-only.

    There is no metric of a backup's age: Azure keeps that to itself, and suspends snapshots where nothing is written
    (Microsoft, "Backup and restore"). What can be seen is that a server has no backup at all.
    """
    alerts = settings.alerts
    connections = MACHINES[settings.sku].connections * alerts.connections_percent // 100
    most = settings.storage.max_gib * GIB * alerts.storage_percent // 100
    yield Alarm("cpu", "cpu_percent", alerts.cpu_percent, "the processors are busy")
    yield Alarm("memory", "memory_percent", alerts.memory_percent, "memory runs out")
    yield Alarm(
        "storage",
        "storage_percent",
        alerts.storage_percent,
        "storage is nearly full: at 95 percent writes end",
        severity=1,
    )
    yield Alarm("growth", "storage_used", most, "storage.max_gib is nearly reached, and Azure does not stop there")
    yield Alarm(
        "connections", "active_connections", connections, "clients will soon be turned away", aggregation="Maximum"
    )
    yield Alarm(
        "availability",
        "is_db_alive",
        1,
        "the server is down, or just failing over",
        operator="LessThan",
        aggregation="Maximum",
        window="PT5M",
        every="PT1M",
        severity=0,
    )
    yield Alarm(
        "backup",
        "backup_storage_used",
        0,
        "there has been no backup for a day",
        operator="LessThanOrEqual",
        aggregation="Maximum",
        window="P1D",
        every="PT1H",
        severity=1,
    )


def on_replica(settings: AzureSettings) -> Iterator[Alarm]:
    """What is looked at on every read replica; read-only."""
    yield Alarm(
        "lag",
        "physical_replication_delay_in_seconds",
        settings.alerts.replication_lag_seconds,
        "the replica is behind, and the primary keeps its log for it",
        aggregation="Maximum",
    )


class AzureMonitoring(pulumi.ComponentResource):
    """An action group, and alerts on the servers.

    Args:
        name: The component's name in the stack.
        site: What the servers of the stack share.
        servers: The generations by id.
        opts: The usual resource options.
    """

    def __init__(
        self,
        name: str,
        site: Site,
        servers: Mapping[str, AzureServer],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component; with alerts switched off nothing else."""
        super().__init__("sessiondb:azure:Monitoring", name, None, opts)
        self._site = site
        self._tags = site.place.tags or None
        if site.settings.alerts.enabled:
            self._told = self._groups(name)
            for id_, server in servers.items():
                self._watch(f"{site.settings.server_prefix}-{id_}", server)
        self.register_outputs({})

    def _groups(self, name: str) -> list[pulumi.Input[str]]:
        alerts = self._site.settings.alerts
        groups: list[pulumi.Input[str]] = list(alerts.channels)
        if alerts.emails:
            made = monitor.ActionGroup(
                name,
                resource_group_name=self._site.place.group,
                location="Global",
                enabled=True,
                group_short_name=self._site.settings.server_prefix[:_SHORT_NAME],
                email_receivers=[
                    monitor.MicrosoftCommonEmailReceiverArgs(
                        name=email, email_address=email, use_common_alert_schema=True
                    )
                    for email in alerts.emails
                ],
                tags=self._tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            groups.append(made.id)
        return groups

    def _watch(self, name: str, server: AzureServer) -> None:
        settings = self._site.settings
        for alarm in on_primary(settings):
            self._alert(f"{name}-{alarm.name}", alarm, server.server)
        self._health(f"{name}-health", server.server)
        for replica_name, replica in server.replicas.items():
            for alarm in on_replica(settings):
                self._alert(f"{replica_name}-{alarm.name}", alarm, replica)

    def _alert(self, name: str, alarm: Alarm, server: dbforpostgresql.Server) -> None:
        # The class: a dict in a union of types goes out with the wrong names.
        criteria = monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
            odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            all_of=[
                monitor.MetricCriteriaArgs(
                    criterion_type="StaticThresholdCriterion",
                    name=alarm.name,
                    metric_namespace="Microsoft.DBforPostgreSQL/flexibleServers",
                    metric_name=alarm.metric,
                    operator=alarm.operator,
                    threshold=alarm.limit,
                    time_aggregation=alarm.aggregation,
                )
            ],
        )
        monitor.MetricAlert(
            name,
            resource_group_name=self._site.place.group,
            location="global",
            description=alarm.why,
            enabled=True,
            scopes=[server.id],
            severity=alarm.severity,
            window_size=alarm.window,
            evaluation_frequency=alarm.every,
            criteria=criteria,
            actions=[monitor.MetricAlertActionArgs(action_group_id=group) for group in self._told],
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _health(self, name: str, server: dbforpostgresql.Server) -> None:
        """What Azure itself says of a server (Microsoft, "High availability health status monitoring")."""
        monitor.ActivityLogAlert(
            name,
            resource_group_name=self._site.place.group,
            location="global",
            description="a failover, a lost standby, or an encryption key that is out of reach",
            enabled=True,
            scopes=[server.id],
            condition=monitor.AlertRuleAllOfConditionArgs(
                all_of=[monitor.AlertRuleAnyOfOrLeafConditionArgs(field="category", equals="ResourceHealth")]
            ),
            actions=monitor.ActionListArgs(
                action_groups=[monitor.ActionGroupArgs(action_group_id=group) for group in self._told]
            ),
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
