"""Networks, addresses and the peering with Google's services."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from rehearsal.errors import CloudRefusalError
from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Found, Resource
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.gcp import hosting
from rehearsal.vendors.gcp.base import LOWER, NAME, Google, text, within

_LINK: Final = "https://www.googleapis.com/compute/v1/"


_USED: Final = (
    "The {kind} resource '{id}' is already being used by '{by}'",
    "resourceInUseByAnotherResource",
)
"""Compute Engine, "Resource-related errors"."""


class _InNetwork(Google):
    """Something with which its network cannot be deleted."""

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The network."""
        words, code = _USED
        return behind.known(need(hosting.plain(this.inputs.get("network")), words.replace("{kind}", "network"), code))


class Network(Google):
    """A VPC network."""

    token = "gcp:compute/network:Network"  # noqa: S105
    autoname = LOWER
    replaces = words("autoCreateSubnetworks description internalIpv6Range name networkProfile params project")
    model = "compute.v1/Network"
    form = "projects/{project}/global/networks/{name}"
    fills = says(autoCreateSubnetworks=True, description="Managed by Pulumi")
    answers = says(
        selfLink=f"{_LINK}projects/{{project}}/global/networks/{{name}}",
        gatewayIpv4="",
        networkId="{digits}",
        numericId="{digits}",
        mtu=1460,
        routingMode="REGIONAL",
    )

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """Routing has a block of its own; the rest of what the API does not list is the provider's."""
        same = words("name description autoCreateSubnetworks mtu")
        own: Inputs = {key: inputs[key] for key in same if key in inputs}
        mode = inputs.get("routingMode")
        return {**own, "routingConfig": {"routingMode": mode}} if mode else own

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Compute Engine, "VPC networks"."""
        del call
        yield from within("mtu", inputs.get("mtu"), 1300, 8896, "bytes")


class Subnetwork(_InNetwork):
    """A region's part of a network."""

    token = "gcp:compute/subnetwork:Subnetwork"  # noqa: S105
    autoname = LOWER
    replaces = words(
        """
        network description externalIpv6Prefix internalIpv6Prefix name params project region
        reservedInternalRange resolveSubnetMask
        """
    )
    form = "projects/{project}/regions/{region}/subnetworks/{name}"
    answers = says(
        region="{region}",
        selfLink=f"{_LINK}projects/{{project}}/regions/{{region}}/subnetworks/{{name}}",
        gatewayAddress="10.64.8.1",
        purpose="PRIVATE",
        stackType="IPV4_ONLY",
    )
    model = "compute.v1/Subnetwork"

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """The keys that the API knows by the same name."""
        same = words("name ipCidrRange network region privateIpGoogleAccess purpose role stackType description")
        return {key: inputs[key] for key in same if key in inputs}


class GlobalAddress(_InNetwork):
    """A reserved address, or a range of them."""

    token = "gcp:compute/globalAddress:GlobalAddress"  # noqa: S105
    autoname = NAME
    replaces = words("address addressType description ipVersion name network prefixLength project purpose")
    model = "compute.v1/Address"
    form = "projects/{project}/global/addresses/{name}"
    answers = says(
        address="10.64.0.0",
        creationTimestamp="2026-09-01T03:00:00.000-07:00",
        labelFingerprint="{short}",
        selfLink=f"{_LINK}projects/{{project}}/global/addresses/{{name}}",
    )

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Service Networking, "Allocate an IP address range"."""
        del call
        if inputs.get("purpose") == "VPC_PEERING":
            yield from within("prefixLength", inputs.get("prefixLength"), 8, 30, "bits of an allocated range")
            if inputs.get("prefixLength") is None:
                yield Refusal("prefixLength", "expected the length of the range, for example 20: VPC_PEERING needs one")
            if text(inputs.get("addressType")) != "INTERNAL":
                yield Refusal("addressType", "expected INTERNAL: a range for VPC_PEERING is private")


class Connection(_InNetwork):
    """The peering of a network with Google's services."""

    token = "gcp:servicenetworking/connection:Connection"  # noqa: S105
    replaces = words("network service")
    model = "servicenetworking.v1/Connection"
    elsewhere = frozenset({"deletionPolicy", "updateOnCreationFail", "service"})
    form = "{network}:{service}"
    answers = says(peering="servicenetworking-googleapis-com")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """The provider's own values (magic-modules#18476)."""
        del call
        if text(inputs.get("deletionPolicy")) not in ("", "ABANDON", "REMOVE_PEERING"):
            yield Refusal("deletionPolicy", f"expected ABANDON or REMOVE_PEERING, got {inputs['deletionPolicy']!r}")
        if inputs.get("reservedPeeringRanges") == []:
            yield Refusal("reservedPeeringRanges", "expected at least one allocated range")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """services.connections.create."""
        return super().begin(behind, _by_id(this), half=half)

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """services.connections.list."""
        return super().look(behind, _by_id(this))

    def end(self, behind: Plane, this: Resource) -> None:
        """By policy: the connection is deleted, its peering is removed, or both are left as they are.

        Cloud SQL holds a connection for days after its last instance is gone (magic-modules#18476).
        """
        policy = this.outputs.get("deletionPolicy")
        if policy == "ABANDON":
            return
        if policy != "REMOVE_PEERING" and behind.ask("servers.list")["retained"]:
            raise CloudRefusalError(code="FAILED_PRECONDITION", message=hosting.still_used())
        super().end(behind, _by_id(this))

    def imported(self, call: Call, identity: str) -> Inputs:
        """`<network>:<service>`."""
        del call
        network, _, service = identity.partition(":")
        return {"network": network, "service": service}


def _by_id(this: Resource) -> Resource:
    """A connection under one id, whether its network is said by its id or by its link."""
    network, _, service = this.identity.rpartition(":")
    return replace(this, identity=hosting.connection(network, service))
