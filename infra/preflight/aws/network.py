"""The network, built or given, of the stack's region and of the replica's."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from infra.preflight.blocks import is_own
from infra.settings.aws import AwsSettings, Network
from infra.settings.refusals import Refusal

_LEAST: Final = 2
"""RDS wants subnets in two zones, even for a single server (Amazon RDS User Guide, "Working with DB subnet groups")."""

_NARROWEST: Final = 26
"""A /26 still holds four subnets of /28, the smallest there are."""

_NARROWEST_OF_SIX: Final = 25

_FIXES: Final = {
    "cidr": "{cidr: 10.80.0.0/24}",
    "zones": "{zones: [a, b, c]}",
    "given": "{vpc_id: vpc-0a1b2c3d4e5f67890, subnet_ids: [subnet-0a1b2c3d4e5f67890, subnet-0a1b2c3d4e5f67891]}",
    "clients": "{client_security_groups: [sg-0a1b2c3d4e5f67890]}",
    "blocks": "{client_cidrs: [10.20.0.0/20]}",
    "unzoned": "{zones: []}",
    "public": "{mode: public, allowed_cidrs: [203.0.113.0/28], client_cidrs: []}",
    "private": "{mode: private, allowed_cidrs: []}",
}


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the networks; read-only."""
    yield from _of("network", settings.network)
    if settings.replica_region:
        yield from _of("replica_network", settings.replica_network)
        if not settings.network.vpc_id and not settings.replica_network.vpc_id:
            yield from _apart(settings)


def _of(key: str, network: Network) -> Iterator[Refusal]:
    for place, expected, fix in [*_ways(network), *(_given(network) if network.vpc_id else _built(network))]:
        yield Refusal(f"aws.{key}.{place}", expected, f"{{{key}: {_FIXES[fix]}}}")


def _ways(network: Network) -> Iterator[tuple[str, str, str]]:
    if any(":" in cidr for cidr in (*network.allowed_cidrs, *network.client_cidrs)):
        place, fix = ("allowed_cidrs", "public") if network.allowed_cidrs else ("client_cidrs", "blocks")
        yield place, "IPv4 blocks: the server has no other address", fix
        return
    if network.mode == "public":
        if not network.allowed_cidrs:
            yield "allowed_cidrs", "the blocks that may connect, since mode is public", "public"
        if network.client_cidrs:
            yield "client_cidrs", "none where mode is public: allowed_cidrs says who may connect", "public"
        return
    if network.allowed_cidrs:
        yield "allowed_cidrs", "none where mode is private: client_cidrs says which private blocks connect", "private"
    for cidr in network.client_cidrs:
        if not is_own(ipaddress.ip_network(cidr)):
            yield "client_cidrs", f"private blocks where mode is private, which {cidr} is not", "blocks"


def _given(network: Network) -> Iterator[tuple[str, str, str]]:
    if len(set(network.subnet_ids)) < _LEAST:
        yield "subnet_ids", "two or more subnets of the given VPC, in two or more zones", "given"
    if network.zones:
        yield "zones", "none where a VPC is given: its subnets are in their zones", "unzoned"
    if network.mode == "private" and not (network.client_security_groups or network.client_cidrs):
        yield "client_security_groups", "somebody who may connect from the given VPC", "clients"


def _built(network: Network) -> Iterator[tuple[str, str, str]]:
    block, zones = ipaddress.ip_network(network.cidr), network.zones
    if network.subnet_ids:
        yield "vpc_id", "the VPC that the given subnets are in", "given"
    if network.client_security_groups:
        yield "client_security_groups", "none in a VPC that is yet to be built; give the VPC they are in", "given"
    if zones and (len(zones) < _LEAST or len(set(zones)) < len(zones)):
        yield "zones", "two or more different letters", "zones"
    if block.version != 4 or not is_own(block):  # noqa: PLR2004  # The protocol's own number.
        yield "cidr", "a private IPv4 block", "cidr"
    elif block.prefixlen > (_NARROWEST if len(zones) <= 4 else _NARROWEST_OF_SIX):  # noqa: PLR2004  # Subnets are powers of two.
        yield "cidr", "a block of /26 or wider (/25 for five or six zones), so that each zone gets 16 addresses", "cidr"


def _apart(settings: AwsSettings) -> Iterator[Refusal]:
    here, there = (ipaddress.ip_network(each.cidr) for each in (settings.network, settings.replica_network))
    if here.overlaps(there):
        yield Refusal(
            "aws.replica_network.cidr",
            f"a block apart from the main region's, {here}, so that the two can be peered",
            "{replica_network: {cidr: 10.81.0.0/24}}",
        )
