"""Behaviours that a cloud with a memory stands behind, where there is one: what is gone is gone, what is used stays."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from rehearsal.errors import CloudRefusalError, HalfMadeError
from rehearsal.plugin.behaviour import Behaviour, Call, State
from rehearsal.plugin.faults import Manners, through
from rehearsal.plugin.plane import Need, Plane, plane
from rehearsal.values import Inputs, Tree, reveal


@dataclass(frozen=True)
class Resource:
    """A resource that the cloud is asked about.

    Attributes:
        call: The engine's question.
        identity: Its id; as far as it is known, of a new one.
        inputs: Without marks of secrecy.
        outputs: The inputs and what a stand-in answers by itself, likewise.
    """

    call: Call
    identity: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class Living(Behaviour):
    """A type of resource of a cloud.

    Attributes:
        cloud: "aws", "gcp" or "azure".
        manners: What its provider does about faults.
    """

    cloud: ClassVar[str]
    manners: ClassVar[Manners]

    def create(self, call: Call, inputs: Inputs, *, preview: bool) -> tuple[str, Inputs]:
        """As a stand-in alone, and in the cloud.

        Raises:
            HalfMadeError: It is there, but something went wrong afterwards.
        """
        behind = None if preview else plane(self.cloud)
        identity, outputs = super().create(call if behind is None else call.salted(), inputs, preview=preview)
        if behind is None:
            return identity, outputs
        asked = _resource(call, identity, inputs, outputs)

        def work(half: bool) -> tuple[str, Inputs]:  # noqa: FBT001  # `through` says what it means.
            told = self.begin(behind, asked, half=half)
            known = {**outputs, **self._marked(told)}
            return self.identity_of(asked, reveal(known)), known

        made, wrong = through(behind, self.manners, (self.token, "create"), work)
        if wrong:
            raise HalfMadeError(wrong, *made, inputs)
        return made

    def update(self, call: Call, old: State, new: Inputs, *, preview: bool) -> Inputs:
        """As a stand-in alone, and in the cloud."""
        outputs = super().update(call, old, new, preview=preview)
        behind = None if preview else plane(self.cloud)
        if behind is None:
            return outputs
        asked, before = _resource(call, call.identity, new, outputs), reveal(old.inputs)

        def work(_half: bool) -> Inputs:  # noqa: FBT001  # The same again is no other half.
            return {**outputs, **self._marked(self.change(behind, asked, before))}

        done, wrong = through(behind, self.manners, (self.token, "update"), work)
        if wrong:
            raise CloudRefusalError(code="OperationFailed", message=wrong)
        return done

    def read(self, call: Call, identity: str, inputs: Inputs, outputs: Inputs) -> tuple[Inputs, Inputs] | None:
        """What the cloud knows of it, None where it is gone; a stand-in alone knows what the state does."""
        behind = plane(self.cloud)
        if behind is None:
            return super().read(call, identity, inputs, outputs)
        found, wrong = through(
            behind,
            self.manners,
            (self.token, "read"),
            lambda _half: self.look(behind, _resource(call, identity, inputs, outputs)),
        )
        if wrong:
            raise CloudRefusalError(code="OperationFailed", message=wrong)
        if found is None:
            return None
        if not outputs:
            return self._taken_in(call, identity, found)
        return overlaid(inputs, found.inputs), {**outputs, **overlaid(outputs, found.inputs), **found.outputs}

    def delete(self, call: Call, identity: str, outputs: Inputs) -> None:
        """As a stand-in alone, and in the cloud; what is gone already is no error, as for every provider."""
        super().delete(call, identity, outputs)
        behind = plane(self.cloud)
        if behind is None:
            return
        asked = _resource(call, identity, {}, outputs)
        _, wrong = through(behind, self.manners, (self.token, "delete"), lambda _half: self.end(behind, asked))
        if wrong:
            raise CloudRefusalError(code="OperationFailed", message=wrong)

    # What the types of resources differ in.

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """Make it, or half of it; what the cloud answers."""
        del half
        self._put(behind, this)
        return {}

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """Make it what it is to be, from what was asked before; what the cloud answers."""
        del before
        self._put(behind, this)
        return {}

    def look(self, behind: Plane, this: Resource) -> "Found | None":
        """What the cloud says of it; None where it is gone."""
        return None if behind.thing(this.identity) is None else Found({}, {})

    def end(self, behind: Plane, this: Resource) -> None:
        """Take it away."""
        behind.ask("things.remove", id=this.identity)

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """What it stands on."""
        del behind, this
        return ()

    def kept(self, this: Resource) -> dict[str, Any]:
        """What the cloud has to remember of it, for others; never a secret."""
        del this
        return {}

    def identity_of(self, this: Resource, outputs: dict[str, Any]) -> str:
        """The id, with what the cloud has answered."""
        del outputs
        return this.identity

    # Common to all.

    def _put(self, behind: Plane, this: Resource) -> None:
        needs = list(self.needs(behind, this))
        behind.ask("things.put", type=self.token, id=this.identity, needs=needs, config=self.kept(this))

    def _taken_in(self, call: Call, identity: str, found: "Found") -> tuple[Inputs, Inputs]:
        inputs, outputs = super().read(call, identity, {}, {}) or ({}, {})
        inputs = {**inputs, **found.inputs}
        return inputs, {**outputs, **inputs, **self._marked(found.outputs)}


@dataclass(frozen=True)
class Found:
    """What a cloud says of a resource.

    Attributes:
        inputs: By the names of Pulumi's inputs, nested as they are.
        outputs: What it says besides.
    """

    inputs: dict[str, Any]
    outputs: dict[str, Any]


def overlaid(said: Tree, found: Tree) -> Tree:
    """What was said, with what was found in its place; nothing is added that was not said.

    >>> overlaid({"tier": "a", "disk": {"size": 10}}, {"disk": {"size": 20, "type": "ssd"}, "zone": "b"})
    {'tier': 'a', 'disk': {'size': 20}}
    """
    if isinstance(said, dict) and isinstance(found, dict):
        return {key: overlaid(value, found[key]) if key in found else value for key, value in said.items()}
    return said if reveal(said) == found else found


def _resource(call: Call, identity: str, inputs: Inputs, outputs: Inputs) -> Resource:
    return Resource(call, identity, reveal(inputs), reveal(outputs))
