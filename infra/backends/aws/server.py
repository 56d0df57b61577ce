"""One generation of the server: the instance, its parameter group, its log groups and its replicas."""

from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.backends.aws import instance
from infra.backends.aws.network import PORT, Network
from infra.backends.aws.parameters import parameter_group
from infra.settings.aws import AwsSettings
from infra.settings.servers import Server

TIMEOUTS: Final = pulumi.CustomTimeouts(create="3h", update="3h", delete="3h")
"""A restore copies the whole volume and a final snapshot waits for it: the provider's 40 minutes are for small ones."""

_ONCE: Final = ["identifier", "restore_to_point_in_time"]
"""Inputs that matter when an instance is made or imported, and would rename or replace it later."""


class AwsServer(pulumi.ComponentResource):
    """One generation of the server.

    Args:
        name: The component's name in the stack.
        settings: The section.
        server: The generation.
        network: Where it is.
        password: The owner's password; not used where RDS keeps it.
        monitoring_role: The ARN of the role of enhanced monitoring, or None without it.
        source: The generation it is restored from, where that one is still there.
        opts: The usual resource options, with the region's provider.

    Attributes:
        life: The identifier for this very life of the generation, which every name of it starts with.
        instance: The instance.
        replicas: Its read replicas in the same region.
    """

    def __init__(  # noqa: PLR0913  # A server needs what it needs; all but the first three by name.
        self,
        name: str,
        settings: AwsSettings,
        server: Server,
        *,
        network: Network,
        password: pulumi.Input[str],
        monitoring_role: pulumi.Input[str] | None,
        source: "AwsServer | None" = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:aws:Server", name, None, opts)
        self._name, self._settings, self._server, self._network = name, settings, server, network
        self._child = pulumi.ResourceOptions(parent=self)
        self._shared = instance.shared(settings, monitoring_role)
        self._birth = self._born()
        self.life = self._birth.hex
        self.parameters = parameter_group(name, settings, settings.version_of(server), self._child)
        self.logs = [] if server.adopt else log_groups(name, self.life, settings, self._child)
        self.instance = self._instance(password, source)
        self.replicas = [self._replica(number) for number in range(1, settings.read_replicas + 1)]
        self.register_outputs({})

    @property
    def master_secret(self) -> pulumi.Output[str]:
        """The ARN of the secret in which RDS keeps the owner's password; empty where it keeps none; read-only."""
        return self.instance.master_user_secrets.apply(lambda known: (known[0].secret_arn or "") if known else "")

    def _born(self) -> random.RandomId:
        """A name that no server had before: log groups need it before the instance, the final snapshot after it.

        What it was made of is ignored later: a new prefix names new generations and renames none, and how a server came
        to be stays known when the stack file says it no longer.
        """
        server = self._server
        return random.RandomId(
            self._name,
            prefix=f"{self._settings.server_prefix}-{server.id}-",
            byte_length=4,
            keepers={"generation": server.id, "from": server.restore.source if server.restore else server.adopt or ""},
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["prefix", "keepers"]),
        )

    def _database(self) -> pulumi.Output[str | None]:
        """The database to make; none where it comes with a backup or with the adopted server: RDS refuses one then."""
        name = self._settings.database
        return self._birth.keepers.apply(lambda kept: None if (kept or {}).get("from") else name)

    def _instance(self, password: pulumi.Input[str], source: "AwsServer | None") -> aws.rds.Instance:
        settings, server = self._settings, self._server
        inputs: dict[str, Any] = {
            **self._shared,
            **instance.primary(settings, server, password),
            "identifier": server.adopt or self.life,
            "db_name": self._database(),
            "restore_to_point_in_time": self._restored(source),
            "parameter_group_name": self.parameters.name,
            **placed(self._network),
            "skip_final_snapshot": not settings.backup.final,
            "final_snapshot_identifier": self.life.apply("{}-final".format) if settings.backup.final else None,
        }
        opts = pulumi.ResourceOptions(
            parent=self,
            protect=settings.protected(server),
            depends_on=[*self.logs, *self._network.routes],
            # What is adopted stays as it is until the line is taken out of the stack file.
            ignore_changes=sorted(inputs) if server.adopt else _ONCE,
            import_=server.adopt,
            custom_timeouts=TIMEOUTS,
        )
        return aws.rds.Instance(self._name, **inputs, opts=opts)

    def _restored(self, source: "AwsServer | None") -> aws.rds.InstanceRestoreToPointInTimeArgs | None:
        """A source that is neither there nor retained has a name that RDS refuses: no empty server for a restore."""
        restore = self._server.restore
        if restore is None:
            return None
        gone = f"{self._settings.server_prefix}-{restore.source}-is-not-there"
        retained = "" if source else self._settings.backup.retained.get(restore.source, "")
        return instance.restored(self._server, source.instance.identifier if source else gone, retained)

    def _replica(self, number: int) -> aws.rds.Instance:
        name, identifier = f"{self._name}-r{number}", self.life.apply(lambda life: f"{life}-r{number}")
        inputs = {
            **self._shared,
            **placed(self._network),
            "db_subnet_group_name": None,  # It goes where its primary is.
            "identifier": identifier,
            "replicate_source_db": self.instance.identifier,
            "parameter_group_name": self.parameters.name,
            "skip_final_snapshot": True,  # RDS takes no final snapshot of a replica.
        }
        opts = pulumi.ResourceOptions(
            parent=self,
            depends_on=log_groups(name, identifier, self._settings, self._child),
            ignore_changes=["identifier"],
            custom_timeouts=TIMEOUTS,
        )
        return aws.rds.Instance(name, **inputs, opts=opts)


def copy_of(life: pulumi.Output[str]) -> pulumi.Output[str]:
    """The identifier of a generation's replica in another region; read-only."""
    return life.apply("{}-copy".format)


def placed(network: Network) -> dict[str, Any]:
    """The inputs that put an instance into a network; read-only."""
    return {
        "db_subnet_group_name": network.subnet_group.name,
        "vpc_security_group_ids": [network.security_group.id],
        "publicly_accessible": network.is_public,
        "port": PORT,
    }


def log_groups(
    name: str, identifier: pulumi.Output[str], settings: AwsSettings, opts: pulumi.ResourceOptions
) -> list[aws.cloudwatch.LogGroup]:
    """Register the log groups of an instance, before it: RDS would make them itself, kept for ever.

    Args:
        name: The instance's name in the stack.
        identifier: Its identifier, which is in the groups' names.
        settings: The section.
        opts: The usual resource options.
    """
    return [
        aws.cloudwatch.LogGroup(
            f"{name}-{log}",
            name=pulumi.Output.concat("/aws/rds/instance/", identifier, "/", log),
            retention_in_days=settings.log_retention_days,
            opts=opts,
        )
        for log in instance.LOGS
    ]
