"""The steps of a plan that would cost a database, each told in one line with what to do instead."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from infra.guard.ground import GONE, GROUND
from infra.guard.plan import REPLACES, Step
from infra.layout import PROJECT
from infra.policy.servers import SERVERS

KEPT: Final[Mapping[str, str]] = dict.fromkeys(SERVERS, "server") | {
    "gcp:sql/database:Database": "database",
    "gcp:sql/user:User": "role that owns the tables",
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

_OUTLIVING: Final = frozenset({"aws:kms/key:Key"})
"""What the stack may forget where it stays in the cloud, with all that it unlocks."""

_RENEWED: Final = frozenset({"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"})
"""What may be replaced: copies that are there stay for their retention.

Source: Amazon RDS User Guide, "Stopping automated backup replication".
"""


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
    gone = [step for step in plan if step.operation in GONE and step.cloud and step.type in KEPT]
    lost = [step for step in gone if _lost(step, profile, guarded=guarded, retired=step.parent in retired)]
    yield from _replacements([step for step in lost if step.operation in REPLACES], stack)
    yield from (_deletion(step, stack) for step in lost if step.operation not in REPLACES)


def _lost(step: Step, profile: str, *, guarded: bool, retired: bool) -> bool:
    """Whether it costs a database that this goes."""
    replaced = step.operation in REPLACES
    if step.retained and not replaced and step.type in _OUTLIVING:
        return False
    if step.type in SERVERS:
        return step.protect or (replaced and profile == "prod" and step.leads)
    renewed = replaced and step.type in _RENEWED
    return step.protect or (guarded and not renewed and (replaced or not retired))


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


def _replacements(lost: list[Step], stack: str) -> Iterator[str]:
    """One line for each server, else one for the rest: what is replaced beside a server is so by the same edit."""
    servers = [step for step in lost if step.type in SERVERS]
    for step in servers:
        causes = ", ".join(step.causes) or "something it depends on"
        yield (
            f"{where(step, stack)} to stay, but a change of {causes} replaces it: set it back, or copy the sessions to "
            f"a second stack, which has it otherwise. For example: session-db promote --from-stack {stack} "
            f"--stack {stack}2"
        )
    if lost and not servers:
        first, *others = lost
        causes = ", ".join(dict.fromkeys(cause for step in lost for cause in step.causes)) or "something it depends on"
        parts = "".join(f", the {_kind(step)} {step.name}" for step in others)
        yield (
            f"{where(first, stack)}{parts} to stay, but a change of {causes} replaces {'them' if others else 'it'}: "
            "set it back, or lift the protection of the servers first. "
            f"For example: {PROJECT}:{first.cloud}: {{deletion_protection: false}}"
        )


def _deletion(step: Step, stack: str) -> str:
    if step.type in SERVERS and not step.leads:
        return (
            f"{where(step, stack)} to stay, but it is deleted, and it is what is promoted where the region is lost: "
            f"lift its own protection with one `up`, let it go with the next. For example: {PROJECT}:{step.cloud}: "
            "{replica_protection: false}"
        )
    section = step.cloud or "gcp"
    return (
        f"{where(step, stack)} to stay, but it is deleted: lift its protection with one `up`, let it go with the "
        f"next. For example: {PROJECT}:{section}: {{servers: [{{id: g1, deletion_protection: false}}, {{id: g2}}], "
        f"active: g2}}, or to take all of it down: {PROJECT}:{section}: {{deletion_protection: false}}, in profile "
        f"prod with {PROJECT}:waivers: {{deletion-protection: <the reason>}}"
    )


def where(step: Step, stack: str) -> str:
    """The start of each line: the file, the key and the resource; read-only."""
    key = f"{PROJECT}:{step.cloud}" if step.cloud else PROJECT
    return f"Pulumi.{stack}.yaml: {key}: expected the {_kind(step)} {step.name} ({step.type})"


def _kind(step: Step) -> str:
    return KEPT.get(step.type, "network" if step.type in GROUND else step.type)
