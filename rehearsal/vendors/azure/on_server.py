"""What is on a flexible server: databases, parameters, rules of its firewall, endpoints, administrators, backups."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Found, Resource
from rehearsal.plugin.plane import Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.azure import hosting, network
from rehearsal.vendors.azure.base import Azure
from rehearsal.vendors.azure.server import OF_SERVER, SERVER, VERSION
from rehearsal.vendors.declared import says, words

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _OnServer(Azure):
    """Something on a server, which has its path.

    Azure works on one thing of a server at a time, and refuses the second one (ServerIsBusy).
    """

    replaces = words("resourceGroupName serverName")
    version = VERSION

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """An operation on the server."""
        self.work(behind, this)
        return super().begin(behind, this, half=half)

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """The same."""
        self.work(behind, this)
        return super().change(behind, this, before)

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """What is gone with its server is gone."""
        return super().look(behind, this) if behind.server(_server_of(this)) is not None else None

    def end(self, behind: Plane, this: Resource) -> None:
        """The same, unless the server is locked."""
        hosting.expect_unlocked(behind, this.identity, scope=this.identity.rpartition("/")[0].rpartition("/")[0])
        if behind.server(_server_of(this)) is not None:
            self.unwork(behind, this)
        super().end(behind, this)

    def work(self, behind: Plane, this: Resource) -> None:
        """What the operation does; nothing that PostgreSQL would notice."""
        behind.ask("servers.modify", name=_server_of(this))

    def unwork(self, behind: Plane, this: Resource) -> None:
        """What the operation does that takes it away."""
        behind.ask("servers.modify", name=_server_of(this))

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Its own."""
        del call, inputs
        yield from ()


class Database(_OnServer):
    """A database."""

    token = "azure-native:dbforpostgresql:Database"  # noqa: S105
    part = "databaseName"
    kind = f"{SERVER}/databases"
    path = f"{OF_SERVER}/databases/{{databaseName}}"
    model = "Database"
    replaces = words("resourceGroupName serverName databaseName")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Names that are taken."""
        del call
        name = inputs.get("databaseName")
        if name in ("azure_maintenance", "azure_sys", "template0", "template1"):
            yield Refusal("databaseName", f"expected a name of one's own, got {name!r}")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z_][\w-]{0,62}", name):
            yield Refusal("databaseName", f"expected up to 63 letters, digits, - and _, got {name!r}")

    def work(self, behind: Plane, this: Resource) -> None:
        """Databases - Create; one that is there already is as good."""
        behind.ask("databases.create", server=_server_of(this), name=_name_of(this))

    def unwork(self, behind: Plane, this: Resource) -> None:
        """Databases - Delete."""
        if self.look(behind, this) is not None:
            behind.ask("databases.delete", server=_server_of(this), name=_name_of(this))

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """A restored server brings its databases along."""
        server = behind.server(_server_of(this))
        return Found({}, {}) if server is not None and _name_of(this) in server["databases"] else None


class Configuration(_OnServer):
    """One parameter of a server."""

    token = "azure-native:dbforpostgresql:Configuration"  # noqa: S105
    part = "configurationName"
    kind = f"{SERVER}/configurations"
    path = f"{OF_SERVER}/configurations/{{configurationName}}"
    model = "Configuration"
    replaces = words("resourceGroupName serverName configurationName")
    answers = says(dataType="String", isConfigPendingRestart=False, isDynamicConfig=True, isReadOnly=False)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A value as text, and said to be the user's."""
        del call
        source = inputs.get("source")
        if isinstance(source, str) and source not in ("user-override", "system-default"):
            yield Refusal("source", f"expected user-override, got {source!r}")
        name = inputs.get("configurationName")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            yield Refusal("configurationName", f"expected a parameter, for example statement_timeout, got {name!r}")

    def work(self, behind: Plane, this: Resource) -> None:
        """Configurations - Put; a static one waits for a restart."""
        _set(behind, this, {_name_of(this): str(this.inputs.get("value") or "")})

    def unwork(self, behind: Plane, this: Resource) -> None:
        """Back to its default."""
        _set(behind, this, {})


class FirewallRule(_OnServer):
    """Who of the internet may connect."""

    token = "azure-native:dbforpostgresql:FirewallRule"  # noqa: S105
    part = "firewallRuleName"
    kind = f"{SERVER}/firewallRules"
    path = f"{OF_SERVER}/firewallRules/{{firewallRuleName}}"
    model = "FirewallRule"
    replaces = words("resourceGroupName serverName firewallRuleName")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A range in its order."""
        del call
        yield from network.address_range(inputs.get("startIpAddress"), inputs.get("endIpAddress"))
        name = inputs.get("firewallRuleName")
        if isinstance(name, str) and not re.fullmatch(r"[\w-]{1,128}", name, re.ASCII):
            yield Refusal("firewallRuleName", f"expected up to 128 letters, digits, - and _, got {name!r}")


class VirtualEndpoint(_OnServer):
    """A name that follows the primary."""

    token = "azure-native:dbforpostgresql:VirtualEndpoint"  # noqa: S105
    part = "virtualEndpointName"
    kind = f"{SERVER}/virtualEndpoints"
    path = f"{OF_SERVER}/virtualEndpoints/{{virtualEndpointName}}"
    model = "VirtualEndpoint"
    replaces = words("resourceGroupName serverName virtualEndpointName")

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The names for writers and readers."""
        name = inputs["virtualEndpointName"]
        ends = [f"{name}.{kind}.postgres.database.azure.com" for kind in ("writer", "reader")]
        return {**super().computed(call, inputs), "virtualEndpoints": ends}


class AdministratorsMicrosoftEntra(_OnServer):
    """An identity that administers a server."""

    token = "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra"  # noqa: S105
    part = "objectId"
    kind = f"{SERVER}/administrators"
    path = f"{OF_SERVER}/administrators/{{objectId}}"
    model = "AdministratorMicrosoftEntraAdd"
    replaces = words("resourceGroupName serverName objectId")
    # The SDK's enum is the one of another service of its module, in small letters.
    opened = words("principalType")

    def work(self, behind: Plane, this: Resource) -> None:
        """Administrators - Create: a role named after the identity."""
        behind.ask("users.create", server=_server_of(this), name=str(this.inputs.get("principalName")), iam=True)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """An object's id is a UUID."""
        del call
        for key in ("objectId", "tenantId"):
            value = inputs.get(key)
            if isinstance(value, str) and not _UUID.fullmatch(value):
                yield Refusal(key, f"expected a UUID, for example 00000000-0000-0000-0000-000000000000, got {value!r}")


class BackupsAutomaticAndOnDemand(_OnServer):
    """A backup on demand."""

    token = "azure-native:dbforpostgresql:BackupsAutomaticAndOnDemand"  # noqa: S105
    part = "backupName"
    kind = f"{SERVER}/backups"
    path = f"{OF_SERVER}/backups/{{backupName}}"
    replaces = words("resourceGroupName serverName backupName")
    answers = says(backupType="Customer On-Demand", completedTime="2026-09-01T03:00:00Z", source="Full")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """Backups Automatic And On Demand - Create."""
        behind.ask("backups.create", server=_server_of(this), label=f"{_server_of(this)}/{_name_of(this)}")
        return super().begin(behind, this, half=half)


def _server_of(this: Resource) -> str:
    """The server in the id of something on it."""
    return this.identity.split("/")[-3]


def _name_of(this: Resource) -> str:
    return this.identity.rpartition("/")[2]


def _set(behind: Plane, this: Resource, values: dict[str, str]) -> None:
    """Set a parameter, or none of its name; the others stay."""
    server = _server_of(this)
    known = dict((behind.server(server) or {}).get("parameters") or {})
    known.pop(_name_of(this), None)
    behind.ask("servers.modify", name=server, parameters={**known, **values})
