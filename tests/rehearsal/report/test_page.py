"""The page needs nothing beside it, shows every verdict, and never lies about one."""

import base64
import dataclasses
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

from rehearsal.report import page
from rehearsal.report.record import Outcome, Rehearsal, Step

Whole = Callable[..., Rehearsal]

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Elements(HTMLParser):
    """Collects attributes and text, and that every element is closed."""

    def __init__(self) -> None:
        """Nothing is open."""
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.images: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what the element loads."""
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(values.get("src") or "")
            assert values.get("alt"), "a plot is described for who cannot see it"
        self.loads += [value for name, value in values.items() if name in ("src", "href", "data") and value]

    def handle_endtag(self, tag: str) -> None:
        """It is the one that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect."""
        self.text += data


def parsed(rehearsal: Rehearsal) -> Elements:
    """The page, read."""
    elements = Elements()
    text = page.rendered(rehearsal)
    elements.feed(text)
    assert elements.open == []
    assert not re.search(r"@import|url\(|<script", text)
    return elements


def test_the_page_loads_nothing(whole: Whole) -> None:
    """Plots are in it, as SVG that can be read."""
    elements = parsed(whole())

    assert all(each.startswith("data:image/svg+xml;base64,") for each in elements.loads)
    assert len(elements.images) == 3
    for each in elements.images:
        root = ET.fromstring(base64.b64decode(each.partition(",")[2]))  # noqa: S314  # Our own.
        assert root.tag.endswith("svg")


def test_the_page_shows_every_promise_and_step(whole: Whole) -> None:
    """With its value."""
    rehearsal = whole()
    text = parsed(rehearsal).text

    assert "Every promise was held" in text
    for promise in rehearsal.promises:
        assert promise.name in text
        assert promise.value in text
        assert promise.told in text
    for step in rehearsal.steps:
        assert step.name in text
        assert step.commands[0] in text


def test_the_plots_say_what_happened_when(whole: Whole) -> None:
    """The moments of the drill stand in words beside their lines."""
    said = [base64.b64decode(each.partition(",")[2]).decode() for each in parsed(whole()).images]

    assert "failover asked for, 3.0 s" in said[0]
    assert "the cloud calls it done, 4.6 s" in said[0]
    assert "the mark: restored are the events before it, 3.7 s" in said[1]
    assert "up has ended, 8.8 s" in said[2]
    assert "seconds, as adk_user_2" in said[2]


def test_a_failed_step_is_shown_with_its_words_and_the_way_on(whole: Whole) -> None:
    """Nobody reads that all was held."""
    failed = Step("up", ("python -m infra up",), 0.0, 2.0, Outcome.BROKEN, "<the disk> is full", "cat up.log")
    text = parsed(whole(steps=(failed,), drills=())).text

    assert "<the disk> is full" in text
    assert "cat up.log" in text
    assert "Every promise was held" not in text
    assert "Not finished: up" in text


def test_a_broken_promise_is_the_headline(whole: Whole) -> None:
    """Counted."""
    rehearsal = whole()
    broken = dataclasses.replace(rehearsal.promises[0], outcome=Outcome.BROKEN)
    rehearsal = whole(promises=(broken, *rehearsal.promises[1:]))

    assert not rehearsal.held
    assert "Broken: 1 of 12 promises" in parsed(rehearsal).text


def test_a_rehearsal_that_nothing_came_of_has_a_page_too(whole: Whole) -> None:
    """Before the first step there is no time, no drill and no server."""
    rehearsal = whole()
    facts = dataclasses.replace(rehearsal.facts, ran_version="", hosts={})
    rehearsal = whole(steps=(), drills=(), promises=(), facts=facts, seconds=0.0)

    assert not rehearsal.held
    assert "none ran" in parsed(rehearsal).text


def test_the_same_rehearsal_gives_the_same_files(whole: Whole, tmp_path: Path) -> None:
    """And the JSON has the verdict, the steps and the drills."""
    first = page.write(whole(), tmp_path / "first").read_text()
    again = page.write(whole(), tmp_path / "again").read_text()
    data = json.loads((tmp_path / "first" / "report.json").read_text())

    assert first == again
    assert data["held"] is True
    assert data["steps"][0]["name"] == "preview"
    assert [each["drill"] for each in data["drills"]] == ["failover", "restore", "rotate"]
    assert data["promises"][0] == {
        "name": "Acknowledged events lost",
        "value": "0",
        "bar": "0 allowed",
        "told": "of 2,179 through failover, restore and rotation; 0 doubled, altered or never sent",
        "outcome": "held",
    }
