"""The servers that a plan leaves standing, and what they stand on, by the state and not by what the stack file says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.guard.plan import GONE, Step
from infra.policy.rule import Resource
from infra.policy.servers import SERVERS, replica

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True)
class Standing:
    """What stays of the servers of a state.

    Attributes:
        leaders: URNs of the servers that stay and follow no other one.
        homes: URNs of the components of all servers that stay.
        ground: URNs of all that the servers that stay depend on.
        guarded: Whether a server of the state that follows no other one is protected, whether it stays or not.
    """

    leaders: frozenset[str] = frozenset()
    homes: frozenset[str] = frozenset()
    ground: frozenset[str] = frozenset()
    guarded: bool = False


def standing(steps: Iterable[Step], resources: Iterable[Mapping[str, Any]]) -> Standing:
    """What a plan leaves standing; read-only.

    What a server that goes has asked for by itself, as the network of another region, goes with it, even where others
    have waited for it.

    Args:
        steps: What the plan does, one step for each resource.
        resources: The resources of the exported state.
    """
    there = {resource["urn"]: resource for resource in resources if not resource.get("delete")}
    gone = {step.urn for step in steps if step.operation in GONE}
    servers = [urn for urn, resource in there.items() if resource["type"] in SERVERS]
    stay, leave = [urn for urn in servers if urn not in gone], [urn for urn in servers if urn in gone]
    asked_for = _below(leave, there, waits=False) - _below(stay, there, waits=False)
    return Standing(
        leaders=frozenset(urn for urn in stay if _leads(there[urn])),
        homes=frozenset(str(there[urn].get("parent")) for urn in stay),
        ground=_below(stay, there, waits=True) - asked_for,
        guarded=any(there[urn].get("protect") and _leads(there[urn]) for urn in servers),
    )


def _leads(resource: Mapping[str, Any]) -> bool:
    return not replica(Resource(resource["type"], resource["urn"], resource.get("inputs") or {}))


def _below(urns: Iterable[str], there: Mapping[str, Mapping[str, Any]], *, waits: bool) -> frozenset[str]:
    """All that resources depend on, however far down; without `waits` only by what their properties were made of."""
    found: set[str] = set()
    open_ends = list(urns)
    while open_ends:
        below = set(_needs(there.get(open_ends.pop(), _NOTHING), waits=waits)) - found
        found |= below
        open_ends += below
    return frozenset(found)


def _needs(resource: Mapping[str, Any], *, waits: bool) -> Iterator[str]:
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or ()
    if waits:
        yield from resource.get("dependencies") or ()
