"""Rules about who hears of trouble."""

from collections.abc import Sequence
from typing import Final

from infra.policy.rule import UNKNOWN, Resource, Rule, same
from infra.policy.servers import SERVERS

_ACTIONS: Final = {
    "gcp:monitoring/alertPolicy:AlertPolicy": "notificationChannels",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarmActions",
    "azure-native:monitor:MetricAlert": "actions",
}
"""The types of alarms, and where each says whom it tells."""

_GROUP: Final = "azure-native:monitor:ActionGroup"
_TOPIC: Final = "aws:sns/topic:Topic"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"


def _watched(resources: Sequence[Resource]) -> bool:
    """Alarms for every server would need names that are known; that there are any is what settings can change."""
    servers = [each for each in resources if each.type in SERVERS]
    return not servers or any(each.type in _ACTIONS for each in resources)


def _told(alarm: Resource) -> bool:
    actions = alarm.at(_ACTIONS[alarm.type])
    return actions is UNKNOWN or bool(actions)


def _received(group: Resource) -> bool:
    receivers = [group.at(key) for key in group.inputs if key.endswith("Receivers")]
    return any(each is UNKNOWN or bool(each) for each in receivers)


def _subscribed(resources: Sequence[Resource]) -> bool:
    """A topic of one's own that nobody listens to is a message to nobody, unless it only counts messages."""
    made = any(each.type == _TOPIC and each.at("tags.purpose") != "counter" for each in resources)
    return not made or any(each.type == _SUBSCRIPTION for each in resources)


RULES: Final = (
    Rule(
        name="alerts",
        expected="alarms on the server",
        severity="high",
        controls=("AWS Security Hub RDS.20", "MCSB LT-1", "Google Cloud WAF: observability"),
        fixes=same("alerts.enabled", "{alerts: {enabled: true, emails: [oncall@example.com]}}"),
        stack=_watched,
    ),
    Rule(
        name="alert-recipients",
        expected="somebody whom alarms tell",
        severity="high",
        controls=("AWS Security Hub CloudWatch.15", "MCSB LT-1"),
        fixes=same("alerts.emails", "{alerts: {emails: [oncall@example.com]}}"),
        each=dict.fromkeys(_ACTIONS, _told) | {_GROUP: _received},
        stack=_subscribed,
    ),
)
