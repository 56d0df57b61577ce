"""What the engine is about to do, collected from the events of a preview."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.automation.events import EngineEvent, StepEventMetadata

from infra.changes import changed, differences
from infra.policy.enforcement import Gate
from infra.policy.rule import Resource, cloud_of
from infra.policy.servers import SERVERS, replica

REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced", "import-replacement"})
"""The engine's words for the steps of a replacement."""

GONE: Final = frozenset({"delete", *REPLACES})
"""The engine's words for the steps after which a resource is not there, or another one."""

_PROTECTED: Final = re.compile(r'unable to replace resource "([^"]+)"|resource "([^"]+)" cannot be deleted')
"""The engine's words for what it refuses to do to a protected resource."""


@dataclass(frozen=True)
class Step:
    """What a plan does to one resource.

    Attributes:
        operation: The engine's word, for example `create-replacement`.
        type: The resource's token.
        urn: Its URN.
        parent: The URN of the component it is in.
        protect: Whether the engine was told to protect it, as of the last `up`.
        retained: Whether the engine was told to leave it in the cloud when it goes out of the stack.
        inputs: Its inputs as of the last `up`.
        wanted: Its inputs as the program asks for them now; empty where it goes.
        keeps: Whether the engine is told to protect it from now on.
        causes: The properties whose change makes a replacement.
        changes: All properties that it changes.
        id: The cloud's id of it, as of the last `up`.
        outputs: What the cloud told of it then.
    """

    operation: str
    type: str
    urn: str
    parent: str = ""
    protect: bool = False
    retained: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    wanted: Mapping[str, Any] = field(default_factory=dict)
    keeps: bool = False
    causes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the program; read-only."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def generation(self) -> str:
        """Of a server the id of its generation, which has no hyphen and ends its name in the program; read-only."""
        return self.name.rpartition("-")[2]

    @property
    def cloud(self) -> str:
        """Its section of the stack file; read-only."""
        return cloud_of(self.type)

    @property
    def leads(self) -> bool:
        """Whether it is a server, and not one that follows another; read-only."""
        return self.type in SERVERS and not replica(Resource(self.type, self.name, self.inputs))


class Plan:
    """The steps of a preview, collected from its events.

    Attributes:
        steps: One step for each resource.
        config: The engine's configuration, `project:key` to text.
        refused: What the engine itself refused for its protection, before it was a step: operations by URN.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.steps: dict[str, Step] = {}
        self.config: Mapping[str, str] = {}
        self.refused: dict[str, str] = {}

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        if event.prelude_event:
            self.config = event.prelude_event.config
        elif event.resource_pre_event:
            step = step_of(event.resource_pre_event.metadata)
            known = self.steps.get(step.urn)
            # A replacement comes as three steps, of which not all know the properties.
            if known is None or known.operation not in REPLACES or (step.causes and not known.causes):
                self.steps[step.urn] = step
        elif event.diagnostic_event:
            for replaced, deleted in _PROTECTED.findall(event.diagnostic_event.message):
                self.refused[replaced or deleted] = "replace" if replaced else "delete"

    def add_refused(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Make steps of what the engine refused, and of the servers that it did not come to any more.

        It does not tell which property did it, so all inputs that differ are named; and it refuses to delete when the
        program is through, so what that has not registered goes as well.

        Args:
            resources: The resources of the state.
        """
        known = {resource["urn"]: resource for resource in resources if not resource.get("delete")}
        asked = {(resource.type, resource.name): resource.inputs for resource in Gate.registered}
        refused = dict(self.refused)
        if "delete" in refused.values():
            servers = (urn for urn, resource in known.items() if resource["type"] in SERVERS)
            refused |= {urn: "delete" for urn in servers if _place(urn) not in asked and urn not in refused}
        for urn, operation in refused.items():
            old = known.get(urn, {})
            inputs = old.get("inputs") or {}
            causes = tuple(differences(inputs, asked.get(_place(urn), {}))) if operation == "replace" else ()
            place = {"id": old.get("id", ""), "parent": old.get("parent", ""), "outputs": old.get("outputs") or {}}
            protect = urn in self.refused or bool(old.get("protect"))
            step = Step(operation, _place(urn)[0], urn, protect=protect, inputs=inputs, causes=causes, **place)
            self.steps.setdefault(urn, step)


def _place(urn: str) -> tuple[str, str]:
    """The type and the name of a resource."""
    return urn.split("::")[2].rpartition("$")[2], urn.rsplit("::", 1)[-1]


def step_of(step: StepEventMetadata) -> Step:
    """A step as the guard looks at it, from the engine's own words; read-only."""
    old, known = step.old, step.old or step.new
    replaced = [path for path, diff in (step.detailed_diff or {}).items() if "replace" in diff.diff_kind.value]
    return Step(
        operation=step.op.value,
        type=step.type,
        urn=step.urn,
        parent=known.parent if known else "",
        protect=bool(old and old.protect),
        retained=bool(old and old.retain_on_delete),
        inputs=(old.inputs if old else None) or {},
        wanted=(step.new.inputs if step.new else None) or {},
        keeps=bool(step.new and step.new.protect),
        causes=tuple(dict.fromkeys([*(step.keys or ()), *replaced])),
        changes=changed(step),
        id=(old.id if old else "") or "",
        outputs=(old.outputs if old else None) or {},
    )
