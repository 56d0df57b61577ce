"""Entra identities: of the API servers, of the owner, and of whoever unlocks an encryption key."""

from typing import Final

import pulumi
from pulumi_azure_native import authorization, dbforpostgresql, managedidentity

from infra.backends.azure.place import Place
from infra.settings.azure import AzureSettings

KEY_USER: Final = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""The built-in role Key Vault Crypto Service Encryption User (Microsoft, "Azure built-in roles")."""


class AzureIdentities(pulumi.ComponentResource):
    """The identities of a stack.

    Args:
        name: The component's name in the stack.
        settings: The `azure` section.
        place: Where they go.
        opts: The usual resource options.

    Attributes:
        app: A managed identity for API servers to run as: it may read the app role's secrets, and is the app role
            itself under `auth: iam`.
        tenant: The Entra tenant. Taken from that identity, since nothing may be looked up for a preview.
        owner: The Entra administrator as (name, object id, kind); None with passwords.
    """

    def __init__(
        self, name: str, settings: AzureSettings, place: Place, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the component and the identities that are not given."""
        super().__init__("sessiondb:azure:Identities", name, None, opts)
        self._settings, self._place = settings, place
        prefix = settings.server_prefix
        self.app = self._identity(f"{prefix}-app", settings.region)
        self.tenant = self.app.tenant_id
        self.owner = self._owner(f"{prefix}-owner") if settings.auth == "iam" else None
        self._keys = dict(self._unlocked(prefix))
        self.ready = [grant for _identity, grant in self._keys.values()]
        self.register_outputs({})

    @property
    def app_user(self) -> pulumi.Input[str]:
        """The app role under `auth: iam`; read-only."""
        return self._settings.iam.app or self.app.name

    def encryption(self, *, far: bool = False) -> dbforpostgresql.DataEncryptionArgs | None:
        """What a server says about its encryption, or None where the key is Azure's own; read-only.

        Args:
            far: Whether it is the one in the replica's region, whose key has to be over there.
        """
        if not self._keys:
            return None
        key = self._settings.replica_encryption_key if far else self._settings.encryption_key
        geo = bool(self._settings.backup.copy_region) and not far
        return dbforpostgresql.DataEncryptionArgs(
            type="AzureKeyVault",
            primary_key_uri=key_uri(key),
            primary_user_assigned_identity_id=self._keys["copy" if far else "key"][0].id,
            geo_backup_key_uri=key_uri(self._settings.replica_encryption_key) if geo else None,
            geo_backup_user_assigned_identity_id=self._keys["copy"][0].id if geo else None,
        )

    def assigned(self, *, far: bool = False) -> dbforpostgresql.UserAssignedIdentityArgs | None:
        """The identities that a server works as, or None where it needs none; read-only.

        Args:
            far: Whether it is the one in the replica's region.
        """
        wanted = {"copy"} if far else {"key", "copy"} if self._settings.backup.copy_region else {"key"}
        ids = [self._keys[which][0].id for which in sorted(wanted & self._keys.keys())]
        if not ids:
            return None
        known: pulumi.Output[list[str]] = pulumi.Output.all(*ids)
        return dbforpostgresql.UserAssignedIdentityArgs(
            type="UserAssigned",
            user_assigned_identities=known.apply(
                lambda all_: {each: dbforpostgresql.UserIdentityArgs() for each in all_}
            ),
        )

    def _identity(self, name: str, region: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            name,
            resource_group_name=self._place.group,
            location=region,
            tags=self._place.tags or None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _owner(self, name: str) -> tuple[pulumi.Input[str], pulumi.Input[str], str]:
        given = self._settings.iam.owner
        if given.object_id:
            return given.name, given.object_id, given.kind
        made = self._identity(name, self._settings.region)
        return made.name, made.principal_id, "ServicePrincipal"

    def _unlocked(
        self, prefix: str
    ) -> "list[tuple[str, tuple[managedidentity.UserAssignedIdentity, authorization.RoleAssignment]]]":
        """An identity for each key: one that unlocks both is refused (Microsoft, "Data encryption at rest")."""
        settings = self._settings
        far = settings.backup.copy_region or settings.replica_region or settings.region
        wanted = (("key", settings.encryption_key, settings.region), ("copy", settings.replica_encryption_key, far))
        found = []
        for which, key, region in wanted:
            if key:
                identity = self._identity(f"{prefix}-{which}", region)
                grant = granted(f"{prefix}-{which}-user", identity.principal_id, KEY_USER, key, parent=self)
                found.append((which, (identity, grant)))
        return found


def granted(
    name: str,
    principal: pulumi.Input[str],
    role: str,
    scope: pulumi.Input[str],
    *,
    parent: pulumi.Resource,
    kind: str = "ServicePrincipal",
) -> authorization.RoleAssignment:
    """A built-in role for a principal on one resource.

    Args:
        name: The assignment's name in the stack; in Azure it is an id that Pulumi makes up.
        principal: Its object id.
        role: The role's id, which is the same in every subscription.
        scope: The resource's id, in the subscription of which the role is named.
        parent: The component that it belongs to.
        kind: Of the principal; telling it spares a new one the wait for its replication (Microsoft, "Troubleshoot
            Azure RBAC").
    """
    definitions = pulumi.Output.from_input(scope).apply(
        lambda known: "/".join(str(known).split("/")[:3]) + "/providers/Microsoft.Authorization/roleDefinitions"
    )
    return authorization.RoleAssignment(
        name,
        principal_id=principal,
        principal_type=kind,
        role_definition_id=pulumi.Output.concat(definitions, "/", role),
        scope=scope,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def key_uri(key: str) -> str:
    """The address of a key, without a version: the server then follows each rotation by itself; read-only.

    >>> key_uri("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/example/keys/sessions")
    'https://example.vault.azure.net/keys/sessions'
    """
    vault, _, name = key.partition("/vaults/")[2].partition("/keys/")
    return f"https://{vault}.vault.azure.net/keys/{name}"
