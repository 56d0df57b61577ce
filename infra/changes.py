"""The properties of a resource that a step changes: as the engine tells them, else as its inputs differ."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi.automation.events import StepEventMetadata

from infra.policy.rule import UNKNOWN

_SECRET: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105  # Marks a secret in a state (pulumi `sig`).


def changed(step: StepEventMetadata) -> tuple[str, ...]:
    """The paths of what a step changes, names alone and never a value; read-only.

    The engine tells nothing of a provider's own settings, and an import has no old ones to differ from.
    """
    told = step.detailed_diff or step.diffs or step.keys
    old, new = ((side.inputs if side else None) or {} for side in (step.old, step.new))
    return tuple(dict.fromkeys(told or (differences(old, new) if step.old and step.new else ())))


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
