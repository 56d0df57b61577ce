"""docs/drills.md tells every drill and every key of the reports."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.drills import command
from app.drills.report import FailoverReport, LoadReport, Report, RestoreReport, RotateReport

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "drills.md").read_text()


def keys(heading: str) -> list[str]:
    """The keys of the table under a heading."""
    section = re.split(r"\n##+ ", PAGE.partition(f"{heading}\n")[2])[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [key for cell in cells for key in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "record", "more"),
    [
        ("## Reports", Report, ["held"]),
        ("### The load", LoadReport, []),
        ("### The failover", FailoverReport, []),
        ("### The restore", RestoreReport, []),
        ("### The rotation", RotateReport, []),
    ],
)
def test_every_key_of_a_report_is_documented(heading: str, record: type, more: list[str]) -> None:
    """Each once, and none that does not exist."""
    assert sorted(keys(heading)) == sorted([each.name for each in fields(record)] + more)


def test_every_drill_is_documented() -> None:
    """In the table at the top."""
    assert keys("# Drills") == list(command.drill.commands)
