"""Blocks of addresses that are one's own: what `is_private` would answer for blocks of examples and tests as well."""

import ipaddress
from typing import Final

Block = ipaddress.IPv4Network | ipaddress.IPv6Network

OWN: Final[tuple[Block, ...]] = tuple(
    ipaddress.ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Addresses that anybody may use inside of a network, and nobody outside (RFC 1918, section 3; RFC 4193, section 3)."""


def is_own(block: Block) -> bool:
    """Whether all of a block may be used in a network of one's own; read-only.

    >>> [is_own(ipaddress.ip_network(block)) for block in ("10.80.0.0/24", "192.0.2.0/24", "fd00::/64")]
    [True, False, True]
    """
    return any(_in(block, own) for own in OWN)


def touches_own(block: Block) -> bool:
    """Whether any of a block is inside of a network of somebody's, where no client of the internet is; read-only.

    >>> touches_own(ipaddress.ip_network("172.0.0.0/8")), touches_own(ipaddress.ip_network("203.0.113.0/24"))
    (True, False)
    """
    return any(block.overlaps(own) for own in OWN)


def _in(block: Block, own: Block) -> bool:
    """`subnet_of` takes blocks of one version only."""
    return block.version == own.version and block.prefixlen >= own.prefixlen and block.overlaps(own)
