"""Groups, networks, names, vaults, identities and monitoring."""

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, at
from rehearsal.vendors.azure.base import Azure, named
from rehearsal.vendors.declared import says, words

_NETWORK: Final = "Microsoft.Network"
_VNET: Final = f"{_NETWORK}/virtualNetworks/{{virtualNetworkName}}"
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


class Vault(Azure):
    """A key vault."""

    token = "azure-native:keyvault:Vault"  # noqa: S105
    autoname = named("vaultName", 24)
    replaces = words("resourceGroupName vaultName")
    kind = "Microsoft.KeyVault/vaults"
    path = "Microsoft.KeyVault/vaults/{vaultName}"
    version = "2024-11-01"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Azure Key Vault keys, secrets, and certificates overview", vault names; soft delete."""
        del call
        name, days = inputs.get("vaultName"), at(inputs, "properties.softDeleteRetentionInDays")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9]){2,23}", name):
            yield Refusal("vaultName", f"expected 3 to 24 letters, digits and single hyphens, got {name!r}")
        if isinstance(days, int) and not 7 <= days <= 90:  # noqa: PLR2004  # The documented limits.
            yield Refusal("properties.softDeleteRetentionInDays", f"expected 7 to 90 days, got {days}")
        if at(inputs, "properties.enablePurgeProtection") is False:
            reason = "The property 'enablePurgeProtection' cannot be set to false: leave it out"
            yield Refusal("properties.enablePurgeProtection", reason)

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """With its address."""
        properties = inputs.get("properties") or {}
        known = {**properties, "vaultUri": f"https://{inputs['vaultName']}.vault.azure.net/"}
        return {**super().computed(call, inputs), "properties": known}

    def recomputed(self, call: Call, old: dict[str, Any], new: dict[str, Any]) -> Inputs:
        """The same."""
        del old
        return {"properties": self.computed(call, new)["properties"]}


class Secret(Azure):
    """A secret with its content."""

    token = "azure-native:keyvault:Secret"  # noqa: S105
    part = "secretName"
    secrets = words("properties.value")
    replaces = words("resourceGroupName vaultName secretName")
    kind = "Microsoft.KeyVault/vaults/secrets"
    path = "Microsoft.KeyVault/vaults/{vaultName}/secrets/{secretName}"
    version = "2024-11-01"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Object names."""
        del call
        name = inputs.get("secretName")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z0-9-]{1,127}", name):
            yield Refusal("secretName", f"expected up to 127 letters, digits and hyphens, got {name!r}")

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """Its addresses instead of its value, which the API never answers."""
        uri = f"https://{inputs['vaultName']}.vault.azure.net/secrets/{inputs['secretName']}"
        properties = {key: value for key, value in inputs["properties"].items() if key != "value"}
        known = {**properties, "secretUri": uri, "secretUriWithVersion": f"{uri}/{call.chance('version', 32)}"}
        return {**super().computed(call, inputs), "properties": known}

    def recomputed(self, call: Call, old: dict[str, Any], new: dict[str, Any]) -> Inputs:
        """The same."""
        del old
        return {"properties": self.computed(call, new)["properties"]}


class Key(Azure):
    """A key."""

    token = "azure-native:keyvault:Key"  # noqa: S105
    part = "keyName"
    replaces = words("resourceGroupName vaultName keyName")
    kind = "Microsoft.KeyVault/vaults/keys"
    path = "Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}"
    version = "2024-11-01"
    answers = says(
        keyUri="https://{vaultName}.vault.azure.net/keys/{keyName}",
        keyUriWithVersion="https://{vaultName}.vault.azure.net/keys/{keyName}/{hex}",
    )


class UserAssignedIdentity(Azure):
    """An identity."""

    token = "azure-native:managedidentity:UserAssignedIdentity"  # noqa: S105
    autoname = named("resourceName", 128)
    replaces = words("resourceGroupName location resourceName")
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    path = "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"
    version = "2023-01-31"
    answers = says(clientId="{uuid}", principalId="{uuid}", tenantId="00000000-0000-0000-0000-000000000000")


class _Scoped(Azure):
    """Something that is laid on another resource."""

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """Below its scope."""
        del outputs
        scope = inputs.get("scope") or inputs.get("resourceUri")
        return f"{str(scope).rstrip('/')}/providers/{self._written(self.path, call, inputs)}"


class RoleAssignment(_Scoped):
    """A role for one identity."""

    token = "azure-native:authorization:RoleAssignment"  # noqa: S105
    replaces = words("principalId scope roleAssignmentName")
    kind = "Microsoft.Authorization/roleAssignments"
    path = "Microsoft.Authorization/roleAssignments/{roleAssignmentName}"
    version = "2022-04-01"

    def fill(self, call: Call, old: Inputs, new: Inputs) -> Inputs:
        """Its name is a UUID."""
        chosen = old.get("roleAssignmentName") or self.names(call, {})["uuid"]
        return super().fill(call, old, {"roleAssignmentName": chosen, **new})

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Role definitions go by their ids."""
        del call
        role, name = inputs.get("roleDefinitionId"), inputs.get("roleAssignmentName")
        if isinstance(role, str) and not re.search(r"/roleDefinitions/[0-9a-f-]{36}$", role, re.IGNORECASE):
            yield Refusal("roleDefinitionId", f"expected …/roleDefinitions/<UUID>, got {role!r}")
        if isinstance(name, str) and not re.fullmatch(r"[0-9a-fA-F-]{36}", name):
            yield Refusal("roleAssignmentName", f"expected a UUID, got {name!r}")


class ManagementLockByScope(_Scoped):
    """A lock."""

    token = "azure-native:authorization:ManagementLockByScope"  # noqa: S105
    part = "lockName"
    replaces = words("scope lockName")
    kind = "Microsoft.Authorization/locks"
    path = "Microsoft.Authorization/locks/{lockName}"
    version = "2020-05-01"


class DiagnosticSetting(_Scoped):
    """Where a resource's logs go."""

    token = "azure-native:monitor:DiagnosticSetting"  # noqa: S105
    part = "name"
    replaces = words("resourceUri name")
    kind = "Microsoft.Insights/diagnosticSettings"
    path = "Microsoft.Insights/diagnosticSettings/{name}"
    version = "2021-05-01-preview"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A target, and a category or a group of them."""
        del call
        targets = words("workspaceId storageAccountId eventHubAuthorizationRuleId marketplacePartnerId")
        if not any(inputs.get(each) is not None for each in targets):
            yield Refusal("workspaceId", f"expected at least one of {', '.join(sorted(targets))}")
        for index, log in enumerate(inputs.get("logs") or []):
            if isinstance(log, dict) and (log.get("category") is None) == (log.get("categoryGroup") is None):
                yield Refusal(f"logs[{index}]", "expected exactly one of category and categoryGroup")


class ActionGroup(Azure):
    """Who is told."""

    token = "azure-native:monitor:ActionGroup"  # noqa: S105
    autoname = named("actionGroupName", 260)
    replaces = words("resourceGroupName actionGroupName location")
    kind = "Microsoft.Insights/ActionGroups"
    path = "Microsoft.Insights/actionGroups/{actionGroupName}"
    version = "2024-10-01-preview"

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Action groups", short name and e-mail."""
        del call
        short = inputs.get("groupShortName")
        if isinstance(short, str) and not 1 <= len(short) <= 12:  # noqa: PLR2004  # The documented limit.
            yield Refusal("groupShortName", f"expected 1 to 12 characters, got {short!r}")
        for index, each in enumerate(inputs.get("emailReceivers") or []):
            address = each.get("emailAddress") if isinstance(each, dict) else None
            if isinstance(address, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
                yield Refusal(f"emailReceivers[{index}].emailAddress", f"expected an address, got {address!r}")


class MetricAlert(Azure):
    """An alarm."""

    token = "azure-native:monitor:MetricAlert"  # noqa: S105
    autoname = named("ruleName", 260)
    replaces = words("resourceGroupName location ruleName")
    kind = "Microsoft.Insights/metricAlerts"
    path = "Microsoft.Insights/metricAlerts/{ruleName}"
    version = "2018-03-01"
    answers = says(isMigrated=False)

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Metric alerts", evaluation frequency, window and severity."""
        del call
        allowed = {
            "evaluationFrequency": words("PT1M PT5M PT15M PT30M PT1H"),
            "windowSize": words("PT1M PT5M PT15M PT30M PT1H PT6H PT12H P1D"),
        }
        for key, values in allowed.items():
            if inputs.get(key) not in (None, UNKNOWN, *values):
                yield Refusal(key, f"expected one of {', '.join(sorted(values))}, got {inputs[key]!r}")
        severity = inputs.get("severity")
        if isinstance(severity, int) and not 0 <= severity <= 4:  # noqa: PLR2004  # The documented limits.
            yield Refusal("severity", f"expected 0 to 4, got {severity}")
        if isinstance(inputs.get("location"), str) and inputs["location"].lower() != "global":
            yield Refusal("location", f"expected global, got {inputs['location']!r}")


class ActivityLogAlert(Azure):
    """An alarm on what happens to a resource."""

    token = "azure-native:monitor:ActivityLogAlert"  # noqa: S105
    autoname = named("activityLogAlertName", 260)
    replaces = words("resourceGroupName location activityLogAlertName")
    kind = "Microsoft.Insights/activityLogAlerts"
    path = "Microsoft.Insights/activityLogAlerts/{activityLogAlertName}"
    version = "2020-10-01"


class Workspace(Azure):
    """Where logs are kept."""

    token = "azure-native:operationalinsights:Workspace"  # noqa: S105
    autoname = named("workspaceName", 63)
    replaces = words("resourceGroupName location workspaceName")
    kind = "Microsoft.OperationalInsights/workspaces"
    path = "Microsoft.OperationalInsights/workspaces/{workspaceName}"
    version = "2023-09-01"
    answers = says(customerId="{uuid}", createdDate="2026-09-01T03:00:00Z")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """See "Manage data retention in a Log Analytics workspace"."""
        del call
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days != 7 and not 30 <= days <= 730:  # noqa: PLR2004  # The documented limits.
            yield Refusal("retentionInDays", f"expected 30 to 730 days, got {days}")
        name = inputs.get("workspaceName")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", name):
            yield Refusal("workspaceName", f"expected 4 to 63 letters, digits and hyphens, got {name!r}")


class Workbook(Azure):
    """A dashboard, written as JSON."""

    token = "azure-native:applicationinsights:Workbook"  # noqa: S105
    part = "resourceName"
    replaces = words("resourceGroupName location resourceName")
    kind = "Microsoft.Insights/workbooks"
    path = "Microsoft.Insights/workbooks/{resourceName}"
    version = "2023-06-01"
    answers = says(revision="{hex}", timeModified="2026-09-01T03:00:00Z", userId="")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """A workbook goes by a UUID, and holds JSON."""
        del call
        name, data = inputs.get("resourceName"), inputs.get("serializedData")
        if isinstance(name, str) and not re.fullmatch(r"[0-9a-fA-F-]{36}", name):
            yield Refusal("resourceName", f"expected a UUID, got {name!r}")
        if isinstance(data, str):
            try:
                json.loads(data)
            except ValueError as error:
                yield Refusal("serializedData", f"expected JSON: {error}")


def block(path: str, value: object) -> Iterator[Refusal]:
    """What is wrong with an IPv4 block."""
    if value is None or value is UNKNOWN:
        return
    try:
        ipaddress.IPv4Network(str(value))
    except ValueError as error:
        yield Refusal(path, f"expected a block in CIDR notation, for example 10.96.0.0/24, got {value!r}: {error}")
