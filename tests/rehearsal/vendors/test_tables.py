"""The tables of all types of resources, held to the schemas: a misspelt input would rule nothing."""

from collections.abc import Iterator

import pytest

from rehearsal.plugin.behaviour import Behaviour
from rehearsal.plugin.playing import CLOUDS
from rehearsal.plugin.server import cloud
from rehearsal.vendors.azure.base import Azure
from rehearsal.vendors.declared import Declared


def _inputs_named(behaviour: Behaviour) -> Iterator[str]:
    """Every input that a table speaks of."""
    yield from behaviour.replaces | behaviour.secrets | behaviour.opened | getattr(behaviour, "elsewhere", frozenset())
    if behaviour.autoname:
        yield behaviour.autoname.field
    if isinstance(behaviour, Declared):
        yield from behaviour.fills
    if isinstance(behaviour, Azure) and behaviour.part:
        yield behaviour.part


@pytest.mark.parametrize("name", CLOUDS)
def test_every_input_and_output_in_the_tables_exists(name: str) -> None:
    """What a table calls replaced, secret, filled or answered is in the installed SDK's schema."""
    unknown = {
        (token, path)
        for token, behaviour in cloud(name).behaviours.items()
        for path in _inputs_named(behaviour)
        if path.partition(".")[0] not in behaviour.schema.inputs.fields
    }
    answered = {
        (token, key)
        for token, behaviour in cloud(name).behaviours.items()
        if isinstance(behaviour, Declared)
        for key in behaviour.answers
        if key not in behaviour.schema.outputs
    }

    assert (unknown, answered) == (set(), set())
