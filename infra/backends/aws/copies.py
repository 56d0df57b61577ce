"""What is kept in another region: copies of the automated backups, and a read replica to promote."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.backends.aws import instance
from infra.backends.aws.network import Network
from infra.backends.aws.parameters import parameter_group
from infra.backends.aws.server import TIMEOUTS, AwsServer, copy_of, log_groups, placed
from infra.settings.aws import AwsSettings
from infra.settings.servers import Server


class Copies(pulumi.ComponentResource):
    """The copies in one other region, of every generation.

    Args:
        name: The component's name in the stack.
        settings: The section.
        region: The other region.
        servers: The generations by id.
        monitoring_role: The ARN of the role of enhanced monitoring, or None without it.
        provider: The other region's provider.
        opts: The usual resource options, with that provider.

    Attributes:
        key: The KMS key that was made for the copies, or None where one is given.
        backups: The replications of automated backups.
        network: The replicas' network, or None without one.
        replicas: The read replicas by generation.
    """

    def __init__(  # noqa: PLR0913  # All but the first two by name.
        self,
        name: str,
        settings: AwsSettings,
        *,
        region: str,
        servers: Mapping[str, AwsServer],
        monitoring_role: pulumi.Input[str] | None,
        provider: aws.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:aws:Copies", name, None, opts)
        self._name, self._settings, self._region = name, settings, provider
        self._child = pulumi.ResourceOptions(parent=self)
        self._shared = instance.shared(settings, monitoring_role)
        copying, replicating = region == settings.backup.copy_region, region == settings.replica_region
        given = (settings.backup.copy_key or not copying) and (settings.replica_key or not replicating)
        self.key = None if given else self._key()
        self.backups = [self._backups(servers[each.id], each) for each in settings.servers if copying]
        self.network = Network(name, settings.replica_network, region, opts=self._child) if replicating else None
        self.replicas = {
            each.id: self._replica(servers[each.id], each, self.network) for each in settings.servers if self.network
        }
        self.register_outputs({})

    def _key(self) -> aws.kms.Key:
        """A key of our own: of AWS's only the alias is known, RDS reports the key, and every `up` would replace.

        It stays when the stack goes: what it encrypts stays as well, and would be lost with it.
        """
        return aws.kms.Key(
            self._name,
            description="Copies of the session database",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _key_arn(self, given: str) -> pulumi.Input[str]:
        return given or (self.key.arn if self.key else "")

    def _backups(self, server: AwsServer, generation: Server) -> aws.rds.InstanceAutomatedBackupsReplication:
        return aws.rds.InstanceAutomatedBackupsReplication(
            f"{self._name}-{generation.id}",
            source_db_instance_arn=server.instance.arn,
            kms_key_id=self._key_arn(self._settings.backup.copy_key),
            retention_period=self._settings.backup.retention_days,
            # Of its server: the two are retired together.
            opts=pulumi.ResourceOptions(parent=server, provider=self._region),
        )

    def _replica(self, server: AwsServer, generation: Server, network: Network) -> aws.rds.Instance:
        settings, name = self._settings, f"{self._name}-{generation.id}"
        identifier, protected = copy_of(server.life), settings.replica_protected(generation)
        parameters = parameter_group(name, settings, settings.version_of(generation), self._child)
        inputs = {
            **self._shared,
            **placed(network),
            "identifier": identifier,
            # From another region by its ARN: an identifier is one of this region.
            "replicate_source_db": server.instance.arn,
            "kms_key_id": self._key_arn(settings.replica_key),
            "storage_encrypted": True,
            "parameter_group_name": parameters.name,
            # Promoted, it is the database: with backups from before that moment, and not to be deleted.
            **instance.backups(settings),
            "deletion_protection": protected,
            "skip_final_snapshot": True,  # RDS takes no final snapshot of a replica.
        }
        opts = pulumi.ResourceOptions(
            parent=self,
            protect=protected,
            depends_on=[*log_groups(name, identifier, settings, self._child), *network.routes],
            ignore_changes=["identifier"],
            custom_timeouts=TIMEOUTS,
        )
        return aws.rds.Instance(name, **inputs, opts=opts)
