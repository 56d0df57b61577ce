"""CloudWatch, SNS and Backup."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.errors import CloudRefusalError
from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.naming import Autoname
from rehearsal.plugin.plane import Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.aws.base import NAME, Amazon
from rehearsal.vendors.aws.secrets import document
from rehearsal.vendors.declared import says, words

_RETENTIONS: Final = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
)  # fmt: skip
"""PutRetentionPolicy, retentionInDays."""


class LogGroup(Amazon):
    """Where logs are kept."""

    token = "aws:cloudwatch/logGroup:LogGroup"  # noqa: S105
    autoname = NAME
    replaces = words("logGroupClass name namePrefix")
    operation = "logs:CreateLogGroup"
    renames = says(name="logGroupName", kmsKeyId="kmsKeyId", logGroupClass="logGroupClass")
    elsewhere = words("namePrefix retentionInDays skipDestroy deletionProtectionEnabled")
    form = "{name}"
    fills = says(skipDestroy=False)
    answers = says(arn="arn:aws:logs:{region}:{account}:log-group:{name}", logGroupClass="STANDARD", retentionInDays=0)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """PutRetentionPolicy."""
        del call
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days not in _RETENTIONS:
            yield Refusal("retentionInDays", f"expected one of {', '.join(map(str, _RETENTIONS))}, got {days}")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """CreateLogGroup: one that a service has made for itself is in the way."""
        if behind.thing(this.identity) is not None:
            message = "The specified log group already exists"
            raise CloudRefusalError(code="ResourceAlreadyExistsException", message=message)
        return super().begin(behind, this, half=half)


class MetricAlarm(Amazon):
    """An alarm."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"  # noqa: S105
    autoname = Autoname()
    replaces = words("name")
    operation = "cloudwatch:PutMetricAlarm"
    renames = says(
        name="AlarmName",
        evaluateLowSampleCountPercentiles="EvaluateLowSampleCountPercentile",
        okActions="OKActions",
        metricQueries="Metrics",
    )
    # Dimensions and queries are written otherwise in the call.
    elsewhere = words("dimensions metricQueries")
    form = "{name}"
    fills = says(actionsEnabled=True, treatMissingData="missing")
    answers = says(arn="arn:aws:cloudwatch:{region}:{account}:alarm:{name}")
    # The SDK's own enum lists operators as the API does.
    opened = words("comparisonOperator")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """PutMetricAlarm."""
        del call
        missing = inputs.get("treatMissingData")
        if isinstance(missing, str) and missing not in ("missing", "ignore", "breaching", "notBreaching"):
            yield Refusal("treatMissingData", f"expected missing, ignore, breaching or notBreaching, got {missing!r}")
        period = inputs.get("period")
        if isinstance(period, int) and period not in (10, 20, 30) and (period <= 0 or period % 60):
            yield Refusal("period", f"expected 10, 20, 30 or a multiple of 60 seconds, got {period}")
        if inputs.get("metricName") is not None and not (inputs.get("statistic") or inputs.get("extendedStatistic")):
            yield Refusal("statistic", "expected statistic or extendedStatistic: a metric needs one")
        points, periods = inputs.get("datapointsToAlarm"), inputs.get("evaluationPeriods")
        if isinstance(points, int) and isinstance(periods, int) and points > periods:
            yield Refusal("datapointsToAlarm", f"expected at most evaluationPeriods, {periods}, got {points}")


class Dashboard(Amazon):
    """A dashboard, written as JSON."""

    token = "aws:cloudwatch/dashboard:Dashboard"  # noqa: S105
    replaces = words("dashboardName")
    operation = "cloudwatch:PutDashboard"
    form = "{dashboardName}"
    answers = says(dashboardArn="arn:aws:cloudwatch::{account}:dashboard/{dashboardName}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CloudWatch, "Dashboard body structure and syntax"."""
        del call
        name, body = inputs.get("dashboardName"), inputs.get("dashboardBody")
        if isinstance(name, str) and not re.fullmatch(r"[\w-]{1,255}", name, re.ASCII):
            yield Refusal("dashboardName", f"expected up to 255 letters, digits, - and _, got {name!r}")
        if not isinstance(body, str):
            return
        try:
            widgets = json.loads(body).get("widgets")
        except (ValueError, AttributeError) as error:
            yield Refusal("dashboardBody", f"expected a JSON object: {error}")
            return
        for index, widget in enumerate(widgets or []):
            yield from _widget(f"dashboardBody: widgets[{index}]", widget)


def _widget(here: str, widget: dict[str, Any]) -> Iterator[Refusal]:
    if widget.get("type") not in ("metric", "text", "log", "alarm", "explorer", "custom"):
        yield Refusal(
            f"{here}.type", f"expected metric, text, log, alarm, explorer or custom, got {widget.get('type')!r}"
        )
    across = widget.get("x", 0) + widget.get("width", 6)
    if across > 24:  # noqa: PLR2004  # The width of a dashboard.
        yield Refusal(f"{here}.width", f"expected x and width of at most 24 together, got {across}")
    if widget.get("type") == "metric" and "region" not in widget.get("properties", {}):
        yield Refusal(f"{here}.properties.region", "expected a region: a metric widget requires it")


class Topic(Amazon):
    """Where notifications are sent."""

    token = "aws:sns/topic:Topic"  # noqa: S105
    autoname = Autoname(unless="namePrefix", longest=80)
    replaces = words("fifoTopic name namePrefix")
    form = "arn:aws:sns:{region}:{account}:{name}"
    answers = says(arn=form, owner="{account}", policy="")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateTopic, Name."""
        del call
        name = inputs.get("name")
        if isinstance(name, str) and not re.fullmatch(r"[\w-]{1,256}(\.fifo)?", name, re.ASCII):
            yield Refusal("name", f"expected up to 256 letters, digits, - and _, got {name!r}")
        yield from document("policy", inputs.get("policy"))


class TopicPolicy(Amazon):
    """Who may send."""

    token = "aws:sns/topicPolicy:TopicPolicy"  # noqa: S105
    replaces = words("arn")
    form = "{arn}"
    answers = says(owner="{account}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """SetTopicAttributes, Policy."""
        del call
        yield from document("policy", inputs.get("policy"))


class TopicSubscription(Amazon):
    """Who is told."""

    token = "aws:sns/topicSubscription:TopicSubscription"  # noqa: S105
    replaces = words("endpoint protocol topic")
    operation = "sns:Subscribe"
    renames = says(topic="TopicArn")
    elsewhere = words(
        """
        confirmationTimeoutInMinutes deliveryPolicy endpointAutoConfirms filterPolicy filterPolicyScope
        rawMessageDelivery redrivePolicy replayPolicy subscriptionRoleArn
        """
    )
    form = "{topic}:{uuid}"
    answers = says(arn=form, ownerId="{account}", pendingConfirmation=True, confirmationWasAuthenticated=False)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Subscribe, Protocol."""
        del call
        protocol, endpoint = inputs.get("protocol"), inputs.get("endpoint")
        protocols = words("http https email email-json sms sqs application lambda firehose")
        if isinstance(protocol, str) and protocol not in protocols:
            yield Refusal("protocol", f"expected one of {', '.join(sorted(protocols))}, got {protocol!r}")
        if protocol == "email" and isinstance(endpoint, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
            yield Refusal("endpoint", f"expected an address, for example ops@example.com, got {endpoint!r}")


class Vault(Amazon):
    """Where AWS Backup keeps copies."""

    token = "aws:backup/vault:Vault"  # noqa: S105
    autoname = Autoname(longest=50)
    replaces = words("kmsKeyArn name")
    form = "{name}"
    answers = says(arn="arn:aws:backup:{region}:{account}:backup-vault:{name}", recoveryPoints=0)


class Plan(Amazon):
    """When AWS Backup copies."""

    token = "aws:backup/plan:Plan"  # noqa: S105
    autoname = Autoname(longest=50)
    replaces = words("name")
    form = "{uuid}"
    answers = says(arn="arn:aws:backup:{region}:{account}:backup-plan:{uuid}", version="{hex}")


class Selection(Amazon):
    """What AWS Backup copies."""

    token = "aws:backup/selection:Selection"  # noqa: S105
    autoname = Autoname(longest=50)
    replaces = words("iamRoleArn planId conditions name notResources resources selectionTags")
    form = "{uuid}"
