"""Asks the rules in the program itself, of what the engine really gets, under plain `pulumi` and the driver alike."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.runtime import is_dry_run, register_resource_transform, register_stack_transformation
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from infra.backends import NAME
from infra.errors import SettingsError
from infra.policy import idle_waivers, violations
from infra.policy.rule import UNKNOWN, Posture, Resource, server_names
from infra.settings import Settings


class Gate:
    """Sees every resource on its way to the engine; a preview collects what is wrong, and `up` lets nothing wrong by.

    Make it before the first resource is registered.

    Args:
        settings: What the stack file says.
        project: The Pulumi project, for the refusal.
        stack: The stack's name, for the refusal.

    Attributes:
        registered: All that the last program in this process registered, for the driver in the same process.
    """

    registered: ClassVar[list[Resource]] = []

    def __init__(self, settings: Settings, *, project: str, stack: str) -> None:
        """Register with the engine, as a transform that changes nothing."""
        self._posture = posture(settings)
        self._place = (project, stack)
        self._adopted = adopted(settings)
        self._declared: set[tuple[str, str]] = set()
        self._seen: list[Resource] = []
        Gate.registered = self._seen
        register_stack_transformation(self._note)
        register_resource_transform(self._ask)

    def require(self) -> None:
        """Wait for all resources and refuse what is wrong, all of it at once.

        Raises:
            SettingsError: One line for each rule that a resource, or all of them together, do not keep.
        """
        # Registering a transform waits for all registrations before it: the only public way to wait for them.
        register_resource_transform(lambda _: None)
        # One that never came failed on its way, which is the engine's to tell: its absence is no verdict.
        complete = self._declared <= {(each.type, each.name) for each in self._seen}
        self._refuse(*self._seen, complete=complete)
        for warning in self._warnings(complete=complete):
            pulumi.log.warn(warning)

    def _warnings(self, *, complete: bool) -> Iterator[str]:
        project, stack = self._place
        for cloud, server in self._adopted:
            yield (
                f"Pulumi.{stack}.yaml: {project}:{cloud}.servers: {server} is adopted and left as it is: no rule is "
                "held for it, nor any floor of production, until `adopt` is taken out"
            )
        for name in idle_waivers(self._seen, self._posture) if complete else ():
            yield f"Pulumi.{stack}.yaml: {project}:waivers: nothing needs the waiver {name}; take it out"

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        self._declared.add((args.type_, args.name))

    async def _ask(self, args: pulumi.ResourceTransformArgs) -> None:
        inputs = {name: await _plain(value) for name, value in args.props.items()}
        resource = Resource(args.type_, args.name, inputs, bool(args.opts.protect))
        self._seen.append(resource)
        if not is_dry_run():
            self._refuse(resource, complete=False)

    def _refuse(self, *resources: Resource, complete: bool) -> None:
        found = violations(resources, self._posture, complete=complete)
        if lines := [violation.line(*self._place) for violation in found]:
            raise SettingsError("\n".join(dict.fromkeys(lines)))


def posture(settings: Settings) -> Posture:
    """What a stack file says about its rules; read-only.

    A server whose protection is lifted by itself, and to which nothing leads any more, is on its way out.
    """
    section = settings.managed
    servers = section.servers if section else ()
    retiring = (server for server in servers if server.deletion_protection is False)
    leaving = {server.id for server in retiring if section and server.id != section.active}
    prefixes = {NAME, section.server_prefix} if section else set()
    staying = {server.id for server in servers} - leaving
    names = (server_names(prefixes, ids) for ids in (leaving, staying))
    return Posture(settings.profile, settings.waivers, *names)


def adopted(settings: Settings) -> list[tuple[str, str]]:
    """The servers whose rules are asked in vain, each with its cloud; read-only.

    What the program says of them is safe like any other's, and the engine ignores it as long as `adopt` is there.
    """
    servers = settings.managed.servers if settings.managed else ()
    return [(settings.backend, server.id) for server in servers if server.adopt]


async def _plain(value: Any) -> Any:
    """An input as rules take it: secrets unwrapped, what a preview cannot know as `UNKNOWN`."""
    if isinstance(value, pulumi.Output):
        return await _plain(await value.future(with_unknowns=True)) if await value.is_known() else UNKNOWN
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if is_rpc_secret(value):
        return await _plain(unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: await _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [await _plain(each) for each in value]
    return value
