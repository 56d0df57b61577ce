"""What the engine is about to do, collected from the events of a preview."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.automation.events import EngineEvent, StepEventMetadata

from infra.changes import changed, differences
from infra.layout import PROJECT
from infra.policy.enforcement import Gate
from infra.policy.rule import CLOUDS, Resource
from infra.policy.servers import SERVERS, replica

REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
"""The engine's words for the steps of a replacement."""

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
    def cloud(self) -> str:
        """Its section of the stack file; read-only."""
        return CLOUDS.get(self.type.partition(":")[0], "")

    @property
    def leads(self) -> bool:
        """Whether it is a server, and not one that follows another; read-only."""
        return self.type in SERVERS and not replica(Resource(self.type, self.name, self.inputs))


class Plan:
    """The steps of a preview, collected from its events.

    Attributes:
        steps: One step for each resource.
        profile: The stack's profile.
        stated: The major versions that generations state for themselves.
        lifted: Whether the stack file says in words that protection is off somewhere.
        refused: What the engine itself refused for its protection, before it was a step: operations by URN.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.steps: dict[str, Step] = {}
        self.profile = "prod"
        self.stated: frozenset[int] = frozenset()
        self.lifted = False
        self.refused: dict[str, str] = {}

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        if event.prelude_event:
            config = event.prelude_event.config
            self.profile = config.get(f"{PROJECT}:profile", self.profile)
            section = config.get(f"{PROJECT}:{config.get(f'{PROJECT}:backend')}", "{}")
            self.stated = _stated(section)
            self.lifted = re.search(r'"deletion_protection":\s*false', section) is not None
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
        """Make steps of what the engine refused, with the inputs that differ: it does not tell which one did it.

        Args:
            resources: The resources of the state.
        """
        known = {resource["urn"]: resource for resource in resources}
        new = {(resource.type, resource.name): resource.inputs for resource in Gate.registered}
        for urn, operation in self.refused.items():
            kind = urn.split("::")[2].rpartition("$")[2]
            asked, old = new.get((kind, urn.rsplit("::", 1)[-1]), {}), known.get(urn, {})
            causes = tuple(differences(old.get("inputs") or {}, asked)) if operation == "replace" else ()
            place = {"id": old.get("id", ""), "outputs": old.get("outputs") or {}}
            self.steps.setdefault(urn, Step(operation, kind, urn, protect=True, causes=causes, **place))


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


def _stated(section: str) -> frozenset[int]:
    """The versions that the generations of a section, which is JSON text, state for themselves."""
    try:
        servers = json.loads(section).get("servers") or []
        return frozenset(int(server["version"]) for server in servers if server.get("version"))
    except (AttributeError, KeyError, TypeError, ValueError):
        return frozenset()  # The program refuses such a section in its own words.
