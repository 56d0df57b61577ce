"""The rotation of passwords, which goes one step at a time and never back."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from infra.guard.plan import REPLACES, Step
from infra.layout import PROJECT

_PASSWORD: Final = "random:index/randomPassword:RandomPassword"  # noqa: S105  # A type, no password.

_APP: Final = re.compile(r"-app-[12]\Z")


def rotation(steps: Iterable[Step], *, stack: str) -> Iterator[str]:
    """The line about a rotation that shuts out whoever is in; read-only.

    Of the app's two roles only the one that nobody uses gets a new password.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
    """
    plan = list(steps)
    renewed = [step for step in plan if step.type == _PASSWORD and step.operation in REPLACES]
    section = f"{PROJECT}:{next((step.cloud for step in plan if step.leads), 'gcp')}"
    now = max((_count(step.inputs) for step in renewed), default=0)
    why = ""
    if any(_count(step.wanted) < _count(step.inputs) for step in renewed):
        why = "counted down, the role in use gets another password"
    elif len({step.name for step in renewed if _APP.search(step.name)}) > 1:
        why = "by more, the role in use gets a new password as well"
    if why:
        yield (
            f"Pulumi.{stack}.yaml: {section}.rotation: expected it to be counted up by one: {why}, and API servers "
            f"that run are shut out. For example: {section}: {{rotation: {now + 1}}}"
        )


def _count(inputs: Mapping[str, Any]) -> int:
    """The rotation that a password is of, 0 where it does not say."""
    keepers = inputs.get("keepers")
    text = str(keepers.get("rotation", 0) if isinstance(keepers, Mapping) else 0)
    return int(text) if text.removeprefix("-").isdigit() else 0
