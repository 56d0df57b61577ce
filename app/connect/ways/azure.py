"""To Azure Database for PostgreSQL: by a virtual machine behind Bastion, or by ssh."""

import re
from typing import Final

from app.connect.ways.interface import LOOPBACK, Hop, Server, Way, free_port, machine, ssh, tunnelled
from app.errors import InvalidSettingError

_VM: Final = "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachines/jump"

EXAMPLE: Final = f"--bastion hub --through azureuser@{_VM} (a virtual machine in its network, through Bastion)"

_SSH_PORT: Final = 22


def _id(kind: str) -> str:
    group = r"/subscriptions/(?P<subscription>[\w-]+)/resourceGroups/(?P<group>[\w.()-]+)"
    return rf"{group}/providers/{kind}/(?P<name>[\w.-]+)"


_MACHINE: Final = re.compile(rf"(?P<user>[\w.-]+)@(?P<id>{_id('Microsoft.Compute/virtualMachines')})", re.IGNORECASE)
_BASTION: Final = re.compile(_id("Microsoft.Network/bastionHosts"), re.IGNORECASE)


def through(server: Server, text: str, bastion: str | None) -> Way:
    """By a machine in the server's network.

    Args:
        server: The server.
        text: `USER@` and the resource id of a virtual machine behind a bastion, else a machine as ssh takes it.
        bastion: The bastion: its name in the machine's resource group, or its resource id.

    Raises:
        InvalidSettingError: It is neither, or the bastion is missing or one too many.
    """
    named = _MACHINE.fullmatch(text)
    if (named is None) != (bastion is None):
        message = f"expected a bastion and the resource id of a machine behind it. For example: {EXAMPLE}"
        raise InvalidSettingError(message)
    if named is None or bastion is None:
        return tunnelled(server, ssh(server, machine(text)))
    tunnel = _tunnel(named, bastion)
    # Azure has found the machine by its id, so a key that is new is the machine's own; the alias keeps machines apart
    # that are all reached at one address.
    known = ("-o", f"HostKeyAlias={named['name']}", "-o", "StrictHostKeyChecking=accept-new")
    return tunnelled(server, tunnel, ssh(server, f"{named['user']}@{LOOPBACK}", "-p", str(tunnel.port), *known))


def _tunnel(vm: re.Match[str], bastion: str) -> Hop:
    """The command line's tunnel to one port of a machine (Azure Bastion, "Connect to a VM using the native client")."""
    there = _BASTION.fullmatch(bastion) or vm
    name = there["name"] if there is not vm else bastion
    port = free_port()
    place = ("--subscription", there["subscription"], "--resource-group", there["group"], "--name", name)
    argv = ("az", "network", "bastion", "tunnel", *place, "--target-resource-id", vm["id"])
    return Hop((*argv, "--resource-port", str(_SSH_PORT), "--port", str(port)), port)
