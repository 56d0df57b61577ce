"""Servers that a drill has kept and no stack knows: they hold what a server of the stack stands on, and must go first.

A cloud says so at the end of a destroy alone, when the stack's own servers are gone, and some do not say who holds it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from infra import stack_file
from infra.errors import DeploymentError
from infra.layout import PROJECT, ROOT
from infra.policy.rule import cloud_of
from infra.policy.servers import AWS, AZURE, GCP
from infra.unsettled import NAMES, adopted

Resources = Sequence[Mapping[str, Any]]
"""The resources of a stack's exported state."""

_NAME: Final = re.compile(r"[\w-]+-drill-[0-9a-f]{4}\b")
"""How a drill calls what it makes: the source's name, as far as there is room for it, and four digits."""

_IN_USE: Final = (
    *("InvalidDBParameterGroupState", "InvalidDBSubnetGroupState", "InUseSubnetCannotBeDeleted"),
    "Producer services",
)
"""The vendors' words for what a server stands on: RDS tells no name, nor does Google's peering."""

_LISTS: Final = {
    AWS: "aws rds describe-db-instances --query 'DBInstances[].DBInstanceIdentifier'",
    GCP: "gcloud sql instances list --format='value(name)'",
    AZURE: "az postgres flexible-server list --query '[].name' --output tsv",
}


def require_none(stack: str, known: Resources, there: Iterable[str], *, rehearsal: bool) -> None:
    """Refuse to take a stack down as long as a kept server would hold a part of it back.

    Args:
        stack: The stack's name.
        known: The resources of its state.
        there: The names of all servers in the cloud, as far as anybody tells; a rehearsal does.
        rehearsal: Whether it is one.

    Raises:
        DeploymentError: One line for each kept server.
    """
    if lines := list(_lines(stack, known, _beside(known, there), rehearsal=rehearsal)):
        raise DeploymentError("\n".join(lines))


def held(stack: str, known: Resources, told: str, *, rehearsal: bool) -> Iterator[str]:
    """A line for each server that holds back what could not be deleted; read-only.

    Args:
        stack: The stack's name.
        known: The resources of its state, as of before.
        told: What the engine said went wrong.
        rehearsal: Whether it was one.
    """
    if not any(word in told for word in _IN_USE):
        return
    names = list(_beside(known, _NAME.findall(told)))
    yield from _lines(stack, known, names, rehearsal=rehearsal)
    types = {each["type"] for each in known} & set(_LISTS)
    if not names and len(types) == 1:
        yield (
            f"a server that stack {stack} does not know uses it still, for example one that a drill kept, with -drill- "
            f"in its name. To find it: {_LISTS[types.pop()]}"
        )


def _beside(known: Resources, there: Iterable[str]) -> Iterator[str]:
    """Those that a drill made from a server of the stack, and the stack has not adopted."""
    own = {name for each in known if (name := _name(each))}
    for name in dict.fromkeys(there):
        source = name.rpartition("-drill-")[0]
        if _NAME.fullmatch(name) and name not in own and any(each.startswith(source) for each in own):
            yield name


def _lines(stack: str, known: Resources, names: Iterable[str], *, rehearsal: bool) -> Iterator[str]:
    config = stack_file.read(ROOT / f"Pulumi.{stack}.yaml").get("config") or {}
    for name in names:
        source = next(each for each in known if _name(each).startswith(name.rpartition("-drill-")[0]))
        type_, inputs = source["type"], {**(source.get("inputs") or {}), NAMES[source["type"]]: name}
        cloud = cloud_of(type_)
        one_more = f"{{id: {_next(config.get(f'{PROJECT}:{cloud}'))}, adopt: {adopted(config, type_, inputs)}}}"
        suffix = " --rehearse" if rehearsal else ""
        yield (
            f"{name}, which a drill has kept beside {_name(source)}, stands on parts of stack {stack}, which cannot go "
            f"before it. To delete it: session-db drill restore --stack {stack}{suffix} --discard {name}; to take it "
            f"in: one more in Pulumi.{stack}.yaml: {PROJECT}:{cloud}.servers: {one_more}, "
            f"then python -m infra up --stack {stack}{suffix}"
        )


def _next(section: Any) -> str:
    """The id of one more generation."""
    ids = {str(each.get("id")) for each in (section or {}).get("servers") or [{"id": "g1"}]}
    return next(each for number in count(len(ids) + 1) if (each := f"g{number}") not in ids)


def _name(resource: Mapping[str, Any]) -> str:
    """A server's name in its cloud; empty for anything else."""
    field = NAMES.get(resource["type"])
    if field is None:
        return ""
    said = (resource.get("outputs") or {}).get(field) or (resource.get("inputs") or {}).get(field)
    return str(said or str(resource.get("id") or "").rpartition("/")[2])
