"""One dashboard for all instances of a stack."""

import json
import re
from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

_PANELS: Final = (
    ("CPU (percent)", "CPUUtilization"),
    ("Connections", "DatabaseConnections"),
    ("Free storage (bytes)", "FreeStorageSpace"),
    ("Freeable memory (bytes)", "FreeableMemory"),
    ("Read latency (seconds)", "ReadLatency"),
    ("Write latency (seconds)", "WriteLatency"),
    ("Read IOPS", "ReadIOPS"),
    ("Write IOPS", "WriteIOPS"),
    ("Replica lag (seconds)", "ReplicaLag"),
    ("Transaction ids in use", "MaximumUsedTransactionIDs"),
)

_WIDTH, _HEIGHT, _COLUMNS = 12, 6, 2


def dashboard(
    name: str, instances: Sequence[tuple[aws.rds.Instance, str]], opts: pulumi.ResourceOptions
) -> aws.cloudwatch.Dashboard:
    """Register the dashboard.

    A dashboard is overwritten by another of its name without a word, so the name says the stack.

    Args:
        name: The dashboard's name in the stack.
        instances: The instances, each with its region.
        opts: The usual resource options.
    """
    known = pulumi.Output.all(*(instance.identifier for instance, _region in instances))
    regions = [region for _instance, region in instances]
    return aws.cloudwatch.Dashboard(
        name,
        dashboard_name=re.sub(r"[^A-Za-z0-9_-]", "-", f"{name}-{pulumi.get_stack()}"),
        dashboard_body=known.apply(lambda identifiers: body(list(zip(identifiers, regions, strict=True)))),
        opts=opts,
    )


def body(instances: Sequence[tuple[str, str]]) -> str:
    """The dashboard as JSON (CloudWatch, "Dashboard body structure and syntax"); read-only.

    Args:
        instances: Identifiers with their regions.
    """
    return json.dumps({"widgets": [_panel(number, instances) for number in range(len(_PANELS))]})


def _panel(number: int, instances: Sequence[tuple[str, str]]) -> dict[str, object]:
    title, metric = _PANELS[number]
    return {
        "type": "metric",
        "x": number % _COLUMNS * _WIDTH,
        "y": number // _COLUMNS * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": title,
            "region": instances[0][1],
            "stat": "Average",
            "period": 300,
            "metrics": [
                ["AWS/RDS", metric, "DBInstanceIdentifier", identifier, {"region": region}]
                for identifier, region in instances
            ],
        },
    }
