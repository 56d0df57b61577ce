"""A rehearsal that was held, in the shapes that the commands print; tests break it."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.report import promises
from rehearsal.report.drills import Drill, read
from rehearsal.report.findings import Findings, Kept, Remains, Scan, Served, Up
from rehearsal.report.record import Facts, Outcome, Rehearsal, Step


def load(bins: list[int], errors: list[int] | None = None, **other: Any) -> dict[str, Any]:
    """A load as a drill prints it."""
    events = sum(bins)
    failed = errors or [0] * len(bins)
    return {
        "run": "d-1a2b3c4d",
        "writers": 4,
        "rate": 20.0,
        "seconds": len(bins) / 10,
        "attempted": events,
        "acknowledged": events,
        "confirmed": 0,
        "retried": sum(failed),
        "unanswered": 0,
        "stored": events,
        "lost": 0,
        "duplicated": 0,
        "unexpected": 0,
        "altered": 0,
        "torn": 0,
        "examples": [],
        "per_second": round(events * 10 / len(bins), 1),
        "latency_ms": {"p50": 8.4, "p95": 21.0, "p100": 640.0},
        "gap_seconds": {"p50": 0.52, "p100": 0.71},
        "silence_seconds": 0.48,
        "errors": {"ConnectionLostError": sum(failed)} if any(failed) else {},
        "acknowledged_per_100_ms": bins,
        "errors_per_100_ms": failed,
        **other,
    }


def report(drill: str, **parts: Any) -> dict[str, Any]:
    """A drill's report around its parts."""
    return {
        "drill": drill,
        "stack": "rehearse-aws",
        "backend": "aws",
        "rehearsal": True,
        "database": "postgresql+psycopg://adk_user:***@sessions.example/adk_sessions",
        "server_version": "15.18",
        "started": "2026-11-25T09:30:00.123456+00:00",
        "broken": [],
        "held": True,
        **parts,
    }


STEADY = [8, 7, 9, 8, 8, 8, 7, 8, 9, 8] * 3

ANSWERS = {
    "failover": report(
        "failover",
        load=load(
            STEADY + [5] + [0] * 5 + [3, 11] + STEADY, [0] * 30 + [0, 4, 4, 0, 3, 1, 0, 0] + [0] * 30, confirmed=2
        ),
        failover={
            "requested_at": 3.02,
            "completed_at": 4.61,
            "gap_seconds": {"p50": 0.52, "p100": 0.71},
            "silence_seconds": 0.48,
            "zone": {"before": "eu-west-1a", "after": "eu-west-1b"},
            "server_started": {"before": "2026-11-25T09:29:00+00:00", "after": "2026-11-25T09:30:03+00:00"},
            "preview_changes": {},
        },
    ),
    "restore": report(
        "restore",
        load=load(STEADY + [0] * 9 + STEADY),
        restore={
            "mark": "2026-11-25T09:31:04+00:00",
            "mark_at": 3.7,
            "expected": 240,
            "found": 240,
            "missing": 0,
            "unexpected": 0,
            "altered": 0,
            "torn": 0,
            "restorable_after_seconds": 0.2,
            "rpo_seconds": 0.4,
            "available_after_seconds": 3.1,
            "rto_seconds": 3.6,
            "server": "adk-sessions-restored",
            "host": "adk-sessions-restored.example",
            "kept": False,
            "adopt": "adk-sessions-restored",
            "stack_file": ["servers:"],
        },
    ),
    "rotate": report(
        "rotate",
        load=load(STEADY * 4),
        rotate={
            "role": {"before": "adk_user", "after": "adk_user_2"},
            "up_started_at": 3.0,
            "up_ended_at": 8.8,
            "changes": {"update": 4},
        },
        load_after=load(STEADY),
    ),
}


@pytest.fixture
def answers() -> dict[str, dict[str, Any]]:
    """The drills' reports by name, the test's own to change."""
    return copy.deepcopy(ANSWERS)


@pytest.fixture
def findings() -> Findings:
    """Everything as it should be."""
    return Findings(
        drills=[read(each) for each in ANSWERS.values()],
        unchanged=[Up("the failover", {}), Up("the switch", {}), Up("the rotation", {})],
        served=[Served("a restart", Kept(5, 5)), Served("the failover", Kept(6, 6))],
        restored=Kept(6, 6),
        refused={"retirement": True, "destroy": True},
        sslmodes={"g1": "verify-full", "g2": "verify-full"},
        scan=Scan(6, {"state": "1.2 MB", "logs": "80 KB"}, ()),
        remains=Remains((), (), ("adk-sessions-g1-final", "adk-sessions-g2-final"), 2),
    )


Whole = Callable[..., Rehearsal]


@pytest.fixture
def whole(findings: Findings) -> Whole:
    """Gives the whole rehearsal around findings, with other steps or drills where a test says so."""

    def make(**other: Any) -> Rehearsal:
        steps = (
            Step("preview", ("python -m infra preview",), 0.0, 4.2, Outcome.HELD, "46 to create"),
            Step("up", ("python -m infra up",), 4.2, 15.9, Outcome.HELD, "46 created"),
            Step("drill failover", ("session-db drill failover",), 20.1, 12.0, Outcome.HELD, "240 events"),
        )
        facts = Facts(
            "17", "15.18", {"g1": "sessions.example"}, "2 processors, 23 GiB", "Linux 6.1", {"Python": "3.11.2"}
        )
        drills: tuple[Drill, ...] = tuple(findings.drills)
        judged = promises.judged(findings)
        made = Rehearsal("aws", "rehearse-aws", "2026-11-25T09:29:00+00:00", 121.0, judged, steps, drills, facts)
        return dataclasses.replace(made, **other)

    return make
