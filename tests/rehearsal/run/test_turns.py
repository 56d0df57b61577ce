"""A conversation that came back otherwise than it was is found by the step that looks, and breaks its promise."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rehearsal.report.findings import Findings
from rehearsal.run.api import Conversation
from rehearsal.run.life import Life
from rehearsal.run.steps import generations

TURNS = ["turn 1", "turn 2", "turn 3"]
WRONG = {
    "one too many": [*TURNS, "after the moment"],
    "one doubled": ["turn 1", *TURNS],
    "one altered": ["turn 1", "turn 2", "turn 3!"],
    "another order": ["turn 2", "turn 1", "turn 3"],
    "one missing": TURNS[:2],
}


class Found(Conversation):
    """One of which a server has something else."""

    def __init__(self, turns: list[str], found: list[str]) -> None:
        """Both are given."""
        super().__init__(turns=turns)
        self._found = found

    def found(self, _: Any) -> list[str]:
        """What was given."""
        return list(self._found)


def life_with(turns: list[str], found: list[str]) -> Life:
    """As much of one as the steps look at."""
    life = SimpleNamespace(
        conversation=Found(turns, found),
        http=None,
        findings=Findings(),
        file=SimpleNamespace(set=lambda **_: None),
        commands=SimpleNamespace(infra=lambda _: {"changes": {}}),
        serve=lambda: None,
        look=lambda _: None,
        hosts={"g1": "one", "g2": "two"},
    )
    return cast("Life", life)


@pytest.mark.parametrize("what", list(WRONG))
def test_a_conversation_that_differs_after_a_restart_is_not_kept(what: str) -> None:
    """However many turns there are."""
    life = life_with(list(TURNS), WRONG[what])

    assert not Life.served(life, "a restart").whole
    assert not life.findings.served[0].kept.whole


@pytest.mark.parametrize("what", list(WRONG))
def test_a_generation_with_another_conversation_is_not_that_of_the_moment(what: str) -> None:
    """The turn after the moment is no part of it."""
    life = life_with([*TURNS, "after the moment"], WRONG[what])

    told = generations.switch(life)

    assert life.findings.restored
    assert not life.findings.restored.whole
    assert life.findings.restored.told in told


def test_the_same_conversation_is_kept() -> None:
    """After a restart, and in a generation."""
    assert Life.served(life_with(list(TURNS), TURNS), "a restart").whole
    life = life_with([*TURNS, "after the moment"], TURNS)
    generations.switch(life)
    assert life.findings.restored
    assert life.findings.restored.whole
