"""Network mode, given ids and blocks of addresses: which go together."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from infra.preflight.azure.continuity import EXAMPLE_SERVER
from infra.preflight.blocks import is_own
from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal

_SMALLEST_BUILT: Final = 27
"""Half of a built network is the servers' subnet, which is /28 at least (Microsoft, "Network with private access")."""

ZONES: Final = {
    "private": ".postgres.database.azure.com",
    "private_endpoint": "privatelink.postgres.database.azure.com",
}
"""How the name of a given private DNS zone ends, by mode."""

_NETWORKS: Final = EXAMPLE_SERVER.partition("/providers/")[0] + "/providers/Microsoft.Network"
_EXAMPLE: Final = (
    f"{{network: {{subnet_id: {_NETWORKS}/virtualNetworks/main/subnets/postgres, "
    f"dns_zone_id: {_NETWORKS}/privateDnsZones/%s}}}}"
)


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with the `network` section; read-only."""
    if settings.network.mode == "public":
        yield from _public(settings)
    else:
        yield from _private(settings)


def _public(settings: AzureSettings) -> Iterator[Refusal]:
    network = settings.network
    if not network.allowed_cidrs:
        why = "the blocks of addresses that may reach a public server; without any it is out of reach"
        yield Refusal("azure.network.allowed_cidrs", why, "{network: {mode: public, allowed_cidrs: [203.0.113.0/24]}}")
    for block in map(ipaddress.ip_network, network.allowed_cidrs):
        # Azure reads 0.0.0.0 to 0.0.0.0 as "all of Azure", other customers included, and its rules know no IPv6.
        if block.version != 4 or block.network_address == ipaddress.ip_address("0.0.0.0"):  # noqa: PLR2004, S104
            why = f"blocks of IPv4 addresses of your own, not {block}"
            yield Refusal(
                "azure.network.allowed_cidrs", why, "{network: {mode: public, allowed_cidrs: [203.0.113.0/24]}}"
            )
    if network.subnet_id or network.dns_zone_id:
        why = "no subnet_id and no dns_zone_id: a public server is in no network"
        yield Refusal("azure.network.subnet_id", why, "{network: {mode: private_endpoint}}")


def _private(settings: AzureSettings) -> Iterator[Refusal]:
    network = settings.network
    if network.allowed_cidrs:
        why = "none where the server is not public"
        yield Refusal("azure.network.allowed_cidrs", why, "{network: {mode: private, allowed_cidrs: []}}")
    if bool(network.subnet_id) != bool(network.dns_zone_id):
        missing = "dns_zone_id" if network.subnet_id else "subnet_id"
        why = f"{missing} as well: a given network has both, a built one neither"
        yield Refusal(f"azure.network.{missing}", why, _EXAMPLE % _zone_example(network.mode))
    elif network.subnet_id:
        yield from _given(settings)
    else:
        yield from _built(settings)


def _given(settings: AzureSettings) -> Iterator[Refusal]:
    network = settings.network
    name = network.dns_zone_id.rpartition("/")[2]
    if not name.endswith(ZONES[network.mode]):
        why = f"a private DNS zone whose name ends in {ZONES[network.mode]}, not {name}"
        yield Refusal("azure.network.dns_zone_id", why, _EXAMPLE % _zone_example(network.mode))
    if settings.replica_region and network.mode == "private" and not network.replica_subnet_id:
        why = f"the id of a delegated subnet in {settings.replica_region}, peered with the one of subnet_id"
        fix = f"{{network: {{replica_subnet_id: {_NETWORKS}/virtualNetworks/far/subnets/postgres}}}}"
        yield Refusal("azure.network.replica_subnet_id", why, fix)


def _built(settings: AzureSettings) -> Iterator[Refusal]:
    network = settings.network
    if network.replica_subnet_id:
        why = "none where the network is built: the one in replica_region is built as well"
        yield Refusal("azure.network.replica_subnet_id", why, "{network: {replica_subnet_id: ''}}")
    far = network.mode == "private" and bool(settings.replica_region)
    for key, text in (("cidr", network.cidr), ("replica_cidr", network.replica_cidr)):
        block = ipaddress.ip_network(text)
        if block.version != 4 or block.prefixlen > _SMALLEST_BUILT or not is_own(block):  # noqa: PLR2004
            why = f"a private IPv4 block of /16 to /{_SMALLEST_BUILT}: half of it is the servers' subnet"
            yield Refusal(f"azure.network.{key}", why, f"{{network: {{{key}: 10.60.{int(key != 'cidr')}.0/24}}}}")
            return
    if far and ipaddress.ip_network(network.cidr).overlaps(ipaddress.ip_network(network.replica_cidr)):
        why = "a block beside network.cidr: the two networks are peered"
        yield Refusal("azure.network.replica_cidr", why, "{network: {cidr: 10.60.0.0/24, replica_cidr: 10.60.1.0/24}}")


def _zone_example(mode: str) -> str:
    return "sessions.postgres.database.azure.com" if mode == "private" else ZONES[mode]
