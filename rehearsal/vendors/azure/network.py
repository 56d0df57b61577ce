"""Resource groups, networks and private names."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, at
from rehearsal.vendors.azure import hosting
from rehearsal.vendors.azure.base import Azure, named
from rehearsal.vendors.declared import says, words

_NETWORK: Final = "Microsoft.Network"
_VNET: Final = f"{_NETWORK}/virtualNetworks/{{virtualNetworkName}}"
_NESTED: Final = (hosting.NESTED, "CannotDeleteResource")
_ZONE: Final = f"{_NETWORK}/privateDnsZones/{{privateZoneName}}"


class ResourceGroup(Azure):
    """A resource group."""

    token = "azure-native:resources:ResourceGroup"  # noqa: S105
    autoname = named("resourceGroupName", 90)
    replaces = words("location resourceGroupName")
    kind = "Microsoft.Resources/resourceGroups"
    version = "2024-03-01"

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """Right below the subscription."""
        del outputs
        return str(self._written("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}", call, inputs))

    def imported(self, call: Call, identity: str) -> Inputs:
        """Its name."""
        del call
        return {"resourceGroupName": identity.rpartition("/")[2]}


class VirtualNetwork(Azure):
    """A network."""

    token = "azure-native:network:VirtualNetwork"  # noqa: S105
    autoname = named("virtualNetworkName", 64)
    replaces = words("resourceGroupName location virtualNetworkName")
    kind = "Microsoft.Network/virtualNetworks"
    path = _VNET
    version = "2024-05-01"
    answers = says(resourceGuid="{uuid}", etag='W/"{uuid}"')

    def end(self, behind: Plane, this: Resource) -> None:
        """With its subnets, none of which may be in use."""
        for subnet in list(behind.things(below=f"{this.identity}/subnets/")):
            behind.ask("things.remove", id=subnet)
        super().end(behind, this)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Address spaces."""
        del call
        for index, each in enumerate(at(inputs, "addressSpace.addressPrefixes") or []):
            yield from block(f"addressSpace.addressPrefixes[{index}]", each)


class Subnet(Azure):
    """A part of a network."""

    token = "azure-native:network:Subnet"  # noqa: S105
    part = "subnetName"
    replaces = words("resourceGroupName virtualNetworkName subnetName")
    kind = "Microsoft.Network/virtualNetworks/subnets"
    path = f"{_VNET}/subnets/{{subnetName}}"
    version = "2024-05-01"
    answers = says(etag='W/"{uuid}"', purpose="")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A block; a delegated one leaves room for servers ("Network with private access")."""
        del call
        yield from block("addressPrefix", inputs.get("addressPrefix"))
        delegated = any(isinstance(each, dict) for each in inputs.get("delegations") or [])
        prefix = inputs.get("addressPrefix")
        if delegated and isinstance(prefix, str) and prefix.rpartition("/")[2] in ("29", "30", "31", "32"):
            yield Refusal("addressPrefix", f"expected /28 or wider for a delegated subnet, got {prefix!r}")


class VirtualNetworkPeering(Azure):
    """Two networks, joined one way."""

    token = "azure-native:network:VirtualNetworkPeering"  # noqa: S105
    part = "virtualNetworkPeeringName"
    replaces = words("resourceGroupName virtualNetworkName virtualNetworkPeeringName")
    kind = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
    path = f"{_VNET}/virtualNetworkPeerings/{{virtualNetworkPeeringName}}"
    version = "2024-05-01"
    answers = says(peeringState="Connected", resourceGuid="{uuid}")


class PrivateEndpoint(Azure):
    """A private way to a service."""

    token = "azure-native:network:PrivateEndpoint"  # noqa: S105
    autoname = named("privateEndpointName", 64)
    replaces = words("resourceGroupName privateEndpointName subnet")
    kind = "Microsoft.Network/privateEndpoints"
    path = f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}"
    version = "2024-05-01"
    answers = says(customDnsConfigs=[], etag='W/"{uuid}"', networkInterfaces=[])

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The subnet that it has an address of."""
        return behind.known(hosting.subnet_need(at(this.inputs, "subnet.id"), this.identity))


class PrivateDnsZoneGroup(Azure):
    """The names of a private endpoint."""

    token = "azure-native:network:PrivateDnsZoneGroup"  # noqa: S105
    part = "privateDnsZoneGroupName"
    replaces = words("privateEndpointName resourceGroupName privateDnsZoneGroupName")
    kind = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
    path = f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}/privateDnsZoneGroups/{{privateDnsZoneGroupName}}"
    version = "2024-05-01"


class PrivateZone(Azure):
    """A private DNS zone."""

    token = "azure-native:privatedns:PrivateZone"  # noqa: S105
    part = "privateZoneName"
    replaces = words("resourceGroupName location privateZoneName")
    kind = "Microsoft.Network/privateDnsZones"
    path = _ZONE
    version = "2024-06-01"
    answers = says(numberOfRecordSets=1, maxNumberOfRecordSets=25000, etag="{uuid}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Two labels or more, and everywhere."""
        del call
        name, where = inputs.get("privateZoneName"), inputs.get("location")
        if isinstance(name, str) and not re.fullmatch(r"([\w-]{1,63}\.)+[\w-]{1,63}", name):
            yield Refusal("privateZoneName", f"expected a domain of two labels or more, got {name!r}")
        if isinstance(where, str) and where.lower() != "global":
            yield Refusal("location", f"expected Global, got {where!r}")


class VirtualNetworkLink(Azure):
    """A zone, seen from a network."""

    token = "azure-native:privatedns:VirtualNetworkLink"  # noqa: S105
    part = "virtualNetworkLinkName"
    replaces = words("privateZoneName resourceGroupName location virtualNetworkLinkName")
    kind = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
    path = f"{_ZONE}/virtualNetworkLinks/{{virtualNetworkLinkName}}"
    version = "2024-06-01"
    answers = says(virtualNetworkLinkState="Completed", etag="{uuid}")

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """Its zone, and the subnets of the network, which cannot go while it is linked (azurerm#23150)."""
        yield from behind.known(need(this.identity.partition("/virtualNetworkLinks/")[0], *_NESTED))
        for subnet in behind.things(below=f"{self.kept(this)['network']}/subnets/"):
            yield hosting.subnet_need(subnet, this.identity)

    def kept(self, this: Resource) -> dict[str, Any]:
        """The network, for servers."""
        return {"network": str(at(this.inputs, "virtualNetwork.id") or "")}


def block(path: str, value: object) -> Iterator[Refusal]:
    """What is wrong with an IPv4 block."""
    if value is None or value is UNKNOWN:
        return
    try:
        ipaddress.IPv4Network(str(value))
    except ValueError as error:
        yield Refusal(path, f"expected a block in CIDR notation, for example 10.96.0.0/24, got {value!r}: {error}")


def address_range(start: object, end: object) -> Iterator[Refusal]:
    """What is wrong with a firewall's range."""
    found = []
    for key, value in (("startIpAddress", start), ("endIpAddress", end)):
        if value is UNKNOWN or value is None:
            return
        try:
            found.append(ipaddress.IPv4Address(str(value)))
        except ValueError:
            yield Refusal(key, f"expected an IPv4 address, for example 203.0.113.0, got {value!r}")
            return
    if found[0] > found[1]:
        yield Refusal("endIpAddress", f"expected an address not before {found[0]}, got {found[1]}")
