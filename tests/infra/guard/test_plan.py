"""What the engine is about to do is collected from its events, and from what it refuses by itself."""

import re
from typing import Any

import pytest
from pulumi.automation.events import EngineEvent

from infra import guard
from infra.policy.enforcement import Gate
from infra.policy.rule import Resource

SERVER = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"


def test_what_is_made_is_known_by_its_component() -> None:
    """There is no old one to ask."""
    new = {"type": DATABASE, "urn": "urn:x::d", "id": "", "parent": "urn:x::server", "provider": ""}
    metadata = {"op": "create", "urn": "urn:x::d", "type": DATABASE, "provider": "", "new": new}
    plan = guard.Plan()
    plan.event(
        EngineEvent.from_json(
            {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata, "planning": True}}
        )
    )

    assert [each.parent for each in plan.steps.values()] == ["urn:x::server"]


def test_the_first_of_three_steps_of_a_replacement_is_remembered() -> None:
    """The later ones do not know the properties any more."""
    plan = guard.Plan()
    for operation, keys in (("create-replacement", ["region"]), ("replace", ["region"]), ("delete-replaced", None)):
        plan.event(_event(operation, keys))

    assert [each.causes for each in plan.steps.values()] == [("region",)]


def test_a_replacement_that_begins_with_a_deletion_is_known_by_its_later_steps() -> None:
    """Where the old one has to go before the new one comes."""
    plan = guard.Plan()
    for operation, keys in (("delete-replaced", None), ("replace", ["region"]), ("create-replacement", ["region"])):
        plan.event(_event(operation, keys))

    assert [each.causes for each in plan.steps.values()] == [("region",)]


def test_the_paths_of_a_detailed_diff_are_causes_too() -> None:
    """A provider may tell the path instead of the key."""
    plan = guard.Plan()
    detailed = {"settings.tier": {"diffKind": "update"}, "encryptionKeyName": {"diffKind": "add-replace"}}
    plan.event(_event("replace", None, detailedDiff=detailed))

    assert [each.causes for each in plan.steps.values()] == [("encryptionKeyName",)]


def _event(operation: str, keys: list[str] | None, **extra: Any) -> EngineEvent:
    old = {"type": SERVER, "urn": "urn:x::g1", "id": "i", "parent": "urn:x::p", "provider": "", "protect": True}
    step_ = {"op": operation, "urn": "urn:x::g1", "type": SERVER, "provider": "", "old": old, "keys": keys, **extra}
    return EngineEvent.from_json(
        {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": step_, "planning": True}}
    )


def _refused(*messages: str) -> guard.Plan:
    """A plan that ended in the engine's own refusals."""
    plan = guard.Plan()
    for message in messages:
        told = {"message": message, "color": "", "severity": "error"}
        plan.event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": told}))
    return plan


def _losses(plan: guard.Plan, known: list[dict[str, Any]]) -> list[str]:
    plan.add_refused(known)
    steps = plan.steps.values()
    return list(guard.losses(steps, stack="prod", standing=guard.standing(steps, known)))


def _known(kind: str, name: str, **extra: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::session-database::sessiondb:gcp:Server${kind}::{name}"
    return {"urn": urn, "type": kind, "parent": "urn:pulumi:prod::x::sessiondb:gcp:Server::g1", "protect": True} | extra


def test_what_the_engine_refuses_itself_is_told_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops before there is a step, and names no property: the one that differs from the state does it."""
    server = _known(
        SERVER, "adk-sessions-g1", inputs={"region": "a", "name": "n", "settings": {"tier": "t", "default": 1}}
    )
    asked = Resource(SERVER, "adk-sessions-g1", {"region": "b", "settings": {"tier": "t"}})
    monkeypatch.setattr(Gate, "registered", [asked])
    message = f'unable to replace resource "{server["urn"]}"\nas it is currently marked for protection. To unprotect'

    (line,) = _losses(_refused(message), [server])

    assert re.search(r"expected the server adk-sessions-g1 .* a change of region replaces it", line)


def test_a_server_that_the_engine_did_not_come_to_is_told_of_before_its_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It refuses to delete the database first, and then says nothing of the server below it."""
    server, database, other = (
        _known(SERVER, "adk-sessions-g1"),
        _known(DATABASE, "adk-sessions-g1"),
        _known(SERVER, "adk-sessions-g2", parent="urn:pulumi:prod::x::sessiondb:gcp:Server::g2"),
    )
    message = f'resource "{database["urn"]}" cannot be deleted\nbecause it is protected.'
    monkeypatch.setattr(Gate, "registered", [Resource(SERVER, "adk-sessions-g2", {})])

    (line,) = _losses(_refused(message), [server, database, other])
    assert "expected the server adk-sessions-g1" in line

    monkeypatch.setattr(Gate, "registered", [Resource(SERVER, f"adk-sessions-g{number}", {}) for number in (1, 2)])
    (line,) = _losses(_refused(message), [server, database, other])
    assert "expected the database adk-sessions-g1" in line
