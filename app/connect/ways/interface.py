"""A way to a server, and what it is made of."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.errors import InvalidSettingError

LOOPBACK: Final = "127.0.0.1"

_OPTIONS: Final = ("-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=30")
"""A tunnel has no terminal to ask at, and ends where it is of no use (ssh_config(5))."""


@dataclass(frozen=True)
class Hop:
    """A program that opens a port of this machine and holds it until it is ended.

    Attributes:
        argv: The program and its arguments, none of them secret: a command line is for everybody to read.
        port: The port that it opens, on the loopback address.
        needs: Further programs that it calls.
    """

    argv: tuple[str, ...]
    port: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """Where a way leads.

    Attributes:
        host: The server's name or address, as the machine at the end of the way knows it.
        port: Its port.
        name: The name in its certificate.
    """

    host: str
    port: int
    name: str


@dataclass(frozen=True)
class Way:
    """Programs in the order in which they are started, and what libpq is told because of them.

    Attributes:
        hops: Empty where the server is reached directly.
        words: libpq's words in the place of those of the URI; an empty one takes the URI's away.
    """

    hops: tuple[Hop, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def tunnelled(server: Server, *hops: Hop) -> Way:
    """The way whose last hop passes bytes on unread, so that libpq still checks the server's certificate by its name.

    Source: PostgreSQL, "Parameter Key Words", hostaddr.

    Args:
        server: Where it leads.
        hops: The programs.
    """
    return Way(hops, {"host": server.name, "hostaddr": LOOPBACK, "port": str(hops[-1].port)})


def ssh(server: Server, destination: str, *options: str) -> Hop:
    """A hop by OpenSSH's own client, which takes keys from its agent and its settings from its own files.

    Args:
        server: Where it leads.
        destination: The machine in between, as `ssh` takes it.
        options: Further options.
    """
    port = free_port()
    return Hop(("ssh", *options, *forwarding(server, port), "--", destination), port)


def forwarding(server: Server, port: int) -> tuple[str, ...]:
    """OpenSSH's options for one port that leads to a server, and nothing else (ssh(1), -L and -N)."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return ("-N", *_OPTIONS, "-L", f"{LOOPBACK}:{port}:{host}:{server.port}")


def free_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def machine(text: str) -> str:
    """A machine as `ssh` takes it, for example `ada@jump.example.org`; never anything that it would read as an option.

    Args:
        text: What was given.

    Raises:
        InvalidSettingError: It is no name.
    """
    if not re.fullmatch(r"([\w.+-]+@)?[\w.:%\[\]][\w.:%\[\]-]*", text) or text.startswith("-"):
        message = (
            "expected --through to name a machine, as ssh takes it or as its cloud calls it. For example: --through "
            "ada@jump.example.org"
        )
        raise InvalidSettingError(message)
    return text
