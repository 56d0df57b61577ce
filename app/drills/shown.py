"""A drill's report in a few lines, for people; pure."""

from collections.abc import Iterator, Mapping
from typing import Any


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """What matters of a report, a line each.

    Args:
        report: The report as its JSON has it.
    """
    yield f"drill {report['drill']} on {report['database']}, PostgreSQL {report['server_version']}"
    yield from _load("load", report["load"])
    if found := report.get("failover"):
        gap, zone = found["gap_seconds"], found["zone"]
        yield f"failover: done after {found['completed_at'] - found['requested_at']:.1f} s"
        yield f"  clients waited {gap['p50']:.2f} s (p50) to {gap['p100']:.2f} s (p100)"
        yield f"  zone {zone['before'] or 'unknown'}, now {zone['after'] or 'unknown'}"
    if found := report.get("restore"):
        yield f"restore to {found['mark']}: {found['found']} events found of {found['expected']}"
        rpo = "not told" if found["rpo_seconds"] is None else f"{found['rpo_seconds']:.1f} s"
        yield f"  RTO {found['rto_seconds']:.1f} s, RPO {rpo}"
        if found["kept"]:
            yield f"  {found['server']} stays. To adopt it, in the stack file:"
            yield from (f"    {line}" for line in found["stack_file"])
    if found := report.get("rotate"):
        yield f"rotation: {found['role']['before']} to {found['role']['after']}"
        yield from _load("afterwards", report["load_after"])


def _load(name: str, load: Mapping[str, Any]) -> Iterator[str]:
    latency = load["latency_ms"]
    yield (
        f"{name}: {load['acknowledged']} events acknowledged in {load['seconds']:.1f} s ({load['per_second']:.0f}/s), "
        f"{load['stored']} stored, {load['lost']} lost"
    )
    yield f"  latency {latency['p50']:.0f} ms (p50), {latency['p95']:.0f} ms (p95), {latency['p100']:.0f} ms (p100)"
    if errors := ", ".join(f"{count} {kind}" for kind, count in load["errors"].items()):
        yield f"  repeated after errors: {errors}"
