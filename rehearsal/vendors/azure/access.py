"""Vaults, identities, roles and locks."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs, at
from rehearsal.vendors.azure import hosting
from rehearsal.vendors.azure.base import Azure, Scoped, named
from rehearsal.vendors.declared import says, words

_TAKEN: Final = {
    "code": "VaultAlreadyExists",
    "message": "The vault name '{name}' is already in use. Vault names are globally unique.",
    "status": 409,
}
_DELETED: Final = {
    "code": "ConflictError",
    "message": "A vault with the same name already exists in deleted state. You need to either recover or purge "
    "existing key vault.",
    "status": 409,
}
"""Vaults - Create Or Update ("Azure Key Vault recovery management")."""


class Vault(Azure):
    """A key vault."""

    token = "azure-native:keyvault:Vault"  # noqa: S105
    autoname = named("vaultName", 24)
    replaces = words("resourceGroupName vaultName")
    kind = "Microsoft.KeyVault/vaults"
    path = "Microsoft.KeyVault/vaults/{vaultName}"
    version = "2024-11-01"

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """A deleted vault keeps its name while it could still be recovered."""
        if behind.thing(this.identity) is None:
            words = {"taken": _TAKEN, "reserved": _DELETED}
            behind.ask("names.take", scope=self.token, name=this.inputs["vaultName"], **words)
        return super().begin(behind, this, half=half)

    def end(self, behind: Plane, this: Resource) -> None:
        """Soft delete cannot be turned off any more ("Azure Key Vault soft-delete overview")."""
        super().end(behind, this)
        behind.ask("names.release", scope=self.token, name=this.identity.rpartition("/")[2], reserved=True)

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


class RoleAssignment(Scoped):
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


class ManagementLockByScope(Scoped):
    """A lock."""

    token = "azure-native:authorization:ManagementLockByScope"  # noqa: S105
    part = "lockName"
    replaces = words("scope lockName")
    kind = "Microsoft.Authorization/locks"
    path = "Microsoft.Authorization/locks/{lockName}"
    version = "2020-05-01"

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """A locked server is deleted by nobody, whichever way he asks."""
        del behind
        scope = str(this.inputs.get("scope"))
        if server := hosting.server_in(scope):
            yield need(f"server/{server}", hosting.locked(scope, scope), "ScopeLocked")
