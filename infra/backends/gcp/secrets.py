"""Passwords and the app's URI in Secret Manager, and who may read them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import secretmanager

from infra.settings.gcp import GcpSettings


@dataclass(frozen=True)
class Contents:
    """What is kept, all of it secret."""

    owner: pulumi.Output[str]
    app: pulumi.Output[str]
    uri: pulumi.Output[str]


class GcpSecrets(pulumi.ComponentResource):
    """Three secrets. Names are generated: two stacks of a project get along, and a replacement comes before it goes.

    pulumi-gcp makes up `secretId` as it does names (pulumi-gcp#3181).

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section.
        contents: What is kept.
        after: What must be there before.
        opts: The usual resource options.

    Attributes:
        owner: The secret with the owner's password, which no reader may read.
        app: The secret with the app role's password.
        uri: The secret with the app's whole `SESSION_DB_URI`, for workloads.
    """

    def __init__(
        self,
        name: str,
        settings: GcpSettings,
        contents: Contents,
        *,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component, the secrets and their readers."""
        super().__init__("sessiondb:gcp:Secrets", name, None, opts)
        self._settings = settings
        self._after = after
        self.owner = self._secret(f"{settings.secret_prefix}-owner", contents.owner)
        self.app = self._secret(f"{settings.secret_prefix}-app", contents.app)
        self.uri = self._secret(f"{settings.server_prefix}-uri", contents.uri)
        self._let_read(f"{settings.secret_prefix}-app", self.app)
        self._let_read(f"{settings.server_prefix}-uri", self.uri)
        self.register_outputs({})

    def _secret(self, name: str, content: pulumi.Output[str]) -> secretmanager.Secret:
        secret = secretmanager.Secret(
            name,
            replication=_replication(self._settings),
            labels=self._settings.labels or None,
            deletion_protection=self._settings.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._after),
        )
        secretmanager.SecretVersion(
            name,
            secret=secret.id,
            secret_data=content,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["secretData"]),
        )
        return secret

    def _let_read(self, name: str, secret: secretmanager.Secret) -> None:
        for number, reader in enumerate(self._settings.secret_readers, start=1):
            secretmanager.SecretIamMember(
                f"{name}-reader-{number}",
                secret_id=secret.secret_id,
                role="roles/secretmanager.secretAccessor",
                member=reader,
                opts=pulumi.ResourceOptions(parent=self),
            )


def _replication(settings: GcpSettings) -> secretmanager.SecretReplicationArgs:
    """Where the secrets are. A regional key encrypts in its own region alone."""
    key = settings.encryption_key
    regions = settings.secret_regions or ((settings.region,) if key else ())
    if not regions:
        return secretmanager.SecretReplicationArgs(auto=secretmanager.SecretReplicationAutoArgs())
    encryption = (
        secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(kms_key_name=key)
        if key
        else None
    )
    return secretmanager.SecretReplicationArgs(
        user_managed=secretmanager.SecretReplicationUserManagedArgs(
            replicas=[
                secretmanager.SecretReplicationUserManagedReplicaArgs(
                    location=region, customer_managed_encryption=encryption
                )
                for region in regions
            ]
        )
    )
