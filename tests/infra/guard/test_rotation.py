"""Rotation goes one step at a time, and never back."""

from collections.abc import Callable

import pytest

from infra import guard
from infra.guard import Step
from infra.managed.passwords import last_rotation

PASSWORD = "random:index/randomPassword:RandomPassword"  # A type, no password.


@pytest.fixture
def rotated(step: Callable[..., Step]) -> Callable[[int, int], list[str]]:
    """What the guard says of a rotation from one count to another."""

    def told(old: int, new: int) -> list[str]:
        roles = [("owner", old, new)]
        roles += [(f"app-{slot + 1}", last_rotation(old, slot), last_rotation(new, slot)) for slot in (0, 1)]
        plan = [step("same", "aws:rds/instance:Instance")] + [
            step(
                "same" if before == after else "create-replacement",
                PASSWORD,
                name=f"adk-sessions-{name}",
                inputs={"keepers": {"rotation": str(before)}},
                wanted={"keepers": {"rotation": str(after)}},
            )
            for name, before, after in roles
        ]
        return list(guard.rotation(plan, stack="prod"))

    return told


@pytest.mark.parametrize("rotation", [0, 1, 2, 7])
def test_one_step_up_is_a_rotation(rotated: Callable[[int, int], list[str]], rotation: int) -> None:
    """And none at all is none."""
    assert rotated(rotation, rotation + 1) == rotated(rotation, rotation) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [(0, 2, "by more"), (3, 6, "by more"), (1, 0, "counted down"), (4, 2, "counted down"), (7, 6, "counted down")],
)
def test_whoever_is_in_is_not_shut_out(
    rotated: Callable[[int, int], list[str]], old: int, new: int, words: str
) -> None:
    """By more than one both roles get new passwords at once; down, the one that is in use."""
    (line,) = rotated(old, new)

    assert line.startswith("Pulumi.prod.yaml: session-database:aws.rotation: expected it to be counted up by one: ")
    assert words in line
    assert line.endswith(f"For example: session-database:aws: {{rotation: {old + 1}}}")
