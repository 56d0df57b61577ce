"""What an address says of whoever calls from it."""

import ipaddress

from starlette.types import Scope


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone.

    Args:
        host: For example `127.0.0.1`.
    """
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def client(scope: Scope) -> str:
    """Whom the address of a request stands for, as one whose requests are counted.

    Of IPv6 that is the first 64 bits: one subscriber has as many addresses as the rest can tell (RFC 6177). An IPv4
    address that is written as one of IPv6 is what it is, else the whole of IPv4 would be one client.

    Args:
        scope: Of a request; over a Unix socket it has no address.

    Example:
        >>> client({"client": ("2001:db8::1", 443)}), client({"client": ("::ffff:192.0.2.1", 443)})
        ('2001:db8::/64', '192.0.2.1')
    """
    host = scope["client"][0] if scope.get("client") else "socket"
    address = _address(host)
    if address is None:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
