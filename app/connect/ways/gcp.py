"""To Cloud SQL: by its Auth Proxy, or by a virtual machine behind Identity-Aware Proxy."""

import re
from typing import Final

from app.connect.ways.interface import LOOPBACK, Hop, Server, Way, forwarding, free_port, machine, ssh, tunnelled
from app.stack import Record

EXAMPLE: Final = "--through europe-west3-a/jump (a virtual machine in its network, through Identity-Aware Proxy)"

_MACHINE: Final = re.compile(r"(?P<zone>[a-z]+-[a-z]+\d+-[a-z])/(?P<name>([\w.-]+@)?[a-z][a-z0-9-]{0,62})")

_REACHES: Final = ("--private-ip", "--psc")


def proxied(record: Record) -> Way:
    """Cloud SQL Auth Proxy, as the stack's own runbook starts it: that knows how the server is reached.

    Without `--auto-iam-authn`: with it whoever reaches the port on this machine would be logged in. What goes through
    the proxy is encrypted and its server checked by the proxy (Cloud SQL, "About the Cloud SQL Auth Proxy").

    Args:
        record: What the stack exports.
    """
    told = str(dict(record.outputs.get("runbook") or {}).get("connect", "")).split()
    port = free_port()
    flags = [flag for flag in _REACHES if flag in told]
    hop = Hop(("cloud-sql-proxy", *flags, f"--port={port}", record.text("instance")), port)
    words = {"host": LOOPBACK, "hostaddr": "", "port": str(port), "sslmode": "disable", "sslrootcert": ""}
    return Way((hop,), words)


def through(record: Record, server: Server, text: str) -> Way:
    """By a machine in the server's network.

    Args:
        record: What the stack exports.
        server: The server.
        text: `ZONE/NAME` of a virtual machine in the stack's project, else a machine as ssh takes it.

    Raises:
        InvalidSettingError: It is neither.
    """
    if not (named := _MACHINE.fullmatch(text)):
        return tunnelled(server, ssh(server, machine(text)))
    port = free_port()
    project = record.text("instance").rsplit(":", 2)[0]
    words = (f"--project={project}", f"--zone={named['zone']}", "--tunnel-through-iap")
    argv = ("gcloud", "compute", "ssh", named["name"], *words, "--", *forwarding(server, port))
    return tunnelled(server, Hop(argv, port, ("ssh",)))
