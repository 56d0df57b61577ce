"""What lets clients reach one server: firewall rules or a private endpoint; a delegated subnet needs neither."""

import pulumi
from pulumi_azure_native import dbforpostgresql, network

from infra.backends.azure.network import ranges
from infra.backends.azure.site import Site
from infra.backends.azure.turns import Turns


def open_to(
    name: str, site: Site, server: dbforpostgresql.Server, group: pulumi.Input[str], turns: Turns
) -> pulumi.Resource:
    """Let clients reach a server.

    Args:
        name: The server's name in the stack.
        site: What the servers of the stack share.
        server: The server.
        group: The name of its resource group.
        turns: Its turns.

    Returns:
        What whatever comes next has to wait for.
    """
    match site.settings.network.mode:
        case "public":
            _firewall(name, site, server, group, turns)
        case "private_endpoint":
            _endpoint(name, site, server, turns)
        case "private":
            pass
    return turns.last


def _firewall(name: str, site: Site, server: dbforpostgresql.Server, group: pulumi.Input[str], turns: Turns) -> None:
    # Numbered, so that an edited block is an update: a lock refuses to delete a rule.
    for count, (first, last) in enumerate(ranges(site.settings.network.allowed_cidrs)):
        turns.done(
            dbforpostgresql.FirewallRule(
                f"{name}-rule-{count + 1}",
                resource_group_name=group,
                server_name=server.name,
                start_ip_address=first,
                end_ip_address=last,
                opts=turns.next(),
            )
        )


def _endpoint(name: str, site: Site, server: dbforpostgresql.Server, turns: Turns) -> None:
    connection = network.PrivateLinkServiceConnectionArgs(
        name="postgres", private_link_service_id=server.id, group_ids=["postgresqlServer"]
    )
    endpoint = turns.done(
        network.PrivateEndpoint(
            f"{name}-endpoint",
            resource_group_name=site.place.group,
            location=site.settings.region,
            subnet=network.SubnetArgs(id=site.network.subnet),
            private_link_service_connections=[connection],
            tags=site.place.tags or None,
            opts=turns.next(own_end=True),
        )
    )
    zone = network.PrivateDnsZoneConfigArgs(name="postgres", private_dns_zone_id=site.network.zone)
    turns.done(
        network.PrivateDnsZoneGroup(
            f"{name}-endpoint-zone",
            resource_group_name=site.place.group,
            private_endpoint_name=endpoint.name,
            private_dns_zone_configs=[zone],
            opts=turns.next(own_end=True),
        )
    )
