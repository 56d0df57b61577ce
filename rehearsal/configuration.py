"""A server's configuration file: what every server here has, and what its test adds."""

import contextlib
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "rehearsal.conf"
"""The file's name in the data folder; `postgresql.conf` includes it last, so it wins."""

HOST: Final = "127.0.0.1"
"""The one address that servers listen on: nothing of a test is open to the network."""

_PORTS: Final = range(20000, 32768)

_TESTING: Final = {
    "fsync": "off",  # A test's data need not survive the machine, only the server.
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Address:
    """Where a server is to be found.

    Attributes:
        folder: Where its socket is.
        port: Where it listens on `HOST`, and the number in the socket's name.
    """

    folder: Path
    port: int


def settings(address: Address, extra: Mapping[str, str]) -> dict[str, str]:
    """Every setting of a server.

    Args:
        address: Where it is to be found.
        extra: The test's own, which win, by PostgreSQL's names. For example {"max_connections": "20"}.
    """
    return {
        **_TESTING,
        "cluster_name": address.folder.name,
        "listen_addresses": HOST,
        "port": str(address.port),
        "unix_socket_directories": str(address.folder),
        **extra,
    }


def render(values: Mapping[str, str]) -> str:
    r"""The text of the file.

    Args:
        values: The settings by name.

    Example:
        >>> render({"search_path": "it's"})
        "search_path = 'it''s'\n"
    """
    return "".join(f"{name} = '{_escaped(value)}'\n" for name, value in values.items())


def _escaped(value: str) -> str:
    # Source: PostgreSQL's guc-file.l, which reads backslashes in quotes like C and a doubled quote as one.
    return value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")


def free_port() -> int:
    """A TCP port that nobody listens on in this moment; somebody may take it before a server does.

    It is below those that systems give to the calling side of connections: none of these can have it while its server
    is restarted, and no client can meet itself on it.
    Source: Linux's ip-sysctl, `ip_local_port_range`, "32768 60999"; macOS begins at 49152.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
