"""Refuses a plan that would cost a database.

`plan` collects it; `accounts`, `ground`, `losses` and `edits` tell what has to stay and why.
"""

from collections.abc import Mapping
from typing import Any

from pulumi.automation import CommandError, PreviewResult, Stack
from pulumi.automation.events import EngineEvent

from infra.errors import DeploymentError
from infra.guard.accounts import accounts, forgotten
from infra.guard.edits import edits
from infra.guard.ground import ground
from infra.guard.losses import held, losses
from infra.guard.plan import Plan, Step, step_of

__all__ = [
    "Plan",
    "Step",
    "accounts",
    "edits",
    "forgotten",
    "ground",
    "held",
    "losses",
    "preview",
    "refresh",
    "require_unprotected",
]


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
        _require(plan, name)
        raise
    _require(plan, name)
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


def _require(plan: Plan, stack: str) -> None:
    steps = list(plan.steps.values())
    # In another account everything else would be lost as well: one line says it.
    lines = list(accounts(steps, stack=stack)) or [
        *ground(steps, stack=stack),
        *losses(steps, stack=stack, profile=plan.profile),
        *edits(steps, stack=stack, stated=plan.stated, lifted=plan.lifted),
    ]
    if lines:
        raise DeploymentError("\n".join(dict.fromkeys(lines)))
