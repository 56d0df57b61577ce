"""Read replicas of a generation, and the name that follows whichever of them is promoted."""

from collections.abc import Iterator
from typing import Final

import pulumi
from pulumi_azure_native import dbforpostgresql

from infra.backends.azure import access, inputs
from infra.backends.azure.site import Site
from infra.backends.azure.turns import Turns

TIMEOUTS: Final = pulumi.CustomTimeouts(create="6h", update="6h", delete="2h")
"""A copy to another region takes hours, and so does a restore with much log to replay (Microsoft, "Read replicas")."""

IGNORED: Final = (*inputs.MADE_ONCE, *inputs.MOVED_BY_AZURE, "replicationRole")


def make(
    name: str, site: Site, primary: dbforpostgresql.Server, turns: Turns, *, protect: bool
) -> Iterator[tuple[str, dbforpostgresql.Server]]:
    """The read replicas of a server by their names in the stack, those of its own region first.

    Args:
        name: The server's name in the stack.
        site: What the servers of the stack share.
        primary: The server.
        turns: Its turns: it takes no other operation while a replica is made.
        protect: Whether the engine refuses to delete the one in another region.
    """
    for count in range(site.settings.read_replicas):
        yield f"{name}-r{count + 1}", _replica(f"{name}-r{count + 1}", site, primary, turns, far=False)
    if site.settings.replica_region:
        yield f"{name}-far", _replica(f"{name}-far", site, primary, turns, far=True, protect=protect)


def _replica(
    name: str, site: Site, primary: dbforpostgresql.Server, turns: Turns, *, far: bool, protect: bool = False
) -> dbforpostgresql.Server:
    ignored = pulumi.ResourceOptions(ignore_changes=list(IGNORED), custom_timeouts=TIMEOUTS)
    args = inputs.replica(site, primary.id, far=far)
    opts = pulumi.ResourceOptions.merge(turns.next(own_end=True, protect=protect), ignored)
    replica = turns.done(dbforpostgresql.Server(name, args, opts))
    turns.last = access.open_to(name, site, replica, site.place.group, Turns(turns.parent, replica))
    return replica


def writer(
    name: str, primary: dbforpostgresql.Server, group: pulumi.Input[str], member: dbforpostgresql.Server, turns: Turns
) -> dbforpostgresql.VirtualEndpoint:
    """A name that leads to the primary, and to `member` once that is promoted in its place.

    The exported URI leads to the server's own name all the same: Microsoft does not say that the certificate covers
    this one, and `verify-full` would fail without. The runbook has it, for the day of a promotion.

    Args:
        name: The endpoint's name in the stack.
        primary: The server.
        group: The name of its resource group.
        member: The replica to promote, which a switchover has to find in here (Microsoft, "Virtual endpoints").
        turns: The server's turns.
    """
    return turns.done(
        dbforpostgresql.VirtualEndpoint(
            name,
            # It is unique in the world, so it stands on the server's own name, which is.
            virtual_endpoint_name=pulumi.Output.concat(primary.name, "-w"),
            resource_group_name=group,
            server_name=primary.name,
            endpoint_type="ReadWrite",
            members=[member.name],
            opts=turns.next(own_end=True),
        )
    )
