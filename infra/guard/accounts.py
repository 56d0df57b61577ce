"""The project, account or subscription that servers are in: in another one they would be looked for in vain."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from infra.guard.plan import Step
from infra.layout import PROJECT
from infra.policy.servers import AWS, GCP

_ACCOUNTS: Final = {
    "pulumi:providers:gcp": ("gcp", "project", "project"),
    "pulumi:providers:aws": ("aws", "account", "allowedAccountIds"),
    "pulumi:providers:azure-native": ("azure", "subscription", "subscriptionId"),
}
"""Of each provider: the section, the setting in it, and the provider's own name for that."""


def accounts(steps: Iterable[Step], *, stack: str) -> Iterator[str]:
    """The lines about another account than that of the servers: a provider would look for them there; read-only.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
    """
    plan = list(steps)
    for step in plan:
        section, key, name = _ACCOUNTS.get(step.type, ("", "", ""))
        homes = {home for each in plan if each.cloud == section and each.leads and (home := home_of(each))}
        asked = _names(step.wanted.get(name)) if name and step.operation != "same" else frozenset()
        if homes and asked and not asked & homes:
            home = min(homes)
            yield (
                f"Pulumi.{stack}.yaml: {PROJECT}:{section}.{key}: expected {home}, where the servers are, but "
                f"{', '.join(sorted(asked))} is asked for. A second stack can be there. "
                f"For example: {PROJECT}:{section}: {{{key}: '{home}'}}"
            )


def forgotten(steps: Iterable[Step], *, stack: str) -> Iterator[str]:
    """The line about protected resources that a refresh would forget, as in another account; read-only.

    Args:
        steps: What the refresh would take out of the state.
        stack: The stack's name, to name its file.
    """
    gone = [step for step in steps if step.protect]
    if not gone:
        return
    section, key, _name = next(
        (each for each in _ACCOUNTS.values() if each[0] == gone[0].cloud), ("gcp", "project", "")
    )
    home = next(filter(None, map(home_of, gone)), "")
    names = ", ".join(f"{step.type.rpartition(':')[2]} {step.name}" for step in gone)
    yield (
        f"Pulumi.{stack}.yaml: {PROJECT}:{section}.{key}: expected {names} to be there, but the cloud knows nothing of "
        "it: a refresh would forget it, and the next `up` make an empty one. Log in to the account that it is in; if "
        f"it is gone, forget it with: pulumi refresh --stack {stack}. "
        f"For example: {PROJECT}:{section}: {{{key}: '{home}'}}"
    )


def home_of(step: Step) -> str:
    """The project, account or subscription that a server is in, as its cloud told; empty where it did not. Read-only.

    >>> home_of(Step("same", AWS, "urn", outputs={"arn": "arn:aws:rds:eu-west-1:123456789012:db:sessions"}))
    '123456789012'
    """
    if step.type == GCP:
        return str(step.outputs.get("project") or "")
    if step.type == AWS:
        return _part(str(step.outputs.get("arn") or ""), ":", 4)
    return _part(step.id, "/", 2)


def _part(text: str, separator: str, place: int) -> str:
    return (text.split(separator) + [""] * (place + 1))[place]


def _names(value: Any) -> frozenset[str]:
    """One name, or a list of names as JSON text, which is how a provider's settings travel."""
    text = str(value or "")
    return frozenset(map(str, json.loads(text))) if text.startswith("[") else frozenset({text} - {""})
