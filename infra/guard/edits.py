"""Edits of a running server that no cloud takes back, or takes at all, though the engine would plan them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from infra.guard.losses import where
from infra.guard.plan import Step
from infra.guard.said import Said
from infra.layout import PROJECT
from infra.policy.servers import AWS, AZURE, GCP

_VERSION: Final = {GCP: "databaseVersion", AWS: "engineVersion", AZURE: "version"}

_MISSING: Final = re.compile(r"-is-not-(there|in-the-list-of-servers)")
"""How a backend names a source that the stack file does not have."""

_GCP_DATABASE: Final = "gcp:sql/database:Database"


def edits(steps: Iterable[Step], *, stack: str, said: Said) -> Iterator[str]:
    """The lines about edits in place that have to be refused; read-only.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
        said: What the stack file says of each generation.
    """
    plan = list(steps)
    cloned = {step.parent for step in plan if step.type == GCP and "clone" in step.inputs}
    for step in plan:
        if step.leads and step.operation == "create" and _MISSING.search(str(step.wanted)):
            yield (
                f"{where(step, stack)} to be restored from a server that is there, or from backups that are kept. "
                f"For example: {PROJECT}:{step.cloud}: {{servers: [{{id: g1}}, {{id: g2, restore: {{from: g1, time: "
                "latest}}]}"
            )
        if step.leads and step.inputs and step.wanted:
            yield from _version(step, stack, said)
            yield from _geo_backup(step, stack)
            if step.protect and not step.keeps and not said.lifts(step):
                yield (
                    f"{where(step, stack)} to stay protected: another profile alone does not lift protection. Say it "
                    f"first. For example: {PROJECT}:{step.cloud}: {{deletion_protection: false}}"
                )
        elif step.type == _GCP_DATABASE and step.operation == "create" and step.parent in cloned:
            yield (
                f"{where(step, stack)} to be left as it came with the restored server: Cloud SQL refuses to make it "
                f"again. Put `restore` back. For example: {PROJECT}:gcp: {{servers: [{{id: g2, restore: "
                f"{{from: g1, time: latest}}}}], active: g2}}"
            )


def _version(step: Step, stack: str, said: Said) -> Iterator[str]:
    """No cloud goes back, and a major upgrade in place is asked for by a generation, not by the section's default."""
    old, new = (major(inputs.get(_VERSION[step.type])) for inputs in (step.inputs, step.wanted))
    if not old or not new or old == new:
        return
    if new < old:
        yield (
            f"{where(step, stack)} at PostgreSQL {old} or above, but {new} is asked for, and no cloud goes back. "
            f"For example: {PROJECT}:{step.cloud}: {{version: {old}}}"
        )
    elif new != said.version(step):
        yield (
            f"{where(step, stack)} at PostgreSQL {old}: a generation that is to be upgraded in place says so itself. "
            f"For example: {PROJECT}:{step.cloud}: {{version: {old}, servers: [{{id: {step.generation}, version: "
            f"{new}}}]}}"
        )


def _geo_backup(step: Step, stack: str) -> Iterator[str]:
    """Azure decides on copies of backups when a server is made (Microsoft, "Backup and restore", geo-redundancy)."""
    old, new = (_geo(inputs) for inputs in (step.inputs, step.wanted))
    if step.type == AZURE and old and new and old != new:
        yield (
            f"{where(step, stack)} with the copies of its backups as it was made, which Azure never changes. Set "
            f"azure.backup.copy_region back, or copy the sessions to a second stack. For example: "
            f"session-db promote --from-stack {stack} --stack {stack}2"
        )


def _geo(inputs: Any) -> str:
    backup = inputs.get("backup")
    return str(backup.get("geoRedundantBackup", "")) if isinstance(backup, dict) else ""


def major(version: object) -> int:
    """The major version in a cloud's way to write one, 0 where it is not known; read-only.

    >>> major("POSTGRES_17"), major("17.4"), major("17"), major(None)
    (17, 17, 17, 0)
    """
    text = str(version or "").removeprefix("POSTGRES_").partition(".")[0]
    return int(text) if text.isdigit() else 0
