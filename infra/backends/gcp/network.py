"""The network that clients reach the server through: built, or taken as it is."""

import ipaddress
from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_gcp import compute, servicenetworking

from infra.settings.gcp import GcpSettings

_GOOGLE: Final = "servicenetworking.googleapis.com"


class GcpNetwork(pulumi.ComponentResource):
    """A VPC network with private services access, where one is to be built; otherwise only what was given.

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section.
        after: What must be there before.
        opts: The usual resource options.

    Attributes:
        network: The network's id, or None where the server is in none.
        allocated_range: The name of the address range that the server takes an address of, or None.
        ready: What a server in this network has to wait for, and is deleted before.
    """

    def __init__(
        self,
        name: str,
        settings: GcpSettings,
        *,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component, and the network's parts where it is to be built."""
        super().__init__("sessiondb:gcp:Network", name, None, opts)
        self._name = name
        self._opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        self.network: pulumi.Input[str] | None = settings.network.id or None
        self.allocated_range: pulumi.Input[str] | None = settings.network.allocated_range or None
        self.ready: list[pulumi.Resource] = []
        if settings.network.mode == "private" and not settings.network.id:
            self._build(settings)
        self.register_outputs({})

    def _build(self, settings: GcpSettings) -> None:
        google, clients = ipaddress.ip_network(settings.network.cidr).subnets()
        network = compute.Network(self._name, auto_create_subnetworks=False, opts=self._opts)
        compute.Subnetwork(
            f"{self._name}-clients",
            network=network.id,
            region=settings.region,
            ip_cidr_range=str(clients),
            private_ip_google_access=True,
            opts=self._opts,
        )
        allocated = self._range(network, google, settings)
        connection = servicenetworking.Connection(
            self._name,
            network=network.id,
            service=_GOOGLE,
            reserved_peering_ranges=[allocated.name],
            # Cloud SQL holds the connection for days after its last server is gone, and a plain deletion fails;
            # ABANDON would leave a peering that the network cannot be deleted with (magic-modules#18476).
            deletion_policy="REMOVE_PEERING",
            opts=self._opts,
        )
        self.network, self.allocated_range, self.ready = network.id, allocated.name, [connection]

    def _range(
        self, network: compute.Network, block: ipaddress.IPv4Network | ipaddress.IPv6Network, settings: GcpSettings
    ) -> compute.GlobalAddress:
        return compute.GlobalAddress(
            f"{self._name}-google",
            network=network.id,
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(block.network_address),
            prefix_length=block.prefixlen,
            labels=settings.labels or None,
            opts=self._opts,
        )
