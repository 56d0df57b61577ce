"""What a rule is: a named promise about resources, as a plain function of a type and its inputs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, Literal

CLOUDS: Final = {"gcp": "gcp", "aws": "aws", "azure-native": "azure"}
"""A provider's package, and the section of the stack file that its resources come from."""

Severity = Literal["critical", "high", "medium"]


def cloud_of(type_: str) -> str:
    """The section of the stack file that a type's resources come from; empty for what belongs to no cloud; read-only.

    Args:
        type_: A resource's token, for example `aws:rds/instance:Instance`.
    """
    return CLOUDS.get(type_.partition(":")[0], "")


class _Unknown:
    """Stands for a value that a preview cannot know; it is given the benefit of the doubt, and checked by `up`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Resource:
    """A resource as the engine gets it.

    Attributes:
        type: Its token, for example `aws:rds/instance:Instance`.
        name: Its name in the program.
        inputs: Its inputs by their wire names (camelCase); `UNKNOWN` where a preview cannot know.
        protect: Whether the engine itself refuses to delete it.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False

    @property
    def cloud(self) -> str:
        """The section of the stack file that it comes from; empty for what belongs to no cloud; read-only."""
        return cloud_of(self.type)

    def at(self, path: str) -> Any:
        """The input at a path such as `settings.availabilityType`: None where nothing is, or `UNKNOWN`; read-only."""
        value: Any = self.inputs
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
            if value is None or value is UNKNOWN:
                break
        return value

    def says(self, path: str, *accepted: object) -> bool:
        """Whether the input at a path is one of these, or not known yet; read-only."""
        value = self.at(path)
        return value is UNKNOWN or value in accepted

    def on(self, path: str) -> bool:
        """Whether the input at a path is true, or not known yet; a provider's default is no promise; read-only."""
        value = self.at(path)
        return value is UNKNOWN or value is True

    def off(self, path: str) -> bool:
        """Whether the input at a path is false, or not known yet; read-only."""
        value = self.at(path)
        return value is UNKNOWN or value is False

    def at_least(self, path: str, least: float) -> bool:
        """Whether the input at a path is a number not below `least`, or not known yet; read-only."""
        value = self.at(path)
        return value is UNKNOWN or (isinstance(value, int | float) and value >= least)


@dataclass(frozen=True)
class Fix:
    """The setting that mends what a rule found.

    Attributes:
        key: The setting below the cloud's section, for example `backup.retention_days`.
        yaml: The section that would do, for example `{backup: {retention_days: 30}}`.
    """

    key: str
    yaml: str


Holds = Callable[[Resource], bool]
"""Whether a rule holds for one resource, whose type is known to be the right one."""

StackHolds = Callable[[Sequence[Resource]], bool]
"""Whether a rule holds for all resources of one cloud together."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One promise; the words are the same for every cloud.

    Attributes:
        name: Its name, which a waiver uses.
        expected: What is expected, without a full stop.
        severity: How bad it is where it does not hold.
        everywhere: Whether it holds in every profile and nobody can waive it; else it is a floor of production.
        controls: What benchmarks call it.
        fixes: The setting that mends it, by cloud.
        each: By type, whether it holds for one resource; `*` is any type of a cloud.
        stack: Whether it holds for all resources of a cloud together.
    """

    name: str
    expected: str
    severity: Severity
    everywhere: bool = False
    controls: tuple[str, ...] = ()
    fixes: Mapping[str, Fix]
    each: Mapping[str, Holds] = field(default_factory=dict)
    stack: StackHolds | None = None

    def holds(self, resource: Resource) -> bool:
        """Whether one resource keeps it; what it says nothing about does; read-only."""
        if not resource.cloud:
            return True
        return all(self.each[kind](resource) for kind in (resource.type, "*") if kind in self.each)


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold.

    Attributes:
        rule: The rule.
        cloud: The section of the stack file that the resources come from.
        where: The name of the resource; empty where it is about all of them.
    """

    rule: Rule
    cloud: str
    where: str = ""

    def line(self, project: str, stack: str) -> str:
        """The line a user reads, as for any other setting that cannot be; read-only."""
        fix = self.rule.fixes[self.cloud]
        place = f" for {self.where}" if self.where else ""
        example = f"{project}:{self.cloud}: {fix.yaml}"
        waiver = "" if self.rule.everywhere else f", or {project}:waivers: {{{self.rule.name}: <the reason>}}"
        kind = "in every profile" if self.rule.everywhere else "a floor of profile prod"
        return (
            f"Pulumi.{stack}.yaml: {project}:{self.cloud}.{fix.key}: expected {self.rule.expected}{place} "
            f"({self.rule.name}, {kind}). For example: {example}{waiver}"
        )


@dataclass(frozen=True)
class Posture:
    """What a stack file says about its rules.

    Attributes:
        profile: `dev`, `staging` or `prod`; floors hold in `prod` alone.
        waivers: Names of floors that the stack is under, each with its reason.
        retiring: Names of servers on their way out, which need no deletion protection any more.
        staying: Names of the others.
    """

    profile: str = "prod"
    waivers: Mapping[str, str] = field(default_factory=dict)
    retiring: frozenset[str] = frozenset()
    staying: frozenset[str] = frozenset()

    def asks(self, rule: Rule) -> bool:
        """Whether a rule has to hold here; read-only."""
        return rule.everywhere or (self.profile == "prod" and rule.name not in self.waivers)

    def retires(self, resource: Resource) -> bool:
        """Whether a resource is, or belongs to, a server on its way out; read-only."""
        return _of(resource, self.retiring) and not _of(resource, self.staying)


def server_names(prefixes: Iterable[str], ids: Iterable[str]) -> frozenset[str]:
    """The names that servers of these generations may have in the program; read-only."""
    return frozenset(f"{prefix}-{id_}" for prefix, id_ in product(prefixes, ids))


def _of(resource: Resource, servers: frozenset[str]) -> bool:
    """Whether a resource is one of these servers, or is named as a part of one."""
    return any(resource.name == name or resource.name.startswith(f"{name}-") for name in servers)


def same(key: str, yaml: str, *clouds: str) -> dict[str, Fix]:
    """One setting that mends a rule in these clouds, or in every one; read-only."""
    return dict.fromkeys(clouds or CLOUDS.values(), Fix(key, yaml))


def texts(value: Any) -> Iterator[str]:
    """Every text inside an input, however deep; read-only."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
