"""Who is told what: notification channels, alert policies, and the metric that counts backups."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_gcp import logging, monitoring

from infra.backends.gcp import alarms
from infra.backends.gcp.dashboard import dashboard
from infra.backends.gcp.server import GcpServer
from infra.settings.gcp import GcpSettings

_LOOK_BACK: Final = 24
"""Hours that a query of an alert may look back; what is older is waited for (Cloud Monitoring, "Alerting limits")."""


class GcpMonitoring(pulumi.ComponentResource):
    """A dashboard, and alarms where anybody wants them. One policy for each alarm serves all generations.

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section.
        servers: The generations by id.
        after: What must be there before.
        opts: The usual resource options.
    """

    def __init__(
        self,
        name: str,
        settings: GcpSettings,
        servers: Mapping[str, GcpServer],
        *,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and what watches."""
        super().__init__("sessiondb:gcp:Monitoring", name, None, opts)
        self._name, self._settings, self._servers = name, settings, servers
        self._opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        self._primaries = self._one_of([server.instance.name for server in servers.values()])
        self._replicas = self._one_of([each.name for server in servers.values() for each in server.replicas])
        monitoring.Dashboard(name, dashboard_json=dashboard(name, settings, self._primaries), opts=self._opts)
        if settings.alerts.enabled:
            self.channels = self._channels()
            self._alarms()
        self.register_outputs({})

    def _one_of(self, names: Sequence[pulumi.Input[str]]) -> pulumi.Output[str]:
        """The instances as a filter's value, in a stable order (Cloud Monitoring, "Monitoring filters")."""
        ids = pulumi.Output.all(*names).apply(
            lambda known: sorted(f'"{self._settings.project}:{one}"' for one in known)
        )
        return ids.apply(lambda known: f"one_of({','.join(known)})")

    def _channels(self) -> list[pulumi.Input[str]]:
        alerts = self._settings.alerts
        made = [
            monitoring.NotificationChannel(
                f"{self._name}-{email}",
                type="email",
                display_name=f"{self._name}: {email}",
                labels={"email_address": email},
                user_labels=self._settings.labels or None,
                opts=self._opts,
            )
            for email in alerts.emails
        ]
        return [*(channel.id for channel in made), *alerts.channels]

    def _alarms(self) -> None:
        for threshold in alarms.thresholds(self._settings):
            self._policy(threshold.key, threshold.title, threshold.advice, self._threshold(threshold))
        for match in alarms.LOG_MATCHES:
            self._policy(match.key, match.title, match.advice, self._match(match), seldom=True)
        days = self._settings.alerts.backup_age_hours
        self._policy(
            "backup-missing",
            f"no backup for {days} hours",
            "Look at the instance's backups: gcloud sql backups list --instance=<name>",
            self._missing_backup(),
        )

    def _policy(
        self,
        key: str,
        title: str,
        advice: str,
        condition: monitoring.AlertPolicyConditionArgs,
        *,
        seldom: bool = False,
    ) -> None:
        """Register a policy; one on log entries has to say how often it tells, at most."""
        limit = monitoring.AlertPolicyAlertStrategyNotificationRateLimitArgs(period="3600s")
        strategy = monitoring.AlertPolicyAlertStrategyArgs(
            auto_close="86400s", notification_rate_limit=limit if seldom else None
        )
        monitoring.AlertPolicy(
            f"{self._name}-{key}",
            display_name=f"{self._name}: {title}",
            combiner="OR",
            conditions=[condition],
            alert_strategy=strategy,
            documentation=monitoring.AlertPolicyDocumentationArgs(content=advice, mime_type="text/markdown"),
            notification_channels=self.channels,
            user_labels=self._settings.labels or None,
            opts=self._opts,
        )

    def _threshold(self, alarm: alarms.Threshold) -> monitoring.AlertPolicyConditionArgs:
        ids = self._replicas if alarm.replicas else self._primaries
        return monitoring.AlertPolicyConditionArgs(
            display_name=alarm.title,
            condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
                filter=pulumi.Output.concat(
                    f'resource.type = "cloudsql_database" AND metric.type = '
                    f'"cloudsql.googleapis.com/database/{alarm.metric}" AND resource.labels.database_id = ',
                    ids,
                ),
                comparison="COMPARISON_LT" if alarm.below else "COMPARISON_GT",
                threshold_value=alarm.limit,
                duration=f"{alarms.SECONDS}s",
                aggregations=[
                    monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                        alignment_period=f"{alarms.SECONDS}s",
                        per_series_aligner="ALIGN_MEAN",
                        cross_series_reducer="REDUCE_SUM" if alarm.summed else None,
                        group_by_fields=["resource.labels.database_id"] if alarm.summed else None,
                    )
                ],
            ),
        )

    def _match(self, match: alarms.LogMatch) -> monitoring.AlertPolicyConditionArgs:
        return monitoring.AlertPolicyConditionArgs(
            display_name=match.title,
            condition_matched_log=monitoring.AlertPolicyConditionConditionMatchedLogArgs(
                filter=self._of_primaries(match.query)
            ),
        )

    def _of_primaries(self, query: str) -> pulumi.Output[str]:
        """A query of the logs of these servers; unlike a monitoring filter it joins its values with OR."""
        ids = self._primaries.apply(lambda known: known.removeprefix("one_of").replace(",", " OR "))
        return pulumi.Output.concat(
            'resource.type="cloudsql_database" AND resource.labels.database_id=', ids, f" AND {query}"
        )

    def _missing_backup(self) -> monitoring.AlertPolicyConditionArgs:
        """No backup of the active server counted for long enough, or none counted at all.

        A query may look back a day; then it has to stay true for the rest. It is not checked against existing metrics:
        a new metric of logs takes up to ten minutes to be known, and the policy would fail (pulumi-gcp, `AlertPolicy`).
        """
        metric = logging.Metric(
            f"{self._name}-backups",
            filter=self._of_primaries(alarms.BACKUP_MADE),
            description="Automated backups that succeeded.",
            opts=self._opts,
        )
        active = self._servers[self._settings.active].instance.name
        query = pulumi.Output.all(metric.name, active).apply(lambda known: self._backups_query(*known))
        rest = (self._settings.alerts.backup_age_hours - _LOOK_BACK) * 3600
        return monitoring.AlertPolicyConditionArgs(
            display_name="no backup",
            condition_prometheus_query_language=monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
                query=query, duration=f"{rest}s", evaluation_interval="600s", disable_metric_validation=True
            ),
        )

    def _backups_query(self, metric: str, instance: str) -> str:
        """PromQL; letters, digits and _ are all that a metric's name keeps (Cloud Monitoring, "PromQL for metrics")."""
        series = f"logging_googleapis_com:user_{re.sub(r'[^A-Za-z0-9_]', '_', metric)}"
        labels = f'{{monitored_resource="cloudsql_database",database_id="{self._settings.project}:{instance}"}}'
        return f"(sum(increase({series}{labels}[{_LOOK_BACK}h])) or vector(0)) < 1"
