"""How clients reach the server: each mode with what it needs, and without what it would not heed."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from infra.preflight.blocks import is_own, touches_own
from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

_SMALLEST_BITS: Final = 23
"""Half of a /23 is a /24, the smallest range that Cloud SQL takes (Cloud SQL, "Allocated IP address ranges")."""

_DOCKER: Final = ipaddress.ip_network("172.17.0.0/16")
"""Taken inside of Cloud SQL's machines (Cloud SQL, "Configure private IP")."""


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with the network; read-only."""
    network = settings.network
    if network.mode == "private" and not network.id:
        yield from _built(settings)
    if network.allocated_range and not (network.mode == "private" and network.id):
        yield Refusal(
            "gcp.network.allocated_range",
            "none, unless mode is private and id names the network that it is in",
            "{network: {id: projects/example-project/global/networks/shared, allocated_range: "
            f"{network.allocated_range}}}}}",
        )
    yield from _public(settings)
    yield from _psc(settings)


def _built(settings: GcpSettings) -> Iterator[Refusal]:
    block = ipaddress.ip_network(settings.network.cidr)
    fix = "{network: {cidr: 10.64.0.0/20}}"
    if not isinstance(block, ipaddress.IPv4Network) or not is_own(block) or block.prefixlen > _SMALLEST_BITS:
        yield Refusal("gcp.network.cidr", f"a private IPv4 block, /16 to /{_SMALLEST_BITS}", fix)
    elif block.overlaps(_DOCKER):
        yield Refusal("gcp.network.cidr", f"a block outside of {_DOCKER}, which Cloud SQL needs for itself", fix)


def _public(settings: GcpSettings) -> Iterator[Refusal]:
    network = settings.network
    fix = "{network: {mode: public, allowed_cidrs: [203.0.113.0/24]}}"
    if network.mode != "public":
        if network.allowed_cidrs:
            yield Refusal("gcp.network.allowed_cidrs", f"none with mode {network.mode}, where they do nothing", fix)
        return
    if not network.allowed_cidrs:
        yield Refusal("gcp.network.allowed_cidrs", "at least one block of clients with mode public", fix)
    blocks = [ipaddress.ip_network(cidr) for cidr in network.allowed_cidrs]
    if any(not isinstance(block, ipaddress.IPv4Network) or touches_own(block) for block in blocks):
        yield Refusal("gcp.network.allowed_cidrs", "public IPv4 blocks: Cloud SQL takes no other ones", fix)
    if network.id:
        yield Refusal("gcp.network.id", "none with mode public", "{network: {mode: private, id: " + network.id + "}}")


def _psc(settings: GcpSettings) -> Iterator[Refusal]:
    network = settings.network
    fix = f"{{network: {{mode: psc, consumer_projects: [{settings.project or 'example-project'}]}}}}"
    if network.mode == "psc" and not network.consumer_projects:
        yield Refusal("gcp.network.consumer_projects", "at least one project with mode psc", fix)
    if network.mode != "psc" and network.consumer_projects:
        yield Refusal("gcp.network.consumer_projects", f"none with mode {network.mode}, where they do nothing", fix)
