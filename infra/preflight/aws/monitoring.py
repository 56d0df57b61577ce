"""Logs, insights, topics and tags."""

import re
from collections.abc import Iterator
from typing import Final

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_LOG_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365)
"""What CloudWatch takes up to a year (Amazon CloudWatch Logs API, "PutRetentionPolicy")."""

_INSIGHTS_DAYS: Final = (7, *range(31, 31 * 24, 31), 731)
"""A week, whole months of 31 days, or two years (Amazon RDS API, "CreateDBInstance")."""

_ADVANCED_DAYS: Final = 465
"""What the advanced mode wants (Amazon RDS User Guide, "Turning on the Advanced mode of Database Insights")."""

_TOPIC: Final = re.compile(r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}\Z")

_TAG: Final = re.compile(r"^(?!aws:)[\w .:/=+@-]{1,128}\Z", re.IGNORECASE)
_TAG_VALUE: Final = re.compile(r"^[\w .:/=+@-]{0,256}\Z")
_MOST_TAGS: Final = 48
"""Fifty, less the one that the program sets and the name of a network's part (AWS, "Tag your AWS resources")."""


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with logs, insights, topics and tags; read-only."""
    if settings.log_retention_days not in _LOG_DAYS:
        days = next(each for each in _LOG_DAYS if each > settings.log_retention_days)
        listed = ", ".join(map(str, _LOG_DAYS))
        yield Refusal("aws.log_retention_days", f"one of {listed} days", f"{{log_retention_days: {days}}}")
    yield from _insights(settings)
    yield from _topics(settings)
    yield from _tags(settings)


def _insights(settings: AwsSettings) -> Iterator[Refusal]:
    kept = settings.insights_retention_days
    if kept not in _INSIGHTS_DAYS:
        days = next(each for each in _INSIGHTS_DAYS if each > kept)
        yield Refusal(
            "aws.insights_retention_days",
            "7 days, a multiple of 31 up to 713, or 731",
            f"{{insights_retention_days: {days}}}",
        )
    elif settings.insights_mode == "advanced" and (not settings.query_insights or kept < _ADVANCED_DAYS):
        yield Refusal(
            "aws.insights_mode",
            f"standard, or query_insights with {_ADVANCED_DAYS} days of retention or more",
            f"{{insights_mode: advanced, query_insights: true, insights_retention_days: {_ADVANCED_DAYS}}}",
        )


def _topics(settings: AwsSettings) -> Iterator[Refusal]:
    fix = f"{{alerts: {{channels: ['arn:aws:sns:{settings.region}:123456789012:oncall']}}}}"
    regions = {settings.region, settings.replica_region}
    for topic in settings.alerts.channels:
        if not _TOPIC.match(topic):
            yield Refusal("aws.alerts.channels", "the ARNs of SNS topics; RDS takes no FIFO ones", fix)
        elif topic.split(":")[3] not in regions:
            yield Refusal("aws.alerts.channels", f"topics in {settings.region}: an alarm reaches no other region", fix)


def _tags(settings: AwsSettings) -> Iterator[Refusal]:
    fix = "{labels: {team: agents}}"
    if len(settings.labels) > _MOST_TAGS:
        yield Refusal("aws.labels", f"at most {_MOST_TAGS} tags", fix)
    if not all(_TAG.match(key) and _TAG_VALUE.match(value) for key, value in settings.labels.items()):
        yield Refusal(
            "aws.labels",
            "tags of letters, digits, spaces and . : / = + - @ _, keys up to 128 and not `aws:…`, values up to 256",
            fix,
        )
