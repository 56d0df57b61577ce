"""The passwords and the app's URI in Secrets Manager, and who may read them."""

import json

import pulumi
import pulumi_aws as aws

from infra.backends.aws.instance import keeps_password
from infra.managed.passwords import Passwords
from infra.settings.aws import AwsSettings


class Secrets(pulumi.ComponentResource):
    """The secrets of a stack whose roles have passwords; readers get the app's, never the owner's.

    A deleted secret keeps its name for as long as it can be recovered, so the engine adds a random end to each name.

    Args:
        name: The component's name in the stack.
        settings: The section.
        passwords: The passwords.
        uri: The app's whole URI (secret).
        opts: The usual resource options, with the region's provider.

    Attributes:
        owner: The owner's password; None where RDS keeps it.
        app: The app role's password.
        uri: The app's whole URI.
    """

    def __init__(
        self,
        name: str,
        settings: AwsSettings,
        *,
        passwords: Passwords,
        uri: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and its secrets."""
        super().__init__("sessiondb:aws:Secrets", name, None, opts)
        self._settings = settings
        prefix = settings.secret_prefix
        kept = keeps_password(settings)
        self.owner = None if kept else self._secret(f"{prefix}-owner", passwords.owner)
        self.app = self._secret(f"{prefix}-app", passwords.app, readable=True)
        self.uri = self._secret(f"{settings.server_prefix}-uri", uri, readable=True)
        self.register_outputs({})

    def _secret(self, name: str, value: pulumi.Output[str], *, readable: bool = False) -> aws.secretsmanager.Secret:
        child = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret(
            name,
            description="A credential of the session database",
            kms_key_id=self._settings.encryption_key or None,
            recovery_window_in_days=self._settings.secret_recovery_days,
            opts=child,
        )
        aws.secretsmanager.SecretVersion(
            name,
            secret_id=secret.id,
            secret_string=value,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["secretString"]),
        )
        if readable and self._settings.secret_readers:
            aws.secretsmanager.SecretPolicy(
                name,
                secret_arn=secret.arn,
                policy=_readers(self._settings.secret_readers),
                block_public_policy=True,
                opts=child,
            )
        return secret


def _readers(principals: tuple[str, ...]) -> str:
    """A policy that lets these identities read the secret it is attached to, and nothing else."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": sorted(principals)},
        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        "Resource": "*",  # In a policy of a resource: that resource.
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
