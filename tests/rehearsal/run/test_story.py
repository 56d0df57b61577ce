"""The story of a rehearsal is what the documentation tells."""

import re
from pathlib import Path

from rehearsal.report.findings import Findings
from rehearsal.report.page import NOT_SHOWN
from rehearsal.report.promises import judged
from rehearsal.run import story

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rehearsal.md").read_text()


def rows(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    table = PAGE.partition(f"{heading}\n")[2].partition("\n## ")[0]
    return [cell.strip(" `") for cell in re.findall(r"^\| *([^|]+?) *\|", table, re.MULTILINE)][2:]


def test_every_step_is_documented_in_order() -> None:
    """By its name."""
    assert rows("## The way") == [*story.LIFE, *story.END]


def test_every_promise_is_documented_in_order() -> None:
    """By its name."""
    assert rows("## The report") == [each.name for each in judged(Findings())]


def test_what_a_rehearsal_does_not_show_stands_on_the_page_as_in_the_report() -> None:
    """In the same words."""
    assert [line.removeprefix("- ") for line in PAGE.splitlines() if line.startswith("- ")][-len(NOT_SHOWN) :] == list(
        NOT_SHOWN
    )
