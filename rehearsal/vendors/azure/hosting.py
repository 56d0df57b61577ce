"""Flexible servers on a control plane: Pulumi's inputs as requests, and what Azure says of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.errors import CloudRefusalError
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.values import Inputs, at
from rehearsal.vendors.hosted import Record, number

_LARGEST_GIB: Final = 32767
"""How far storage grows by itself ("Storage options in Azure Database for PostgreSQL")."""

_KINDS: Final = {"PointInTimeRestore": "restore", "GeoRestore": "restore", "Replica": "replica"}

LOCK: Final = "/providers/Microsoft.Authorization/locks/"

IN_USE: Final = (
    "Subnet {name} is in use by {by} and cannot be deleted. In order to delete the subnet, delete all the resources "
    "within the subnet. See aka.ms/deletesubnet."
)
"""InUseSubnetCannotBeDeleted ("Troubleshoot virtual network deletion"; hashicorp/terraform-provider-azurerm#23150)."""

NESTED: Final = "Can not delete resource before nested resources are deleted."
"""CannotDeleteResource (Azure Resource Manager, "Common errors")."""

_LOCKED: Final = (
    "The scope '{scope}' cannot perform delete operation because following scope(s) are locked: '{locked}'. "
    "Please remove the lock and try again."
)
"""ScopeLocked ("Lock your resources to protect your infrastructure")."""

_UNLINKED: Final[Need] = {
    "code": "PrivateDnsZoneNotLinked",
    "message": "The private DNS zone of the server is not linked to the virtual network of its subnet: {need}",
}
""""Network with private access", Private DNS zone and virtual network: the link has to be there before the server."""


def asked(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Servers - Create Or Update of a new one; Azure restores without a standby (azure-rest-api-specs#20600)."""
    kind = _KINDS.get(str(inputs.get("createMode") or ""), "primary")
    time = {"time": inputs.get("pointInTimeUTC")} if kind == "restore" else {}
    return {
        "kind": kind,
        "source": str(inputs.get("sourceServerResourceId") or "").rpartition("/")[2] or None,
        **time,
        "region": inputs.get("location") or "",
        "version": str(inputs.get("version") or ""),
        "owner": inputs.get("administratorLogin") or "",
        "password": inputs.get("administratorLoginPassword") or "",
        "standby": kind == "primary" and has_standby(inputs),
        **_storage(inputs),
        "zone": inputs.get("availabilityZone") or "",
        "standby_zone": at(dict(inputs), "highAvailability.standbyAvailabilityZone") or "",
    }


def changed(inputs: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Servers - Create Or Update of one that is there."""
    password = inputs.get("administratorLoginPassword")
    return {
        "standby": has_standby(inputs),
        "password": password if password != before.get("administratorLoginPassword") else None,
        **_storage(inputs),
    }


def has_standby(inputs: Mapping[str, Any]) -> bool:
    """Whether high availability is asked for."""
    return at(dict(inputs), "highAvailability.mode") in ("ZoneRedundant", "SameZone")


def told(inputs: Mapping[str, Any], record: Record) -> Inputs:
    """A server, as Azure tells it."""
    mode = at(dict(inputs), "highAvailability.mode") if record["standby"] else "Disabled"
    storage = {**(inputs.get("storage") or {}), "storageSizeGB": int(record["storage_gib"])}
    state = {"mode": mode or "Disabled", "state": "Healthy" if record["standby"] else "NotEnabled"}
    zone = {"standbyAvailabilityZone": record["standby_zone"]} if record["standby"] else {}
    return {
        "availabilityZone": record["zone"],
        "fullyQualifiedDomainName": record["host"],
        "highAvailability": {**state, **zone},
        "minorVersion": record["version"].rpartition(".")[2],
        "replicationRole": "AsyncReplica" if record["kind"] == "replica" else "Primary",
        "state": "Ready",
        "storage": storage,
    }


def needs(behind: Plane, inputs: Mapping[str, Any], identity: str) -> Iterator[Need]:
    """Subnet and private DNS zone, and the link between the two where both were made here."""
    network = inputs.get("network") or {}
    subnet, zone = network.get("delegatedSubnetResourceId"), network.get("privateDnsZoneArmResourceId")
    known = behind.known(subnet_need(subnet, identity), need(zone, NESTED, "CannotDeleteResource"))
    yield from known
    if {each["id"] for each in known} == {subnet, zone} and not _is_linked(behind, subnet, zone):
        yield {"id": f"{zone}/virtualNetworkLinks/{str(subnet).split('/')[-3]}", "missing": _UNLINKED}


def subnet_need(subnet: object, user: str) -> Need:
    """A need of a subnet, by the id of who needs it."""
    words = IN_USE.replace("{name}", str(subnet).rpartition("/")[2]).replace("{by}", user)
    return need(subnet, words, "InUseSubnetCannotBeDeleted")


def vnet_of(subnet: object) -> str:
    """The id of the network that a subnet is in."""
    return str(subnet or "").partition("/subnets/")[0]


def expect_unlocked(behind: Plane, identity: str, *, scope: str) -> None:
    """Refuse a deletion below a scope that is locked, which a lock of a server is for all that is on it.

    Raises:
        CloudRefusalError: It is locked.
    """
    if any(LOCK in each for each in behind.things(below=f"{scope}/")):
        raise CloudRefusalError(code="ScopeLocked", message=locked(identity, scope), status=409)


def locked(identity: str, scope: str) -> str:
    """What Azure says of the deletion of something below a locked scope."""
    return _LOCKED.replace("{scope}", identity).replace("{locked}", scope)


def server_in(identity: str) -> str | None:
    """The name of the server whose id this is, or None.

    >>> server_in("/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/x")
    'x'
    """
    found = re.fullmatch(r".*/flexibleServers/([^/]+)", identity, re.IGNORECASE)
    return found[1] if found else None


def _is_linked(behind: Plane, subnet: object, zone: object) -> bool:
    links = [behind.thing(each) for each in behind.things(below=f"{zone}/virtualNetworkLinks/")]
    return any(at(link, "config.network") == vnet_of(subnet) for link in links)


def _storage(inputs: Mapping[str, Any]) -> dict[str, float]:
    storage = inputs.get("storage") or {}
    grows = storage.get("autoGrow") == "Enabled"
    return {"storage_gib": number(storage.get("storageSizeGB")), "autogrow_gib": _LARGEST_GIB if grows else 0}
