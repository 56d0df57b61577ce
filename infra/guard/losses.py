"""The steps of a plan that would cost a database, each told in one line with what to do instead."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from infra.guard.ground import GROUND
from infra.guard.plan import GONE, REPLACES, Step
from infra.guard.standing import Standing
from infra.layout import PROJECT
from infra.policy.servers import AWS, SERVERS

DATABASES: Final = frozenset({"gcp:sql/database:Database", "azure-native:dbforpostgresql:Database"})
"""What has the sessions in it, by type, where it is a resource beside its server."""

_AWS_SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105  # A type, no secret.

KEPT: Final[Mapping[str, str]] = {
    **dict.fromkeys(SERVERS, "server"),
    **dict.fromkeys(DATABASES, "database"),
    "gcp:sql/user:User": "role that owns the tables",
    "gcp:secretmanager/secret:Secret": "secret",
    _AWS_SECRET: "secret",
    "azure-native:keyvault:Secret": "secret",
    "azure-native:keyvault:Vault": "vault of secrets",
    "gcp:kms/cryptoKey:CryptoKey": "key",
    "aws:kms/key:Key": "key",
    "azure-native:keyvault:Key": "key",
    "aws:rds/snapshot:Snapshot": "backup",
}
"""What a database is made of, by type: whatever of it goes does not come back.

Not so replicated backups of RDS: they stay for their retention once the replication ends, or goes to another region
(Amazon RDS User Guide, "Stopping automated backup replication").
"""

_ADOPTS: Final = "import-replacement"
"""The engine's word for what takes the place of a resource that is there by an import."""

_OUTLIVING: Final = frozenset({"aws:kms/key:Key"})
"""What the stack may forget where it stays in the cloud, with all that it unlocks."""


def losses(steps: Iterable[Step], *, stack: str, standing: Standing) -> Iterator[str]:
    """The lines about what a plan would cost; read-only.

    No server is replaced, in no profile, and the last one goes with the whole stack alone; any other one is deleted
    once its protection is lifted. A database goes with its server. The rest goes with its server as well, or once no
    server of the stack is protected any more.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
        standing: The servers that stay.
    """
    plan = list(steps)
    gone = [step for step in plan if step.operation in GONE and step.cloud and step.type in KEPT]
    servers = [step for step in gone if step.type in SERVERS and _taken_away(step, standing)]
    yield from (_server(step, stack, last=not standing.leaders) for step in servers)
    yield from (_database(step, stack) for step in gone if step.type in DATABASES and step.parent in standing.homes)
    parts = [step for step in gone if step.type not in (*SERVERS, *DATABASES) and _part_lost(step, plan, standing)]
    # What goes beside a server does so by the same edit, whose line is there already.
    if parts and not servers:
        yield _parts(parts, stack)


def _taken_away(server: Step, standing: Standing) -> bool:
    """Whether it costs a database that a server goes; a replica holds nothing that its leader does not."""
    return server.protect or (server.leads and (server.operation in REPLACES or not standing.leaders))


def _part_lost(step: Step, plan: Iterable[Step], standing: Standing) -> bool:
    """Whether it costs a database that this goes, which is neither a server nor a database itself."""
    if step.operation not in REPLACES:
        outlives = step.retained and step.type in _OUTLIVING
        retired = step.parent in {each.parent for each in plan if each.leads and each.operation == "delete"}
        if outlives or (retired and not step.protect) or _handed_over(step, plan):
            return False
    return step.protect or standing.guarded


def _handed_over(step: Step, plan: Iterable[Step]) -> bool:
    """Whether it is the owner's password, which RDS makes and keeps from now on."""
    wanted = [each.wanted for each in plan if each.type == AWS and each.leads and each.wanted]
    owners = step.type == _AWS_SECRET and step.name.endswith("-owner")
    return owners and bool(wanted) and all(each.get("manageMasterUserPassword") is True for each in wanted)


def held(resources: Iterable[Mapping[str, Any]], *, stack: str) -> Iterator[str]:
    """The lines about what keeps a stack from being taken down, one for all that the same word lets go; read-only.

    The engine itself meets the protected resource last, when alarms and secrets are gone already.

    Args:
        resources: The resources of the exported state.
        stack: The stack's name, to name its file.
    """
    kept: dict[tuple[str, bool], list[Step]] = {}
    for resource in resources:
        if resource.get("protect") and not resource.get("delete"):
            step = Step("delete", resource["type"], resource["urn"])
            kept.setdefault((step.cloud, _follows(step)), []).append(step)
    yield from (_protected(steps, stack) for steps in kept.values())


def _server(step: Step, stack: str, *, last: bool) -> str:
    second = f"For example: session-db promote --from-stack {stack} --stack {stack}2"
    if step.operation == _ADOPTS:
        return (
            f"{where(step, stack)} to stay, but `adopt` of {step.generation} would put another server in its place: "
            "it is for a generation that is not there yet. Take it out, or adopt as a new generation. For example: "
            f"{PROJECT}:{step.cloud}: {{servers: [{{id: g1}}, {{id: g2, adopt: <the server>}}]}}"
        )
    if step.operation in REPLACES:
        return (
            f"{where(step, stack)} to stay, but a change of {_causes([step])} replaces it: set it back, or copy the "
            f"sessions to a second stack, which has it otherwise. {second}"
        )
    if not (step.leads and last):
        return _protected([step], stack)
    return (
        f"{where(step, stack)} to stay, but it is deleted, and no other one stays: the last one goes with the whole "
        f"stack alone. Set the edit back, or take the stack down. For example: make destroy STACK={stack}"
    )


def _follows(step: Step) -> bool:
    return step.type in SERVERS and not step.leads


def _protected(steps: list[Step], stack: str) -> str:
    """The line about what goes once its protection is lifted."""
    step, *others = steps
    there = f"{where(step, stack)}{_named(others)}"
    if _follows(step):
        return (
            f"{there} to stay, but it is deleted, and it is what is promoted where the region is lost: "
            f"lift its own protection with one `up`, let it go with the next. For example: {PROJECT}:{step.cloud}: "
            "{replica_protection: false}"
        )
    section = step.cloud or "gcp"
    does = "they are deleted: lift their" if others else "it is deleted: lift its"
    return (
        f"{there} to stay, but {does} protection with one `up`, let {'them' if others else 'it'} go with the "
        f"next. For example: {PROJECT}:{section}: {{servers: [{{id: g1, deletion_protection: false}}, {{id: g2}}], "
        f"active: g2}}, or to take all of it down: {PROJECT}:{section}: {{deletion_protection: false}}, in profile "
        f"prod with {PROJECT}:waivers: {{deletion-protection: <the reason>}}"
    )


def _database(step: Step, stack: str) -> str:
    return (
        f"{where(step, stack)} to stay as long as its server does, which would go on without the sessions: set "
        f"`database`, `restore` or `adopt` back, or copy the sessions to a second stack. "
        f"For example: session-db promote --from-stack {stack} --stack {stack}2"
    )


def _parts(lost: list[Step], stack: str) -> str:
    """One line for all of them: one edit does it."""
    first, *others = lost
    them = "them" if others else "it"
    replaced = any(step.operation in REPLACES for step in lost)
    does = f"a change of {_causes(lost)} replaces {them}" if replaced else f"the edit deletes {them}"
    return (
        f"{where(first, stack)}{_named(others)} to stay, but {does}: set it back, or copy the sessions to a second "
        f"stack, which has it otherwise. For example: session-db promote --from-stack {stack} --stack {stack}2"
    )


def _named(others: Iterable[Step]) -> str:
    return "".join(f", the {_kind(step)} {step.name}" for step in others)


def _causes(lost: Iterable[Step]) -> str:
    return ", ".join(dict.fromkeys(cause for step in lost for cause in step.causes)) or "something it depends on"


def where(step: Step, stack: str) -> str:
    """The start of each line: the file, the key and the resource; read-only."""
    key = f"{PROJECT}:{step.cloud}" if step.cloud else PROJECT
    return f"Pulumi.{stack}.yaml: {key}: expected the {_kind(step)} {step.name} ({step.type})"


def _kind(step: Step) -> str:
    return KEPT.get(step.type, "network" if step.type in GROUND else step.type)
