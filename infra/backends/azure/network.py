"""How servers are reached: in a delegated subnet, through private endpoints, or through a firewall."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

import pulumi
from pulumi_azure_native import dbforpostgresql, network, privatedns

from infra.backends.azure.place import Place
from infra.settings.azure import AzureSettings

DELEGATION: Final = "Microsoft.DBforPostgreSQL/flexibleServers"
"""Who a private server's subnet belongs to, alone."""

ENDPOINT_ZONE: Final = "privatelink.postgres.database.azure.com"
"""Where clients look a private endpoint up (Microsoft, "Azure Private Endpoint private DNS zone values")."""


class AzureNetwork(pulumi.ComponentResource):
    """The network of a stack's servers, built or given.

    Args:
        name: The component's name in the stack.
        settings: The `azure` section.
        place: Where it goes.
        opts: The usual resource options.

    Attributes:
        ready: What a server waits for, so that it is deleted before any of it: a subnet that is still linked or
            in use cannot go (`InUseSubnetCannotBeDeleted`, hashicorp/terraform-provider-azurerm#23150).
    """

    def __init__(
        self, name: str, settings: AzureSettings, place: Place, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the component, and what of a network is not given."""
        super().__init__("sessiondb:azure:Network", name, None, opts)
        self._name, self._place, self._settings = name, place, settings
        self.mode = settings.network.mode
        self.ready: list[pulumi.Resource] = []
        self.subnet: pulumi.Input[str] = settings.network.subnet_id
        self.zone: pulumi.Input[str] = settings.network.dns_zone_id
        self.far_subnet: pulumi.Input[str] = settings.network.replica_subnet_id
        if self.mode != "public" and not settings.network.subnet_id:
            self._build()
        self.register_outputs({})

    def inputs(self, *, far: bool = False) -> dbforpostgresql.NetworkArgs:
        """What a server says about its network; read-only.

        Args:
            far: Whether it is the one in the replica's region.
        """
        if self.mode == "private":
            return dbforpostgresql.NetworkArgs(
                delegated_subnet_resource_id=self.far_subnet if far else self.subnet,
                private_dns_zone_arm_resource_id=self.zone,
                public_network_access="Disabled",
            )
        access = "Enabled" if self.mode == "public" else "Disabled"
        return dbforpostgresql.NetworkArgs(public_network_access=access)

    def _build(self) -> None:
        block = self._settings.network.cidr
        near, subnet = self._network(self._name, self._settings.region, block)
        zone = privatedns.PrivateZone(
            f"{self._name}-zone",
            private_zone_name=self._zone_name(),
            resource_group_name=self._place.group,
            location="Global",
            tags=self._place.tags or None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.subnet, self.zone = subnet.id, zone.id
        self._link(self._name, zone, near, subnet)
        if self.mode == "private" and self._settings.replica_region:
            name = f"{self._name}-far"
            far, far_subnet = self._network(name, self._settings.replica_region, self._settings.network.replica_cidr)
            self.far_subnet = far_subnet.id
            self._link(name, zone, far, far_subnet)
            self._peer(near, far)

    def _zone_name(self) -> str:
        """With a label more than a server's name has, it is never equal to one, which Azure would refuse."""
        if self.mode == "private_endpoint":
            return ENDPOINT_ZONE
        return f"{self._settings.server_prefix}.private.postgres.database.azure.com"

    def _network(self, name: str, region: str, block: str) -> tuple[network.VirtualNetwork, network.Subnet]:
        made = network.VirtualNetwork(
            name,
            resource_group_name=self._place.group,
            location=region,
            address_space=network.AddressSpaceArgs(address_prefixes=[block]),
            tags=self._place.tags or None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        first_half = next(iter(ipaddress.ip_network(block).subnets()))
        private = self.mode == "private"
        subnet = network.Subnet(
            f"{name}-servers",
            resource_group_name=self._place.group,
            virtual_network_name=made.name,
            address_prefix=str(first_half),
            delegations=[network.DelegationArgs(name="postgres", service_name=DELEGATION)] if private else None,
            # The log is archived to Azure Storage: the shortest way there (Microsoft, "Network with private access").
            service_endpoints=(
                [network.ServiceEndpointPropertiesFormatArgs(service="Microsoft.Storage")] if private else None
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made, subnet

    def _link(
        self, name: str, zone: privatedns.PrivateZone, made: network.VirtualNetwork, subnet: network.Subnet
    ) -> None:
        self.ready.append(
            privatedns.VirtualNetworkLink(
                f"{name}-link",
                private_zone_name=zone.name,
                resource_group_name=self._place.group,
                location="Global",
                registration_enabled=False,
                virtual_network=privatedns.SubResourceArgs(id=made.id),
                tags=self._place.tags or None,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[subnet]),
            )
        )

    def _peer(self, near: network.VirtualNetwork, far: network.VirtualNetwork) -> None:
        """Both ways: a replica streams from its primary, and the other way round once it is promoted."""
        for name, here, there in (("near", near, far), ("far", far, near)):
            self.ready.append(
                network.VirtualNetworkPeering(
                    f"{self._name}-peering-{name}",
                    resource_group_name=self._place.group,
                    virtual_network_name=here.name,
                    remote_virtual_network=network.SubResourceArgs(id=there.id),
                    allow_virtual_network_access=True,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(self.ready)),
                )
            )


def ranges(blocks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Blocks of addresses as the firewall takes them, first and last address; read-only.

    >>> list(ranges(["203.0.113.0/24"]))
    [('203.0.113.0', '203.0.113.255')]
    """
    for block in map(ipaddress.ip_network, blocks):
        yield str(block[0]), str(block[-1])
