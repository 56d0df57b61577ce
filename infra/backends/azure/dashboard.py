"""The dashboard: a workbook with one chart for each thing that somebody asks first."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_random as random
from pulumi_azure_native import applicationinsights

from infra.backends.azure.place import Place

NAMESPACE: Final = "microsoft.dbforpostgresql/flexibleservers"

AVERAGE, MAXIMUM = 4, 3
"""Azure Monitor's numbers for how a chart sums up a metric (Microsoft, "Azure Workbooks", metric charts)."""

CHARTS: Final = (
    ("Processors, percent", (("cpu_percent", AVERAGE),)),
    ("Memory, percent", (("memory_percent", AVERAGE),)),
    ("Storage, percent", (("storage_percent", MAXIMUM),)),
    ("Connections", (("active_connections", MAXIMUM), ("max_connections", MAXIMUM))),
    ("Operations on the disk, percent of what it can", (("disk_iops_consumed_percentage", MAXIMUM),)),
    ("Replication lag, seconds", (("physical_replication_delay_in_seconds", MAXIMUM),)),
    ("Available", (("is_db_alive", MAXIMUM),)),
    ("Backups, bytes", (("backup_storage_used", MAXIMUM),)),
)
"""Titles, each with metrics (Microsoft, "Monitor metrics in Azure Database for PostgreSQL")."""


def dashboard(
    name: str, place: Place, servers: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> applicationinsights.Workbook:
    """A workbook over all servers of a stack.

    Args:
        name: Its name in the stack and for people; Azure wants an id besides.
        place: Where it goes.
        servers: The servers' ids, replicas included.
        opts: The usual resource options.
    """
    ids: pulumi.Output[list[str]] = pulumi.Output.all(*servers)
    return applicationinsights.Workbook(
        name,
        resource_group_name=place.group,
        location=place.region,
        resource_name_=random.RandomUuid(f"{name}-workbook", opts=opts).result,
        display_name=name,
        category="workbook",
        kind="shared",
        serialized_data=ids.apply(lambda known: json.dumps(workbook(known))),
        tags=place.tags or None,
        opts=opts,
    )


def workbook(servers: Sequence[str]) -> dict[str, Any]:
    """The workbook's own form; read-only.

    Args:
        servers: The servers' ids.
    """
    return {
        "version": "Notebook/1.0",
        "items": [_chart(number, title, metrics, servers) for number, (title, metrics) in enumerate(CHARTS)],
        "fallbackResourceIds": list(servers),
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def _chart(number: int, title: str, metrics: Sequence[tuple[str, int]], servers: Sequence[str]) -> dict[str, Any]:
    content = {
        "version": "MetricsItem/2.0",
        "size": 0,
        "chartType": 2,
        "resourceType": NAMESPACE,
        "metricScope": 0,
        "resourceIds": list(servers),
        "timeContext": {"durationMs": 86_400_000},
        "title": title,
        "metrics": [
            {"namespace": NAMESPACE, "metric": f"{NAMESPACE}--{metric}", "aggregation": how} for metric, how in metrics
        ],
    }
    return {"type": 10, "content": content, "customWidth": "50", "name": f"chart-{number}"}
