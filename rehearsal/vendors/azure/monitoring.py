"""Logs, alarms and dashboards."""

import json
import re
from collections.abc import Iterator
from typing import Any

from rehearsal.plugin.behaviour import Call
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN
from rehearsal.vendors.azure.base import Azure, Scoped, named
from rehearsal.vendors.declared import says, words


class DiagnosticSetting(Scoped):
    """Where a resource's logs go."""

    token = "azure-native:monitor:DiagnosticSetting"  # noqa: S105
    part = "name"
    replaces = words("resourceUri name")
    kind = "Microsoft.Insights/diagnosticSettings"
    path = "Microsoft.Insights/diagnosticSettings/{name}"
    version = "2021-05-01-preview"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A target, and a category or a group of them."""
        del call
        targets = words("workspaceId storageAccountId eventHubAuthorizationRuleId marketplacePartnerId")
        if not any(inputs.get(each) is not None for each in targets):
            yield Refusal("workspaceId", f"expected at least one of {', '.join(sorted(targets))}")
        for index, log in enumerate(inputs.get("logs") or []):
            if isinstance(log, dict) and (log.get("category") is None) == (log.get("categoryGroup") is None):
                yield Refusal(f"logs[{index}]", "expected exactly one of category and categoryGroup")


class ActionGroup(Azure):
    """Who is told."""

    token = "azure-native:monitor:ActionGroup"  # noqa: S105
    autoname = named("actionGroupName", 260)
    replaces = words("resourceGroupName actionGroupName location")
    kind = "Microsoft.Insights/ActionGroups"
    path = "Microsoft.Insights/actionGroups/{actionGroupName}"
    version = "2024-10-01-preview"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Action groups", short name and e-mail."""
        del call
        short = inputs.get("groupShortName")
        if isinstance(short, str) and not 1 <= len(short) <= 12:  # noqa: PLR2004  # The documented limit.
            yield Refusal("groupShortName", f"expected 1 to 12 characters, got {short!r}")
        for index, each in enumerate(inputs.get("emailReceivers") or []):
            address = each.get("emailAddress") if isinstance(each, dict) else None
            if isinstance(address, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
                yield Refusal(f"emailReceivers[{index}].emailAddress", f"expected an address, got {address!r}")


class MetricAlert(Azure):
    """An alarm."""

    token = "azure-native:monitor:MetricAlert"  # noqa: S105
    autoname = named("ruleName", 260)
    replaces = words("resourceGroupName location ruleName")
    kind = "Microsoft.Insights/metricAlerts"
    path = "Microsoft.Insights/metricAlerts/{ruleName}"
    version = "2018-03-01"
    answers = says(isMigrated=False)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Metric alerts", evaluation frequency, window and severity."""
        del call
        allowed = {
            "evaluationFrequency": words("PT1M PT5M PT15M PT30M PT1H"),
            "windowSize": words("PT1M PT5M PT15M PT30M PT1H PT6H PT12H P1D"),
        }
        for key, values in allowed.items():
            if inputs.get(key) not in (None, UNKNOWN, *values):
                yield Refusal(key, f"expected one of {', '.join(sorted(values))}, got {inputs[key]!r}")
        severity = inputs.get("severity")
        if isinstance(severity, int) and not 0 <= severity <= 4:  # noqa: PLR2004  # The documented limits.
            yield Refusal("severity", f"expected 0 to 4, got {severity}")
        if isinstance(inputs.get("location"), str) and inputs["location"].lower() != "global":
            yield Refusal("location", f"expected global, got {inputs['location']!r}")


class ActivityLogAlert(Azure):
    """An alarm on what happens to a resource."""

    token = "azure-native:monitor:ActivityLogAlert"  # noqa: S105
    autoname = named("activityLogAlertName", 260)
    replaces = words("resourceGroupName location activityLogAlertName")
    kind = "Microsoft.Insights/activityLogAlerts"
    path = "Microsoft.Insights/activityLogAlerts/{activityLogAlertName}"
    version = "2020-10-01"


class Workspace(Azure):
    """Where logs are kept."""

    token = "azure-native:operationalinsights:Workspace"  # noqa: S105
    autoname = named("workspaceName", 63)
    replaces = words("resourceGroupName location workspaceName")
    kind = "Microsoft.OperationalInsights/workspaces"
    path = "Microsoft.OperationalInsights/workspaces/{workspaceName}"
    version = "2023-09-01"
    answers = says(customerId="{uuid}", createdDate="2026-09-01T03:00:00Z")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Manage data retention in a Log Analytics workspace"."""
        del call
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days != 7 and not 30 <= days <= 730:  # noqa: PLR2004  # The documented limits.
            yield Refusal("retentionInDays", f"expected 30 to 730 days, got {days}")
        name = inputs.get("workspaceName")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", name):
            yield Refusal("workspaceName", f"expected 4 to 63 letters, digits and hyphens, got {name!r}")


class Workbook(Azure):
    """A dashboard, written as JSON."""

    token = "azure-native:applicationinsights:Workbook"  # noqa: S105
    part = "resourceName"
    replaces = words("resourceGroupName location resourceName")
    kind = "Microsoft.Insights/workbooks"
    path = "Microsoft.Insights/workbooks/{resourceName}"
    version = "2023-06-01"
    answers = says(revision="{hex}", timeModified="2026-09-01T03:00:00Z", userId="")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A workbook goes by a UUID, and holds JSON."""
        del call
        name, data = inputs.get("resourceName"), inputs.get("serializedData")
        if isinstance(name, str) and not re.fullmatch(r"[0-9a-fA-F-]{36}", name):
            yield Refusal("resourceName", f"expected a UUID, got {name!r}")
        if isinstance(data, str):
            try:
                json.loads(data)
            except ValueError as error:
                yield Refusal("serializedData", f"expected JSON: {error}")
