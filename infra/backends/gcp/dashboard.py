"""One screen for whoever is on call: the metrics that alarms are made of, and a few to compare them with."""

import json
from typing import Any, Final

import pulumi

from infra.settings.gcp import GcpSettings

_COLUMNS: Final = 12
_WIDTH, _HEIGHT = 6, 4

_TILES: Final = (
    ("CPU", "cpu/utilization", "ALIGN_MEAN"),
    ("Memory", "memory/utilization", "ALIGN_MEAN"),
    ("Storage used", "disk/bytes_used", "ALIGN_MEAN"),
    ("Connections", "postgresql/num_backends", "ALIGN_MEAN"),
    ("Transactions", "postgresql/transaction_count", "ALIGN_RATE"),
    ("Deadlocks", "postgresql/deadlock_count", "ALIGN_RATE"),
    ("Read operations", "disk/read_ops_count", "ALIGN_RATE"),
    ("Write operations", "disk/write_ops_count", "ALIGN_RATE"),
    ("Up", "up", "ALIGN_MEAN"),
    ("Standby ready", "available_for_failover", "ALIGN_MEAN"),
)


def dashboard(name: str, settings: GcpSettings, primaries: pulumi.Output[str]) -> pulumi.Output[str]:
    """The dashboard as the JSON that Cloud Monitoring takes.

    Args:
        name: Its title.
        settings: The `gcp` section.
        primaries: The instances as a filter's value, `one_of(…)`.
    """
    return primaries.apply(lambda known: json.dumps(_layout(name, settings, known), sort_keys=True))


def _layout(name: str, settings: GcpSettings, primaries: str) -> dict[str, Any]:
    tiles = [
        {
            "xPos": place * _WIDTH % _COLUMNS,
            "yPos": place * _WIDTH // _COLUMNS * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "widget": _chart(title, _filter(metric, primaries), aligner),
        }
        for place, (title, metric, aligner) in enumerate((*_TILES, *_lag(settings)))
    ]
    return {"displayName": f"{name} on Cloud SQL", "mosaicLayout": {"columns": _COLUMNS, "tiles": tiles}}


def _lag(settings: GcpSettings) -> tuple[tuple[str, str, str], ...]:
    if settings.read_replicas or settings.replica_region:
        return (("Replication lag in bytes", "postgresql/replication/replica_byte_lag", "ALIGN_MEAN"),)
    return ()


def _filter(metric: str, primaries: str) -> str:
    return (
        f'resource.type="cloudsql_database" metric.type="cloudsql.googleapis.com/database/{metric}" '
        f"resource.labels.database_id={primaries}"
    )


def _chart(title: str, query: str, aligner: str) -> dict[str, Any]:
    aggregation = {
        "alignmentPeriod": "60s",
        "perSeriesAligner": aligner,
        "crossSeriesReducer": "REDUCE_SUM",
        "groupByFields": ["resource.labels.database_id"],
    }
    series = {"timeSeriesFilter": {"filter": query, "aggregation": aggregation}}
    return {"title": title, "xyChart": {"dataSets": [{"timeSeriesQuery": series, "plotType": "LINE"}]}}
