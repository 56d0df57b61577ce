"""Refuses a plan that would replace or delete a database, and says which property does it and what to do instead."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.automation import CommandError, PreviewResult, Stack
from pulumi.automation.events import EngineEvent, StepEventMetadata

from infra.errors import DeploymentError
from infra.policy.enforcement import Gate
from infra.policy.rule import CLOUDS, UNKNOWN, Resource
from infra.policy.servers import SERVERS, replica

PROJECT: Final = "session-database"

KEPT: Final[Mapping[str, str]] = dict.fromkeys(SERVERS, "server") | {
    "gcp:sql/database:Database": "database",
    "azure-native:dbforpostgresql:Database": "database",
    "gcp:secretmanager/secret:Secret": "secret",
    "aws:secretsmanager/secret:Secret": "secret",
    "azure-native:keyvault:Secret": "secret",
    "azure-native:keyvault:Vault": "vault of secrets",
    "gcp:kms/cryptoKey:CryptoKey": "key",
    "aws:kms/key:Key": "key",
    "azure-native:keyvault:Key": "key",
    "aws:rds/snapshot:Snapshot": "backup",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": "copy of the backups",
}
"""What a database is made of, by type: whatever of it goes does not come back."""

_PROTECTED: Final = re.compile(r'unable to replace resource "([^"]+)"|resource "([^"]+)" cannot be deleted')
"""The engine's words for what it refuses to do to a protected resource."""

_SECRET: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105  # Marks a secret in a state (pulumi `sig`).

_REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_GONE: Final = frozenset({"delete", *_REPLACES})


def preview(stack: Stack, options: Mapping[str, Any], *, name: str, quiet: bool = False) -> PreviewResult:
    """Preview, and refuse what would cost a database; changes no resource.

    Args:
        stack: The stack.
        options: Of the Automation API's `preview`, `on_event` among them.
        name: The stack's name, to name its file.
        quiet: Whether only errors are shown, since the same steps are about to be shown for real.

    Raises:
        CommandError: The engine could not even plan.
        DeploymentError: One line for each resource that has to stay.
    """
    plan = Plan()

    def event(event: EngineEvent) -> None:
        plan.event(event)
        told = event.diagnostic_event
        if not quiet or (told and told.severity == "error"):
            options["on_event"](event)

    try:
        result = stack.preview(**{**options, "on_event": event})
    except CommandError:
        if plan.refused:
            plan.add_refused(_resources(stack))
        plan.require(name)
        raise
    plan.require(name)
    return result


def require_unprotected(stack: Stack, *, name: str) -> None:
    """Refuse to take a stack down as long as something in it is protected; read-only.

    Args:
        stack: The stack.
        name: Its name, to name its file.

    Raises:
        DeploymentError: One line for each resource that has to stay.
    """
    if lines := list(held(_resources(stack), stack=name)):
        raise DeploymentError("\n".join(lines))


def _resources(stack: Stack) -> list[dict[str, Any]]:
    """The resources of the state, as of the last operation."""
    return list((stack.export_stack().deployment or {}).get("resources") or [])


@dataclass(frozen=True)
class Step:
    """What a plan does to one resource.

    Attributes:
        operation: The engine's word, for example `create-replacement`.
        type: The resource's token.
        urn: Its URN.
        parent: The URN of the component it is in.
        protect: Whether the engine was told to protect it, as of the last `up`.
        inputs: Its inputs as of the last `up`.
        causes: The properties whose change makes a replacement.
    """

    operation: str
    type: str
    urn: str
    parent: str = ""
    protect: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    causes: tuple[str, ...] = ()

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
        refused: What the engine itself refused for its protection, before it was a step: operations by URN.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.steps: dict[str, Step] = {}
        self.profile = "prod"
        self.refused: dict[str, str] = {}

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        if event.prelude_event:
            self.profile = event.prelude_event.config.get(f"{PROJECT}:profile", self.profile)
        elif event.resource_pre_event:
            step = _step(event.resource_pre_event.metadata)
            known = self.steps.get(step.urn)
            # A replacement comes as three steps; the first of them knows the properties.
            if known is None or known.operation not in _REPLACES:
                self.steps[step.urn] = step
        elif event.diagnostic_event:
            for replaced, deleted in _PROTECTED.findall(event.diagnostic_event.message):
                self.refused[replaced or deleted] = "replace" if replaced else "delete"

    def add_refused(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Make steps of what the engine refused, with the inputs that differ: it does not tell which one did it.

        Args:
            resources: The resources of the state.
        """
        old = {resource["urn"]: resource.get("inputs") or {} for resource in resources}
        new = {(resource.type, resource.name): resource.inputs for resource in Gate.registered}
        for urn, operation in self.refused.items():
            kind = urn.split("::")[2].rpartition("$")[2]
            asked = new.get((kind, urn.rsplit("::", 1)[-1]), {})
            causes = tuple(differences(old.get(urn, {}), asked)) if operation == "replace" else ()
            self.steps.setdefault(urn, Step(operation, kind, urn, protect=True, causes=causes))

    def require(self, stack: str) -> None:
        """Refuse what would cost a database; read-only.

        Args:
            stack: The stack's name, to name its file.

        Raises:
            DeploymentError: One line for each resource that has to stay.
        """
        if lines := list(losses(self.steps.values(), stack=stack, profile=self.profile)):
            raise DeploymentError("\n".join(lines))


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The paths of inputs that are asked for otherwise than they are in the state; read-only.

    What is in the state alone is a provider's default, and what is secret there cannot be compared.

    >>> list(differences({"region": "a", "name": "x", "s": {"tier": 1, "d": 0}}, {"region": "b", "s": {"tier": 1.0}}))
    ['region']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in new.keys() & old.keys() if path else new.keys():
            if not (isinstance(old.get(key), Mapping) and _SECRET in old[key]):
                yield from differences(old.get(key), new[key], f"{path}.{key}" if path else key)
    elif new is not UNKNOWN and old != new:
        yield path


def _step(step: StepEventMetadata) -> Step:
    old = step.old
    replaced = [path for path, diff in (step.detailed_diff or {}).items() if "replace" in diff.diff_kind.value]
    return Step(
        operation=step.op.value,
        type=step.type,
        urn=step.urn,
        parent=old.parent if old else "",
        protect=bool(old and old.protect),
        inputs=(old.inputs if old else None) or {},
        causes=tuple(dict.fromkeys([*(step.keys or ()), *replaced])),
    )


def losses(steps: Iterable[Step], *, stack: str, profile: str) -> Iterator[str]:
    """The lines about what a plan would cost; read-only.

    A server is deleted only once its protection is lifted, and in production never replaced. The rest of a database
    goes with its server, or once no server of the stack is protected any more.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
        profile: The stack's profile.
    """
    plan = list(steps)
    guarded = any(step.protect for step in plan if step.leads)
    retired = {step.parent for step in plan if step.leads and step.operation == "delete" and not step.protect}
    for step in plan:
        if step.operation not in _GONE or step.type not in KEPT or not step.cloud:
            continue
        replaced = step.operation in _REPLACES
        if step.type in SERVERS:
            lost = step.protect or (replaced and profile == "prod" and step.leads)
        else:
            lost = step.protect or (guarded and (replaced or step.parent not in retired))
        if lost:
            yield _replacement(step, stack) if replaced else _deletion(step, stack)


def held(resources: Iterable[Mapping[str, Any]], *, stack: str) -> Iterator[str]:
    """The lines about what keeps a stack from being taken down; read-only.

    The engine itself meets the protected resource last, when alarms and secrets are gone already.

    Args:
        resources: The resources of the exported state.
        stack: The stack's name, to name its file.
    """
    for resource in resources:
        if resource.get("protect") and not resource.get("delete"):
            yield _deletion(Step("delete", resource["type"], resource["urn"]), stack)


def _replacement(step: Step, stack: str) -> str:
    causes = ", ".join(step.causes) or "something it depends on"
    instead = (
        f"set it back, and make a second server beside this one if you need the change. For example: "
        f"{PROJECT}:{step.cloud}: {{servers: [{{id: g1}}, {{id: g2, restore: {{from: g1, time: latest}}}}]}}"
        if step.type in SERVERS
        else "set it back, or lift the protection of the servers first. "
        f"For example: {PROJECT}:{step.cloud}: {{deletion_protection: false}}"
    )
    return f"{_where(step, stack)} to stay, but a change of {causes} replaces it: {instead}"


def _deletion(step: Step, stack: str) -> str:
    section = step.cloud or "gcp"
    return (
        f"{_where(step, stack)} to stay, but it is deleted: lift its protection with one `up`, let it go with the "
        f"next. For example: {PROJECT}:{section}: {{servers: [{{id: g1, deletion_protection: false}}, {{id: g2}}], "
        f"active: g2}}, or to take all of it down: {PROJECT}:{section}: {{deletion_protection: false}}, in profile "
        f"prod with {PROJECT}:waivers: {{deletion-protection: <the reason>}}"
    )


def _where(step: Step, stack: str) -> str:
    key = f"{PROJECT}:{step.cloud}" if step.cloud else PROJECT
    kind = KEPT.get(step.type, step.type)
    return f"Pulumi.{stack}.yaml: {key}: expected the {kind} {step.name} ({step.type})"
