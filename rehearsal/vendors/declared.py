"""Types of resources that can be said in a few lines: an id's form, and what the cloud answers."""

import re
import uuid
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, Final

from rehearsal.plugin.behaviour import Behaviour, Call
from rehearsal.plugin.living import Living
from rehearsal.plugin.naming import DEFAULTS
from rehearsal.values import Inputs, Tree, reveal

TAGGED: Final = frozenset({"effectiveLabels", "pulumiLabels", "tagsAll"})
"""What a cloud computes anew from every update."""


class Declared(Living):
    """A type of resource in a few lines.

    Attributes:
        form: The id, with inputs, provider's inputs and chances in braces, for example `projects/{project}/x/{name}`.
        answers: Outputs besides the inputs, in the same notation, nested as they are; an input given goes first.
        fills: Inputs that the provider fills in itself where the program is silent.
        changing: Outputs that an update computes anew.
    """

    form: ClassVar[str] = "{hex}"
    answers: ClassVar[Mapping[str, Tree]] = MappingProxyType({})
    fills: ClassVar[Mapping[str, Tree]] = MappingProxyType({})
    changing: ClassVar[frozenset[str]] = TAGGED

    def fill(self, call: Call, old: Inputs, new: Inputs) -> Inputs:
        """The provider's own defaults, noted as such."""
        del call, old
        missing = {key: value for key, value in self.fills.items() if new.get(key) is None}
        return {**new, **missing, DEFAULTS: [*new.get(DEFAULTS, []), *missing]} if missing else new

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The answers, written out; only what the schema knows, and nothing over an input."""
        names = self.names(call, inputs)
        written = {key: write(value, names) for key, value in self.answers.items()}
        return {key: value for key, value in written.items() if inputs.get(key) is None and key in self.schema.outputs}

    def recomputed(self, call: Call, old: dict[str, Any], new: dict[str, Any]) -> Inputs:
        """What follows from the inputs anew; an address or a certificate stays."""
        del old
        return {key: value for key, value in self.computed(call, new).items() if key in self.changing}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The id in its form."""
        return str(write(self.form, {**self.names(call, inputs), **outputs}))

    def imported(self, call: Call, identity: str) -> Inputs:
        """The inputs that stand in an id."""
        del call
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.form))
        found = re.fullmatch(pattern, identity)
        if found:
            return {key: value for key, value in found.groupdict().items() if key in self.schema.inputs.fields}
        return {self.autoname.field: identity.rpartition("/")[2]} if self.autoname else {}

    def names(self, call: Call, inputs: dict[str, Any]) -> dict[str, Any]:
        """What may stand in braces."""
        digits = call.chance("digits", 12)
        chances = {
            "hex": call.chance("id"),
            "short": call.chance("id", 8),
            "digits": str(int(digits, 16))[:12].zfill(12),
            "uuid": str(uuid.UUID(call.chance("uuid", 32))),
            "octet": str(int(call.chance("octet", 4), 16) % 250 + 2),
        }
        return {**chances, **reveal(call.config), **{key: value for key, value in inputs.items() if value is not None}}


def behaviours(*modules: ModuleType) -> dict[str, Behaviour]:
    """All types of resources that modules define, by their tokens."""
    found = (each for module in modules for each in vars(module).values())
    types = (each for each in found if isinstance(each, type) and issubclass(each, Behaviour) and "token" in vars(each))
    return {each.token: each() for each in types}


def says(**answers: Tree) -> Mapping[str, Tree]:
    """A table of a class, which nobody can change."""
    return MappingProxyType(answers)


def words(text: str) -> frozenset[str]:
    """The words of a text, as inputs are named.

    >>> sorted(words("name settings.tier"))
    ['name', 'settings.tier']
    """
    return frozenset(text.split())


class _Names(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def write(template: Tree, names: Mapping[str, Any]) -> Tree:
    """A template with its braces filled; a name that is nowhere is empty.

    >>> write({"arn": "arn:aws:sns:{region}:1:{name}"}, {"region": "eu-central-1", "name": "alarms"})
    {'arn': 'arn:aws:sns:eu-central-1:1:alarms'}
    """
    if isinstance(template, str):
        return template.format_map(_Names(names))
    if isinstance(template, Mapping):
        return {key: write(value, names) for key, value in template.items()}
    return [write(value, names) for value in template] if isinstance(template, list | tuple) else template
