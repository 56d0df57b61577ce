"""Projects' services and accounts, monitoring and logging."""

import json
import re
from collections.abc import Iterator
from typing import Any

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.naming import Autoname
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.gcp import api
from rehearsal.vendors.gcp.base import NAME, Google, text, within


class Service(Google):
    """An API, switched on."""

    token = "gcp:projects/service:Service"  # noqa: S105
    replaces = words("service project")
    form = "{project}/{service}"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Service Usage, "Service names"."""
        del call
        service = text(inputs.get("service"))
        if service and not re.fullmatch(r"[a-z][a-z0-9.-]+\.googleapis\.com", service):
            yield Refusal("service", f"expected for example sqladmin.googleapis.com, got {service!r}")


class ServiceIdentity(Google):
    """The account that a service of Google works as."""

    token = "gcp:projects/serviceIdentity:ServiceIdentity"  # noqa: S105
    replaces = words("service project")
    form = "projects/{project}/services/{service}"
    answers = says(
        email="service-{digits}@gcp-sa-{short}.iam.gserviceaccount.com",
        member="serviceAccount:service-{digits}@gcp-sa-{short}.iam.gserviceaccount.com",
    )


class Account(Google):
    """A service account."""

    token = "gcp:serviceaccount/account:Account"  # noqa: S105
    autoname = Autoname(field="accountId", longest=30)
    replaces = words("accountId project")
    form = "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com"
    answers = says(
        email="{accountId}@{project}.iam.gserviceaccount.com",
        member="serviceAccount:{accountId}@{project}.iam.gserviceaccount.com",
        name="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        uniqueId="{digits}",
    )

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """IAM, "Create service accounts"."""
        del call
        name = text(inputs.get("accountId"))
        if name and not re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", name):
            yield Refusal("accountId", f"expected 6 to 30 lower-case letters, digits and hyphens, got {name!r}")


class AlertPolicy(Google):
    """An alarm."""

    token = "gcp:monitoring/alertPolicy:AlertPolicy"  # noqa: S105
    replaces = words("project")
    model = "monitoring.v3/AlertPolicy"
    elsewhere = frozenset({"deletionPolicy"})
    form = "projects/{project}/alertPolicies/{digits}"
    answers = says(name="projects/{project}/alertPolicies/{digits}", creationRecords=[])
    fills = says(enabled=True)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Cloud Monitoring, "AlertPolicy"."""
        del call
        for index, condition in enumerate(inputs.get("conditions") or []):
            kinds = [key for key in condition if key.startswith("condition") and condition[key] is not None]
            if len(kinds) != 1:
                yield Refusal(f"conditions[{index}]", f"expected exactly one kind of condition, got {sorted(kinds)}")
            if "conditionMatchedLog" in kinds and not (inputs.get("alertStrategy") or {}).get("notificationRateLimit"):
                yield Refusal("alertStrategy.notificationRateLimit", "a condition on logs requires a rate limit")
            for key in kinds:
                yield from _duration(f"conditions[{index}].{key}.duration", condition[key])


def _duration(path: str, condition: Any) -> Iterator[Refusal]:
    duration = text(condition.get("duration")) if isinstance(condition, dict) else ""
    if duration and not re.fullmatch(r"\d+(\.\d+)?s", duration):
        yield Refusal(path, f"expected seconds such as 300s, got {duration!r}")
    elif duration and float(duration[:-1]) % 60:
        yield Refusal(path, f"expected a multiple of a minute, for example 300s, got {duration!r}")


class NotificationChannel(Google):
    """Where alarms go."""

    token = "gcp:monitoring/notificationChannel:NotificationChannel"  # noqa: S105
    secrets = frozenset({"sensitiveLabels"})
    replaces = words("project")
    model = "monitoring.v3/NotificationChannel"
    elsewhere = frozenset({"deletionPolicy", "forceDelete", "sensitiveLabels"})
    form = "projects/{project}/notificationChannels/{digits}"
    answers = says(name="projects/{project}/notificationChannels/{digits}", verificationStatus="")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Cloud Monitoring, "Notification channel descriptors"."""
        del call
        labels = inputs.get("labels") or {}
        address = text(labels.get("email_address")) if isinstance(labels, dict) else ""
        if inputs.get("type") == "email" and "email_address" not in labels:
            yield Refusal("labels.email_address", "expected an address: a channel of type email requires it")
        elif address and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
            yield Refusal("labels.email_address", f"expected an address, for example ops@example.com, got {address!r}")


class Dashboard(Google):
    """A dashboard, written as JSON."""

    token = "gcp:monitoring/dashboard:Dashboard"  # noqa: S105
    replaces = words("project")
    form = "projects/{digits}/dashboards/{uuid}"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """The JSON, held to the API's model."""
        del call
        written = text(inputs.get("dashboardJson"))
        try:
            board = json.loads(written or "{}")
        except ValueError as error:
            yield Refusal("dashboardJson", f"expected JSON: {error}")
            return
        for refusal in api.refusals("monitoring.v1/Dashboard", board, {}):
            yield Refusal(f"dashboardJson: {refusal.path}", refusal.reason)


class LogBucket(Google):
    """How long a project's logs are kept."""

    token = "gcp:logging/projectBucketConfig:ProjectBucketConfig"  # noqa: S105
    replaces = words("bucketId location project")
    model = "logging.v2/LogBucket"
    elsewhere = frozenset({"bucketId", "location", "enableAnalytics"})
    renames = says(enableAnalytics="analyticsEnabled")
    form = "projects/{project}/locations/{location}/buckets/{bucketId}"
    answers = says(name=form, lifecycleState="ACTIVE")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Cloud Logging, "Configure log buckets"."""
        del call
        yield from within("retentionDays", inputs.get("retentionDays"), 1, 3650, "days")


class LogSink(Google):
    """Where some of a project's logs go."""

    token = "gcp:logging/projectSink:ProjectSink"  # noqa: S105
    autoname = NAME
    replaces = words("name project")
    form = "projects/{project}/sinks/{name}"
    answers = says(writerIdentity="serviceAccount:service-{digits}@gcp-sa-logging.iam.gserviceaccount.com")


class LogMetric(Google):
    """A metric that counts lines of logs."""

    token = "gcp:logging/metric:Metric"  # noqa: S105
    autoname = NAME
    replaces = words("name project")
    model = "logging.v2/LogMetric"
    elsewhere = frozenset({"deletionPolicy"})
    form = "{name}"

    def imported(self, call: Call, identity: str) -> Inputs:
        """The name."""
        del call
        return {"name": identity}
