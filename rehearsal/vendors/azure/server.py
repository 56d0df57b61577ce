"""Azure Database for PostgreSQL flexible servers."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Need, Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs, at
from rehearsal.vendors.azure import hosting, server_rules
from rehearsal.vendors.azure.base import Azure, named
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.hosted import Hosted, Record

SERVER: Final = "Microsoft.DBforPostgreSQL/flexibleServers"
OF_SERVER: Final = f"{SERVER}/{{serverName}}"
VERSION: Final = "2025-08-01"


class Server(Hosted, Azure):
    """A flexible server: new, restored, or a replica."""

    token = "azure-native:dbforpostgresql:Server"  # noqa: S105
    autoname = named("serverName", 63)
    # The SDK marks nothing secret.
    secrets = words("administratorLoginPassword")
    replaces = words(
        """
        resourceGroupName administratorLogin availabilityZone location pointInTimeUTC serverName
        sourceServerResourceId
        """
    )
    kind = SERVER
    path = OF_SERVER
    model = "Server"
    version = VERSION
    answers = says(state="Ready", privateEndpointConnections=[], replicaCapacity=5)

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """What the SDK itself sends empty is as if it were not there."""
        body = super().body(inputs)
        if body.get("availabilityZone") == "":
            del body["availabilityZone"]
        return body

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """The service's own."""
        yield from server_rules.server(inputs, fresh=call.fresh)

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """Its names, and what it runs."""
        name, zone = inputs["serverName"], at(inputs, "network.privateDnsZoneArmResourceId")
        domain = "postgres.database.azure.com"
        if isinstance(zone, str) and not zone.endswith("privatelink.postgres.database.azure.com"):
            domain = zone.rpartition("/")[2]
        replica = inputs.get("createMode") == "Replica"
        return {
            **super().computed(call, inputs),
            "fullyQualifiedDomainName": f"{name}.{domain}",
            "minorVersion": "6",
            "replicationRole": inputs.get("replicationRole") or ("AsyncReplica" if replica else "Primary"),
            "systemData": {"createdByType": "Application", "createdAt": "2026-09-01T03:00:00Z"},
        }

    # On a control plane.

    def server_of(self, this: Resource) -> str:
        """Its name."""
        return this.identity.rpartition("/")[2]

    def asked(self, behind: Plane, this: Resource) -> dict[str, Any]:
        """Servers - Create Or Update, in one of its modes."""
        del behind
        return hosting.asked(this.inputs)

    def changed(self, behind: Plane, this: Resource, before: dict[str, Any]) -> dict[str, Any]:
        """The same, of a server that is there."""
        del behind
        return hosting.changed(this.inputs, before)

    def told(self, behind: Plane, this: Resource, record: Record) -> Inputs:
        """Servers - Get."""
        del behind
        return hosting.told(this.inputs or record["attributes"], record)

    def seen(self, this: Resource, record: Record) -> Inputs:
        """What differs from what Azure told last: nothing else is a difference to the provider.

        Source: pulumi/pulumi-azure-native, provider.go, Read.
        """
        told = hosting.told(this.inputs or record["attributes"], record)
        return {key: value if value != this.outputs.get(key) else this.inputs.get(key) for key, value in told.items()}

    def keeping(self, this: Resource) -> dict[str, Any]:
        """Nothing: the backups of a server go with it."""
        del this
        return {}

    def end(self, behind: Plane, this: Resource) -> None:
        """With all that is on it, unless it is locked."""
        hosting.expect_unlocked(behind, this.identity, scope=this.identity)
        super().end(behind, this)
        for each in list(behind.things(below=f"{this.identity}/")):
            behind.ask("things.remove", id=each)

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The way to it."""
        return hosting.needs(behind, this.inputs, this.identity)
