"""Cloud SQL instances on a control plane: Pulumi's inputs as requests, and what the cloud says of them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.values import Inputs, at
from rehearsal.vendors import certificates
from rehearsal.vendors.hosted import Record, number

_LINK: Final = "https://www.googleapis.com/compute/v1/"

_LARGEST_GIB: Final = 65536
"""What a limit of 0 means (Cloud SQL, "About instance settings", Automatic storage increase limit)."""

_PRODUCERS: Final = (
    "Unable to remove Service Networking Connection, err: Error waiting for Delete Service Networking Connection: "
    "Error code 9, message: Failed to delete connection; Producer services (e.g. CloudSQL, Cloud Memstore, etc.) are "
    "still using this connection."
)
"""hashicorp/terraform-provider-google#16275."""

_UNPEERED: Final[Need] = {
    "code": "invalid",
    "message": "Error, failed to create instance because the network doesn't have at least 1 private services "
    "connection. Please see https://cloud.google.com/sql/docs/mysql/private-ip#network_requirements for how to create "
    "this connection.",
}
"""Cloud SQL's answer of the status NETWORK_NOT_PEERED, as hashicorp/terraform-provider-google tells it."""

_CONNECTIONS: Final = {
    "privateNetwork": "PRIVATE_SERVICES_ACCESS",
    "pscConfigs": "PRIVATE_SERVICE_CONNECT",
}
"""Kinds of connection by the setting that asks for one; else it is public."""


def asked(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """instances.insert or instances.clone, as the control plane has them.

    Args:
        inputs: Plain.
        outputs: With region and addresses as a stand-in alone would have them.
    """
    found = re.search(r"\d+", str(inputs.get("databaseVersion") or ""))
    private = at(inputs, "settings.ipConfiguration.privateNetwork")
    return {
        **_origin(inputs),
        "region": outputs.get("region") or "",
        "version": found[0] if found else "",
        "standby": _is_regional(inputs),
        "parameters": _flags(inputs),
        **_disk(inputs),
        "addresses": [] if private else [outputs["publicIpAddress"]] if outputs.get("publicIpAddress") else [],
    }


def changed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """instances.patch; flags that need a restart get it at once (Cloud SQL, "Configure database flags")."""
    return {"standby": _is_regional(inputs), "parameters": _flags(inputs), **_disk(inputs), "restart": True}


def told(behind: Plane, inputs: Mapping[str, Any], record: Record) -> Inputs:
    """Names, addresses and certificate authority of an instance, as instances.get tells them."""
    ways = at(inputs, "settings.ipConfiguration") or {}
    kind = next((kind for key, kind in _CONNECTIONS.items() if ways.get(key)), "PUBLIC")
    name, address = f"{record['host']}.", record["addresses"][0]
    place = {"PRIVATE_SERVICES_ACCESS": "PRIVATE", "PUBLIC": "PRIMARY"}.get(kind)
    listed = [{"type": place, "ipAddress": address, "timeToRetire": ""}] if place else []
    return {
        "dnsName": name,
        "dnsNames": [
            {"name": name, "connectionType": kind, "dnsScope": "INSTANCE", "recordManager": "CLOUD_SQL_AUTOMATION"}
        ],
        "firstIpAddress": address if place else "",
        "ipAddresses": listed,
        "privateIpAddress": address if place == "PRIVATE" else "",
        "publicIpAddress": address if place == "PRIMARY" else "",
        "serverCaCerts": [certificates.of(behind.ask("authority")["ca"])],
    }


def seen(inputs: Mapping[str, Any], record: Record) -> Inputs:
    """What of the settings the instance decides itself: its disk, and whether it has a standby."""
    settings = {**(record["attributes"].get("settings") or {})}
    settings["diskSize"] = int(record["storage_gib"])
    if inputs.get("masterInstanceName") is None:
        settings["availabilityType"] = "REGIONAL" if record["standby"] else "ZONAL"
    return {"settings": settings}


def keeping(outputs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """instances.delete: the final backup, and the logs for a restore to a moment."""
    final = at(outputs, "settings.finalBackupConfig.enabled") is True
    return {
        "final_backup": f"{name}-final" if final else None,
        "keep_archive": at(outputs, "settings.retainBackupsOnDelete") is True,
    }


def needs(behind: Plane, inputs: Mapping[str, Any]) -> list[Need]:
    """The connection of its network with Google's services, where the network was made here."""
    network = plain(at(inputs, "settings.ipConfiguration.privateNetwork"))
    if not network or behind.thing(network) is None:
        return []
    peered = connection(network, "servicenetworking.googleapis.com")
    return [need(peered, _PRODUCERS, "FAILED_PRECONDITION", missing=_UNPEERED)]


def connection(network: object, service: object) -> str:
    """The id of a connection."""
    return f"{plain(network)}:{service}"


def plain(network: object) -> str:
    """The id of a network that is given by its link."""
    return str(network or "").removeprefix(_LINK)


def still_used() -> str:
    """What Google says of a connection that Cloud SQL holds for days after its last instance is gone."""
    return _PRODUCERS


def _origin(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs.get("masterInstanceName"):
        return {"kind": "replica", "source": str(inputs["masterInstanceName"]).rpartition("/")[2]}
    clone = inputs.get("clone")
    if clone is None:
        return {}
    return {"kind": "restore", "source": clone["sourceInstanceName"], "time": clone.get("pointInTime")}


def _is_regional(inputs: Mapping[str, Any]) -> bool:
    return bool(at(dict(inputs), "settings.availabilityType") == "REGIONAL")


def _flags(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: str(each["value"]) for each in at(dict(inputs), "settings.databaseFlags") or []}


def _disk(inputs: Mapping[str, Any]) -> dict[str, float]:
    settings = inputs.get("settings") or {}
    grows = settings.get("diskAutoresize", True) is True
    limit = number(settings.get("diskAutoresizeLimit")) or _LARGEST_GIB
    return {"storage_gib": number(settings.get("diskSize"), 10), "autogrow_gib": limit if grows else 0}
