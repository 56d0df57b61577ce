"""Which properties a step changes is told by the engine in three ways, and for a provider in none."""

from typing import Any

import pytest
from pulumi.automation.events import EngineEvent, StepEventMetadata

from infra.changes import changed


def step(**extra: Any) -> StepEventMetadata:
    """A step in the engine's own form."""
    metadata = {"op": "update", "urn": "urn:x::g1", "type": "t", "provider": "", **extra}
    event = EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}})
    assert event.resource_pre_event
    return event.resource_pre_event.metadata


def side(**inputs: Any) -> dict[str, Any]:
    """One side of a step."""
    return {"type": "t", "urn": "urn:x::g1", "id": "i", "parent": "", "provider": "", "inputs": inputs}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"detailedDiff": {"settings.tier": {"diffKind": "update"}}, "diffs": ["settings"]}, ("settings.tier",)),
        ({"diffs": ["network"]}, ("network",)),
        ({"keys": ["zone"]}, ("zone",)),
        ({"old": side(project="a", region="r"), "new": side(project="b", region="r")}, ("project",)),
        ({"old": side(), "new": side(account="b")}, ("account",)),
        ({"new": side(project="b")}, ()),
    ],
)
def test_properties_are_told_in_the_finest_way_there_is(told: dict[str, Any], expected: tuple[str, ...]) -> None:
    """The path before the property, and what differs where the engine says nothing."""
    assert changed(step(**told)) == expected
