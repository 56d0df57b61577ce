"""The Key Vault: the passwords of the roles, and the app's whole URI."""

from typing import Final

import pulumi
import pulumi_random as random
from pulumi_azure_native import keyvault

from infra.backends.azure.identity import AzureIdentities, granted
from infra.backends.azure.place import Place
from infra.managed.passwords import Passwords
from infra.preflight.azure.identity import READER
from infra.settings.azure import AzureSettings

SECRETS_USER: Final = "4633458b-17de-408a-b874-0445c86b69e6"
"""The built-in role Key Vault Secrets User, which reads values (Microsoft, "Azure built-in roles")."""

_LONGEST: Final = 24 - 8 - len("-kv")
"""A vault's name has 24 characters at most, of which Pulumi's suffix takes 8."""


class AzureSecrets(pulumi.ComponentResource):
    """A vault, three secrets, and who may read which.

    Args:
        name: The component's name in the stack.
        settings: The `azure` section.
        place: Where it goes.
        identities: Of these the app's may read its own secrets, as the readers may.
        opts: The usual resource options.

    Attributes:
        vault: The vault.
    """

    def __init__(
        self,
        name: str,
        settings: AzureSettings,
        place: Place,
        identities: AzureIdentities,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and the vault; secrets come with `keep`."""
        super().__init__("sessiondb:azure:Secrets", name, None, opts)
        self._settings, self._place, self._identities = settings, place, identities
        self._suffix = self._unused(name)
        self.vault = self._vault(f"{settings.server_prefix[:_LONGEST].rstrip('-')}-kv")
        self.register_outputs({})

    def keep(self, passwords: Passwords, uri: pulumi.Output[str]) -> "AzureSecrets":
        """Keep the passwords and the app's URI, and let readers read what is the app's.

        Args:
            passwords: The passwords.
            uri: The app's whole URI.
        """
        prefix = self._settings.secret_prefix
        self.owner = self._secret(f"{prefix}-owner", passwords.owner)
        self.app = self._secret(f"{prefix}-app", passwords.app)
        self.uri = self._secret(f"{self._settings.server_prefix}-uri", uri)
        for secret_name, secret in ((f"{prefix}-app", self.app), (f"{self._settings.server_prefix}-uri", self.uri)):
            self._readable(secret_name, secret)
        return self

    def reference(self, secret: keyvault.Secret) -> pulumi.Output[str]:
        """The address of a secret's newest value, never the value; read-only."""
        return pulumi.Output.concat("https://", self.vault.name, ".vault.azure.net/secrets/", secret.name)

    def _vault(self, name: str) -> keyvault.Vault:
        public = self._settings.vault_public
        return keyvault.Vault(
            name,
            resource_group_name=self._place.group,
            location=self._place.region,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=self._identities.tenant,
                sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=90,
                enable_purge_protection=True,
                public_network_access="Enabled" if public else "Disabled",
                network_acls=keyvault.NetworkRuleSetArgs(
                    bypass="AzureServices", default_action="Allow" if public else "Deny"
                ),
            ),
            tags=self._place.tags or None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _unused(self, name: str) -> pulumi.Output[str]:
        """What no secret's name has ended in before; Pulumi adds nothing to the name of what is inside something else.

        A deleted secret keeps its name for as long as the vault protects it from being purged.
        """
        prefixes = {"server": self._settings.server_prefix, "secret": self._settings.secret_prefix}
        opts = pulumi.ResourceOptions(parent=self)
        return random.RandomId(f"{name}-suffix", byte_length=4, keepers=prefixes, opts=opts).hex

    def _secret(self, name: str, value: pulumi.Output[str]) -> keyvault.Secret:
        return keyvault.Secret(
            name,
            secret_name=pulumi.Output.concat(name, "-", self._suffix),
            resource_group_name=self._place.group,
            vault_name=self.vault.name,
            # The SDK marks nothing as secret by itself.
            properties=keyvault.SecretPropertiesArgs(value=pulumi.Output.secret(value)),
            tags=self._place.tags or None,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["properties"]),
        )

    def _readable(self, name: str, secret: keyvault.Secret) -> None:
        granted(f"{name}-for-app", self._identities.app.principal_id, SECRETS_USER, secret.id, parent=self)
        for reader in self._settings.secret_readers:
            kind, object_id = _reader(reader)
            granted(f"{name}-for-{object_id}", object_id, SECRETS_USER, secret.id, parent=self, kind=kind)


def _reader(text: str) -> tuple[str, str]:
    """A reader's kind and object id; preflight has seen it.

    >>> _reader("Group:22222222-2222-2222-2222-222222222222")
    ('Group', '22222222-2222-2222-2222-222222222222')
    """
    match = READER.match(text)
    kind, object_id = match.groups() if match else (None, text)
    return kind or "ServicePrincipal", object_id
