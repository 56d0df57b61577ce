"""To Amazon RDS: by Session Manager, by EC2 Instance Connect Endpoint, or by ssh."""

import json
import re
import shlex
from typing import Final

from app.connect.ways.interface import Hop, Server, Way, free_port, machine, ssh, tunnelled
from app.stack import Record

EXAMPLE: Final = (
    "--through i-0123456789abcdef0 (an instance in its VPC, through Session Manager) or --through "
    "ec2-user@i-0123456789abcdef0 (through EC2 Instance Connect Endpoint)"
)

_INSTANCE: Final = re.compile(r"((?P<user>[\w.-]+)@)?(?P<id>m?i-[0-9a-f]{8,17})")

_DOCUMENT: Final = "AWS-StartPortForwardingSessionToRemoteHost"


def through(record: Record, server: Server, text: str) -> Way:
    """By a machine in the server's VPC.

    Args:
        record: What the stack exports.
        server: The server.
        text: An instance's id for Session Manager, `USER@` and the id for EC2 Instance Connect Endpoint, else a machine
            as ssh takes it.

    Raises:
        InvalidSettingError: It is none of them.
    """
    region = record.text("region")
    if not (named := _INSTANCE.fullmatch(text)):
        return tunnelled(server, ssh(server, machine(text)))
    if named["user"]:
        return tunnelled(server, ssh(server, text, *_endpoint(region, named["id"])))
    return tunnelled(server, _session(region, named["id"], server))


def _session(region: str, target: str, server: Server) -> Hop:
    """AWS Systems Manager User Guide, "Starting a session (port forwarding to remote host)"."""
    port = free_port()
    asked = {"host": [server.host], "portNumber": [str(server.port)], "localPortNumber": [str(port)]}
    argv = ("aws", "ssm", "start-session", "--region", region, "--target", target, "--document-name", _DOCUMENT)
    return Hop((*argv, "--parameters", json.dumps(asked)), port, ("session-manager-plugin",))


def _endpoint(region: str, instance: str) -> tuple[str, ...]:
    """For ssh inside of the endpoint's tunnel, which leads to ports 22 and 3389 alone (aidansteele/rdsconn#5).

    The endpoint has found the instance by its id, so a key that is new is the instance's own.
    """
    command = ("aws", "ec2-instance-connect", "open-tunnel", "--region", region, "--instance-id", instance)
    return ("-o", f"ProxyCommand={shlex.join(command)}", "-o", "StrictHostKeyChecking=accept-new")
