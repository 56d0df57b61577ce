"""One type of resource at a time, asked as the engine asks, without an engine."""

from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.plugin.behaviour import Behaviour, Call
from rehearsal.plugin.server import cloud
from rehearsal.refusal import Refusal

_CONFIG: dict[str, dict[str, Any]] = {
    "gcp": {"project": "example-project", "region": "europe-west1"},
    "aws": {"region": "eu-central-1"},
    "azure-native": {"subscriptionId": "00000000-0000-0000-0000-000000000000"},
    "random": {},
}

Check = Callable[..., list[Refusal]]


@pytest.fixture
def behaviour() -> Callable[[str], Behaviour]:
    """The behaviour of a type token."""
    return lambda token: cloud(token.partition(":")[0]).behaviour(token)


@pytest.fixture
def call() -> Callable[[str], Call]:
    """The engine's question about a new resource of a type token, named `adk-sessions-g1`."""

    def ask(token: str) -> Call:
        urn = f"urn:pulumi:test::session-database::{token}::adk-sessions-g1"
        return Call(urn, _CONFIG[token.partition(":")[0]], "adk-sessions-g1", b"seed")

    return ask


@pytest.fixture
def refused(behaviour: Callable[[str], Behaviour], call: Callable[[str], Call]) -> Check:
    """What a type of resource refuses of inputs for a new one."""

    def check(token: str, inputs: dict[str, Any]) -> list[Refusal]:
        return behaviour(token).check(call(token), {}, inputs)[1]

    return check
