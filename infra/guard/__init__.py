"""Refuses a plan that would cost a database.

`plan` collects it, `standing` and `said` tell what state and stack file hold against it, and `accounts`, `ground`,
`losses`, `edits` and `rotation` what has to stay and why.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.automation import CommandError, PreviewResult, Stack
from pulumi.automation.events import EngineEvent

from infra.errors import DeploymentError
from infra.guard.accounts import accounts, forgotten
from infra.guard.edits import edits
from infra.guard.ground import ground
from infra.guard.losses import held, losses
from infra.guard.plan import Plan, Step, step_of
from infra.guard.rotation import rotation
from infra.guard.said import Said
from infra.guard.standing import Standing, standing
from infra.policy.enforcement import Gate
from infra.policy.rule import cloud_of

__all__ = [
    "Plan",
    "Said",
    "Standing",
    "Step",
    "accounts",
    "concerns",
    "edits",
    "forgotten",
    "ground",
    "held",
    "losses",
    "preview",
    "refresh",
    "require_unprotected",
    "rotation",
    "standing",
]

Resources = Sequence[Mapping[str, Any]]
"""The resources of a stack's exported state, as of the last operation."""


def concerns(known: Resources) -> bool:
    """Whether there is anything of a cloud in a state, whatever the stack file says now; read-only.

    Args:
        known: The resources of the state.
    """
    return any(cloud_of(resource["type"]) for resource in known)


def preview(
    stack: Stack, options: Mapping[str, Any], *, name: str, known: Resources, quiet: bool = False
) -> PreviewResult:
    """Preview, and refuse what would cost a database; changes no resource.

    Args:
        stack: The stack.
        options: Of the Automation API's `preview`, `on_event` among them.
        name: The stack's name, to name its file.
        known: The resources of the state.
        quiet: Whether only errors are shown, since the same steps are about to be shown for real.

    Raises:
        CommandError: The engine could not even plan.
        DeploymentError: One line for each resource that has to stay.
    """
    plan = Plan()
    Gate.registered = []  # Of a program that registers nothing, another one's would be taken for its own.

    def event(event: EngineEvent) -> None:
        plan.event(event)
        told = event.diagnostic_event
        if not quiet or (told and told.severity == "error"):
            options["on_event"](event)

    try:
        result = stack.preview(**{**options, "on_event": event})
    except CommandError:
        if plan.refused:
            plan.add_refused(known)
        _require(plan, name, known)
        raise
    _require(plan, name, known)
    return result


def refresh(stack: Stack, options: Mapping[str, Any], *, name: str) -> None:
    """Look at what a refresh would find, and refuse one that would forget a database; changes no state.

    Args:
        stack: The stack.
        options: Of the Automation API's `preview_refresh`, `on_event` among them.
        name: The stack's name, to name its file.

    Raises:
        CommandError: The engine could not look.
        DeploymentError: One line for what has to stay in the state.
    """
    gone: list[Step] = []

    def event(event: EngineEvent) -> None:
        found, told = event.res_outputs_event, event.diagnostic_event
        if found and found.metadata.op.value == "delete":
            gone.append(step_of(found.metadata))
        if told and told.severity == "error":
            options["on_event"](event)

    stack.preview_refresh(**{**options, "on_event": event})
    if lines := list(forgotten(gone, stack=name)):
        raise DeploymentError("\n".join(lines))


def require_unprotected(known: Resources, *, name: str) -> None:
    """Refuse to take a stack down as long as something in it is protected; pure.

    Args:
        known: The resources of the state.
        name: The stack's name, to name its file.

    Raises:
        DeploymentError: One line for each resource that has to stay.
    """
    if lines := list(held(known, stack=name)):
        raise DeploymentError("\n".join(lines))


def _require(plan: Plan, stack: str, known: Resources) -> None:
    steps = list(plan.steps.values())
    stays = standing(steps, known)
    # In another account everything else would be lost as well: one line says it.
    lines = list(accounts(steps, stack=stack)) or [
        *ground(steps, stack=stack, standing=stays),
        *losses(steps, stack=stack, standing=stays),
        *edits(steps, stack=stack, said=Said(plan.config)),
        *rotation(steps, stack=stack),
    ]
    if lines:
        raise DeploymentError("\n".join(dict.fromkeys(lines)))
