"""Alarms and events of one region, and whom they are told."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from infra.backends.aws.alarms import Alarm, alarms
from infra.settings.aws import AwsSettings

EVENTS: Final = (
    "availability",
    "deletion",
    "failover",
    "failure",
    "low storage",
    "maintenance",
    "notification",
    "read replica",
    "recovery",
)
"""Categories that somebody is told (Amazon RDS User Guide, "Amazon RDS event categories and event messages").

Not `backup`: two mails a day that all is well. Those events are counted instead.
"""

_SECONDS: Final = 300

_PUBLISHERS: Final = ("cloudwatch.amazonaws.com", "events.rds.amazonaws.com")


@dataclass(frozen=True)
class Watched:
    """An instance that is watched.

    Attributes:
        name: Its name in the stack.
        instance: The instance.
        replica: Whether it is a read replica.
    """

    name: str
    instance: aws.rds.Instance
    replica: bool


@dataclass(frozen=True)
class _Told:
    """A topic that is told, given or made."""

    arn: pulumi.Input[str]
    name: pulumi.Input[str] = ""
    after: tuple[pulumi.Resource, ...] = ()


class Monitoring(pulumi.ComponentResource):
    """The alarms and events of the instances of one region; alarms reach topics of their own region alone.

    Args:
        name: The component's name in the stack.
        settings: The section.
        region: The region.
        watched: Its instances.
        opts: The usual resource options, with the region's provider.

    Attributes:
        topics: The ARNs of the topics that are told.
        alarms: The alarms.
    """

    def __init__(
        self,
        name: str,
        settings: AwsSettings,
        region: str,
        watched: Sequence[Watched],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:aws:Monitoring", name, None, opts)
        self._name, self._settings = name, settings
        self._child = pulumi.ResourceOptions(parent=self)
        channels = channels_of(settings, region)
        own = [self._topic(name, purpose="alarms")] if settings.alerts.emails or not channels else []
        self._told = [*own, *(_Told(channel) for channel in channels)]
        self.topics = [each.arn for each in self._told]
        self.subscriptions = [each for topic in own for each in self._subscriptions(topic)]
        self.events = self._events(watched)
        self.alarms = [self._alarm(each, alarm) for each in watched for alarm in alarms(settings, replica=each.replica)]
        self.backups = [self._backups(each) for each in watched if not each.replica and settings.backup.retention_days]
        self.register_outputs({})

    def _topic(self, name: str, *, purpose: str) -> _Told:
        """A topic that CloudWatch and RDS of this account may publish to.

        It is not encrypted: with AWS's own key CloudWatch could not publish, and no message holds session data.
        """
        topic = aws.sns.Topic(name, tags={"purpose": purpose}, opts=self._child)
        policy = aws.sns.TopicPolicy(name, arn=topic.arn, policy=topic.arn.apply(_publishers), opts=self._child)
        return _Told(topic.arn, topic.name, (policy,))

    def _subscriptions(self, topic: _Told) -> list[aws.sns.TopicSubscription]:
        return [
            aws.sns.TopicSubscription(
                f"{self._name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=self._child
            )
            for email in self._settings.alerts.emails
        ]

    def _events(self, watched: Sequence[Watched]) -> list[aws.rds.EventSubscription]:
        return [
            self._subscribed(
                self._name if number == 0 else f"{self._name}-{number}",
                topic,
                [each.instance.identifier for each in watched],
                EVENTS,
            )
            for number, topic in enumerate(self._told)
        ]

    def _subscribed(
        self,
        name: str,
        topic: _Told,
        sources: Sequence[pulumi.Input[str]],
        categories: Sequence[str],
    ) -> aws.rds.EventSubscription:
        """After the right to publish: RDS tries it at once (Amazon RDS API, "CreateEventSubscription", errors)."""
        return aws.rds.EventSubscription(
            name,
            sns_topic=topic.arn,
            source_type="db-instance",
            source_ids=list(sources),
            event_categories=list(categories),
            opts=pulumi.ResourceOptions(parent=self, depends_on=topic.after),
        )

    def _alarm(self, watched: Watched, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        above = alarm.worse == "above"
        limit = f"{'more' if above else 'less'} than {alarm.threshold:.0f}"
        return aws.cloudwatch.MetricAlarm(
            f"{watched.name}-{alarm.key}",
            alarm_description=f"{watched.name}: {limit} {alarm.meaning}",
            **(_counter(watched, alarm) if alarm.counter else _metric(watched, alarm)),
            evaluation_periods=alarm.periods,
            comparison_operator=f"{'GreaterThan' if above else 'LessThan'}Threshold",
            threshold=alarm.threshold,
            treat_missing_data=alarm.missing,
            alarm_actions=self.topics,
            ok_actions=self.topics,
            opts=self._child,
        )

    def _backups(self, watched: Watched) -> aws.cloudwatch.MetricAlarm:
        """Alarm when no backup was begun or finished for so many hours.

        RDS has no metric of a backup's age and sends no event for a backup that never was. It does send one for each
        that begins and ends: a topic without subscribers counts them, and hour after hour without any is the alarm. A
        new server is in alarm until its first backup; one whose backups begin and never end is not seen here, but among
        the events of category `failure`.
        """
        name, hours = f"{watched.name}-backup", self._settings.alerts.backup_age_hours
        counter = self._topic(name, purpose="counter")
        self._subscribed(name, counter, [watched.instance.identifier], ["backup"])
        return aws.cloudwatch.MetricAlarm(
            name,
            alarm_description=f"{watched.name}: no backup for {hours} hours",
            namespace="AWS/SNS",
            metric_name="NumberOfMessagesPublished",
            dimensions={"TopicName": counter.name},
            statistic="Sum",
            period=3600,
            evaluation_periods=hours,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="breaching",
            alarm_actions=self.topics,
            ok_actions=self.topics,
            opts=self._child,
        )


def channels_of(settings: AwsSettings, region: str) -> list[str]:
    """The existing topics of a region, by their ARNs; read-only."""
    return [arn for arn in settings.alerts.channels if arn.split(":")[3] == region]


def _metric(watched: Watched, alarm: Alarm) -> dict[str, Any]:
    return {
        "namespace": "AWS/RDS",
        "metric_name": alarm.metric,
        "dimensions": {"DBInstanceIdentifier": watched.instance.identifier},
        "statistic": "Average",
        "period": _SECONDS,
    }


def _counter(watched: Watched, alarm: Alarm) -> dict[str, Any]:
    """By the resource id (CloudWatch, "Create an alarm on Performance Insights counter metrics")."""
    asked = pulumi.Output.concat("DB_PERF_INSIGHTS('RDS', '", watched.instance.resource_id, f"', '{alarm.metric}')")
    query = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="counter", expression=asked, label=alarm.metric, period=_SECONDS, return_data=True
    )
    return {"metric_queries": [query]}


def _publishers(topic: str) -> str:
    account = topic.split(":")[4]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(_PUBLISHERS)},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
