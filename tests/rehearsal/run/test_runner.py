"""However a story ends, there is a report, and it tells how far it came."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rehearsal.errors import StepError
from rehearsal.report import page
from rehearsal.report.findings import Kept
from rehearsal.report.record import Rehearsal
from rehearsal.run.command import Commands
from rehearsal.run.life import Life
from rehearsal.run.runner import Runner
from rehearsal.run.stack_file import StackFile
from rehearsal.run.watch import Watch

REPOSITORY = Path(__file__).resolve().parents[3]

Story = dict[str, Callable[[Life], str]]


@pytest.fixture
def told(root: Path, script: Callable[[str], Commands]) -> Callable[[Story], Rehearsal]:
    """Runs a story of the test's own."""
    shutil.copy(REPOSITORY / "Pulumi.prod.yaml", root)

    def run(story: Story) -> Rehearsal:
        file = StackFile("gcp")
        file.begin()
        life = Life(file, script("print('{}')"), Watch(), writers=1, seconds=1.0)
        return Runner(life, story, Console(quiet=True), root / "report").run()

    return run


def fails(_: Life) -> str:
    """A step whose command fails."""
    message = "the disk is full"
    raise StepError(message, "less up.log")


def stopped(_: Life) -> str:
    """A step at which somebody presses Ctrl-C."""
    raise KeyboardInterrupt


def written(root: Path) -> dict[str, Any]:
    """The report's data."""
    found: dict[str, Any] = json.loads((root / "report" / "report.json").read_text())
    return found


def test_a_step_has_its_commands_and_what_came_of_it(told: Callable[[Story], Rehearsal]) -> None:
    """In order."""
    done = told({"one": lambda life: str(life.commands.infra("preview")), "two": lambda _: "well"})

    assert [(each.name, each.told, each.outcome) for each in done.steps] == [
        ("one", "{}", "held"),
        ("two", "well", "held"),
    ]
    assert done.steps[0].commands == (".venv/bin/python -m infra preview --stack rehearse-gcp --rehearse",)
    assert done.steps[1].commands == ()


def test_a_step_that_finds_a_promise_broken_is_broken_and_the_story_goes_on(
    told: Callable[[Story], Rehearsal],
) -> None:
    """A restored server with another conversation than that of its moment is one; nothing is told twice."""

    def switch(life: Life) -> str:
        life.findings.restored = Kept(turns=4, found=3, beyond=1)
        return "2 to update"

    done = told({"switch": switch, "retire": lambda _: "well"})

    words = "the restored server has not the conversation of its moment: 3 of 4, 1 too many turns found"
    assert [(each.told, each.outcome) for each in done.steps] == [(words, "broken"), ("well", "held")]
    assert done.broken


def test_a_step_that_fails_ends_the_story_and_the_report_says_why(
    told: Callable[[Story], Rehearsal], root: Path
) -> None:
    """In the words of the command, with the way to look further; what follows was not reached."""
    told({"up": fails, "destroy": lambda _: "never"})

    report = written(root)
    assert [(each["name"], each["outcome"], each["told"]) for each in report["steps"]] == [
        ("up", "broken", "the disk is full"),
        ("destroy", "unknown", "not reached"),
    ]
    assert report["steps"][0]["look"] == "less up.log"
    assert report["held"] is False


def test_an_interruption_is_passed_on_after_the_report(told: Callable[[Story], Rehearsal], root: Path) -> None:
    """The step in hand is the one that was stopped."""
    with pytest.raises(KeyboardInterrupt):
        told({"up": stopped, "destroy": lambda _: "never"})

    assert [each["told"] for each in written(root)["steps"]] == ["stopped as asked", "not reached"]


def test_who_asks_twice_has_a_report_all_the_same(
    told: Callable[[Story], Rehearsal], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is written Ctrl-C has to wait; while what was started ends it need not."""
    ended, write = [], page.write

    def disturbed(rehearsal: Rehearsal, folder: Path) -> Path:
        if rehearsal.steps[0].told == "stopped as asked":
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
        return write(rehearsal, folder)

    monkeypatch.setattr(page, "write", disturbed)
    monkeypatch.setattr(Life, "close", lambda _: ended.append(written(root)))

    with pytest.raises(KeyboardInterrupt):
        told({"up": stopped, "destroy": lambda _: "never"})

    assert [each["told"] for each in written(root)["steps"]] == ["stopped as asked", "not reached"]
    assert "stopped as asked" in (root / "report" / "report.html").read_text()
    assert ended == [], "who asked again does not wait for it"


def test_the_report_is_written_before_what_was_started_ends(
    told: Callable[[Story], Rehearsal], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may take as long as a server needs."""
    ended = []
    monkeypatch.setattr(Life, "close", lambda _: ended.append(written(root)["steps"][0]["told"]))

    with pytest.raises(KeyboardInterrupt):
        told({"up": stopped})

    assert ended == ["stopped as asked"]


def test_what_is_known_so_far_is_there_at_every_moment(told: Callable[[Story], Rehearsal], root: Path) -> None:
    """A rehearsal that is killed leaves it, and never an earlier one's."""
    (root / "report").mkdir()
    (root / "report" / "report.html").write_text("an earlier one")
    seen: list[str] = []

    def look(_: Life) -> str:
        seen.extend(each["outcome"] for each in written(root)["steps"])
        return (root / "report" / "report.html").read_text()

    done = told({"one": lambda _: "well", "two": look})

    assert seen == ["held", "unknown"]
    assert "earlier" not in done.steps[1].told
