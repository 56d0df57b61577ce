"""Plans and states by hand: a step as the engine would plan it, and the state before it."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from infra.guard import Step

SERVER = "gcp:sql/databaseInstance:DatabaseInstance"


def made(operation: str, kind: str = SERVER, name: str = "adk-sessions-g1", **extra: Any) -> Step:
    """A step on a resource, in the component of the same name."""
    urn = f"urn:pulumi:prod::session-database::sessiondb:gcp:Server${kind}::{name}"
    return Step(operation, kind, urn, **{"parent": f"urn:pulumi:prod::x::sessiondb:gcp:Server::{name}"} | extra)


def exported(step: Step, needs: Iterable[Step] = (), after: Iterable[Step] = ()) -> dict[str, Any]:
    """What the state knows of a step's resource: what its properties were made of, and what it waited for besides."""
    return {
        "urn": step.urn,
        "type": step.type,
        "parent": step.parent,
        "protect": step.protect,
        "inputs": step.inputs,
        "propertyDependencies": {"property": [each.urn for each in needs]},
        "dependencies": [each.urn for each in (*needs, *after)],
    }


@pytest.fixture
def step() -> Callable[..., Step]:
    """Makes a step."""
    return made


@pytest.fixture
def resource() -> Callable[..., dict[str, Any]]:
    """Makes a resource of the state out of a step."""
    return exported
