"""What one type of resource does: the seam between the engine's calls and a cloud.

A behaviour without state: the engine's own state is the only memory. living.py puts a cloud with a memory behind it.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rehearsal.plugin.changes import Change, changes
from rehearsal.plugin.naming import DEFAULTS, Autoname
from rehearsal.refusal import Refusal
from rehearsal.schemas.judge import Judge
from rehearsal.schemas.kept import resource_schema
from rehearsal.schemas.sdk import ResourceSchema
from rehearsal.values import UNKNOWN, Inputs, Secret, Tree, at, dotted, reveal, secret_paths, secret_texts

IMPORTED: Final = "__imported"
"""Marks the inputs that an import read: the stand-in knows of them what the id says, and no more."""


@dataclass(frozen=True)
class Call:
    """What the engine asks about.

    Attributes:
        urn: The resource's address in the stack.
        config: The provider's own inputs, for example its `region`.
        name: The logical name.
        seed: The engine's random seed; of checks only.
        fresh: Whether the resource is to be made; of one that is there only what is said can be wrong.
        identity: The id of a resource that is there; of updates only.
        salt: What makes one life of the resource differ from the next; empty where all are alike.
    """

    urn: str
    config: Inputs = field(default_factory=dict)
    name: str = ""
    seed: bytes = b""
    fresh: bool = True
    identity: str = ""
    salt: str = ""

    def salted(self) -> "Call":
        """The same question, with chances of its own: a replacement is no longer the resource that it replaces."""
        return replace(self, salt=secrets.token_hex(8))

    def chance(self, purpose: str, length: int = 17) -> str:
        """Hexadecimal digits that are always the same for this resource and purpose."""
        return hashlib.sha256(f"{self.urn}{self.salt}|{purpose}".encode()).hexdigest()[:length]


@dataclass(frozen=True)
class State:
    """A resource as the engine remembers it.

    Attributes:
        inputs: As of the last operation.
        outputs: The inputs, and what the cloud answered.
    """

    inputs: Inputs
    outputs: Inputs


@dataclass(frozen=True)
class Difference:
    """What separates the program from the last operation.

    Attributes:
        changes: Each difference.
        replacing: The ones that no update in place can make.
        delete_first: Whether the old resource has to go before the new one can be made.
    """

    changes: list[Change]
    replacing: list[Change]
    delete_first: bool = False


class Behaviour:
    """One type of resource.

    Attributes:
        package: The SDK that knows its schema.
        token: Its type, for example `aws:rds/instance:Instance`.
        autoname: How it gets a physical name, if it has one.
        secrets: Inputs that must come marked secret, besides the ones that the SDK marks itself.
        replaces: Dotted paths of inputs whose change replaces it.
        delete_first: Whether a replacement deletes the old one first.
        opened: Paths of enums that the vendor has outgrown.
    """

    package: str
    token: str
    autoname: Autoname | None = None
    secrets: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False
    opened: frozenset[str] = frozenset()

    @property
    def schema(self) -> ResourceSchema:
        """What the installed SDK says; imported with the first use."""
        return resource_schema(self.package, self.token)

    def check(self, call: Call, old: Inputs, new: Inputs) -> tuple[Inputs, list[Refusal]]:
        """The inputs with names and defaults filled in, and everything that the cloud would refuse."""
        refusals = list(Judge(self.opened).refusals(new, self.schema.inputs))
        refusals += self._unmarked(new)
        new = {key: value for key, value in new.items() if not key.startswith("__")}
        filled = self.fill(call, old, self.autoname.fill(call.name, call.seed, old, new) if self.autoname else new)
        if not refusals:
            refusals += self.refuse(call, filled)
        return filled, [_scrubbed(refusal, secret_texts(new)) for refusal in refusals]

    def diff(self, old: Inputs, new: Inputs, ignored: list[str]) -> Difference:
        """What changed, and what of it replaces the resource."""
        found = changes(old, new, ignored)
        if IMPORTED in old:
            # What only one side speaks of, the cloud would have computed.
            found = [change for change in found if change.kind == "update"]
        replacing = [change for change in found if self.is_replacing(change, old, new)]
        first = bool(replacing) and self.deletes_first(new)
        return Difference(found, replacing, first)

    def create(self, call: Call, inputs: Inputs, *, preview: bool) -> tuple[str, Inputs]:
        """A new resource's id and outputs; in a preview what only the cloud can tell is unknown."""
        if preview:
            return "", self._foreseen(inputs)
        outputs = {**inputs, **self._marked(self.computed(call, reveal(inputs)))}
        return self.identity(call, reveal(inputs), reveal(outputs)), outputs

    def update(self, call: Call, old: State, new: Inputs, *, preview: bool) -> Inputs:
        """The outputs after an update in place: what the cloud said stays, what the program said is said anew."""
        kept = {key: value for key, value in old.outputs.items() if key not in old.inputs}
        if preview:
            return {**kept, **new}
        return {**kept, **new, **self._marked(self.recomputed(call, reveal(old.outputs), reveal(new)))}

    def read(self, call: Call, identity: str, inputs: Inputs, outputs: Inputs) -> tuple[Inputs, Inputs] | None:
        """The inputs and outputs of an existing resource: what the state knows, or what an id to import says."""
        if outputs:
            return inputs, outputs
        known = self.imported(call, identity)
        if self.autoname and self.autoname.field in known:
            known[DEFAULTS] = [self.autoname.field]
        known[IMPORTED] = True
        return known, {**known, **self._marked(self.computed(call, known))}

    def delete(self, call: Call, identity: str, outputs: Inputs) -> None:
        """Take it away.

        Raises:
            RehearsalError: What the provider or the cloud would answer instead.
        """
        self.expect_deletable(call, identity, outputs)

    # What the types of resources differ in.

    def there(self, inputs: Inputs, outputs: Inputs) -> Inputs:
        """What a program is compared with: what it said last, where the cloud took it."""
        del outputs
        return inputs

    def fill(self, call: Call, old: Inputs, new: Inputs) -> Inputs:
        """The inputs with the provider's own defaults."""
        del call, old
        return new

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """What the vendor's API would refuse, of inputs that the schema allows."""
        del call, inputs
        yield from ()

    def expect_deletable(self, call: Call, identity: str, outputs: Inputs) -> None:
        """Raise what would be answered where it must not go."""

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """What the cloud adds to a new resource."""
        del call, inputs
        return {}

    def recomputed(self, call: Call, old: dict[str, Any], new: dict[str, Any]) -> Inputs:
        """What the cloud computes anew after an update."""
        del call, old, new
        return {}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The id of a new resource."""
        del outputs
        return str(inputs.get(self.autoname.field) if self.autoname else call.chance("id"))

    def imported(self, call: Call, identity: str) -> Inputs:
        """What an id to import says about the resource's inputs."""
        del call
        return {self.autoname.field: identity} if self.autoname else {}

    def is_replacing(self, change: Change, old: Inputs, new: Inputs) -> bool:
        """Whether a change cannot be made in place."""
        del old, new
        return any(change.touches(pattern) for pattern in self.replaces)

    def deletes_first(self, new: Inputs) -> bool:
        """Whether the old one has to go first: a name of the program's own may be taken.

        Source: pulumi-terraform-bridge, nameRequiresDeleteBeforeReplace.
        """
        named = self.autoname is not None and self.autoname.field not in new.get(DEFAULTS, [])
        return self.delete_first or (named and self.autoname is not None and new.get(self.autoname.field) is not None)

    # Common to all.

    def _unmarked(self, inputs: Inputs) -> Iterator[Refusal]:
        marked = {dotted(path) for path in secret_paths(inputs)}
        for path in sorted(self.secrets | self.schema.secret_inputs):
            parents = {".".join(path.split(".")[:depth]) for depth in range(1, path.count(".") + 2)}
            if at(inputs, path) not in (None, UNKNOWN) and not parents & marked:
                reason = (
                    "expected a secret: unmarked it would stand in the state in clear. Wrap it in pulumi.Output.secret"
                )
                yield Refusal(path, reason)

    def _foreseen(self, inputs: Inputs) -> Inputs:
        unknown: dict[str, Tree] = dict.fromkeys(self.schema.outputs - inputs.keys(), UNKNOWN)
        return {**self._marked(unknown), **inputs}

    def _marked(self, outputs: Inputs) -> Inputs:
        secret = self.schema.secret_outputs
        return {
            key: Secret(value) if key in secret and not isinstance(value, Secret) else value
            for key, value in outputs.items()
        }


def _scrubbed(refusal: Refusal, secrets: list[str]) -> Refusal:
    """A refusal that tells no secret: a vendor's model may quote what it judged."""
    reason = refusal.reason
    for secret in secrets:
        reason = reason.replace(secret, "[secret]")
    return Refusal(refusal.path, reason)
