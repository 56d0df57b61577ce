"""One generation of the server: the instance, its database and owner, its read replicas."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_gcp import sql

from infra.backends.gcp import identity, instance
from infra.backends.gcp.network import GcpNetwork
from infra.settings.gcp import GcpSettings
from infra.settings.servers import Server

_IGNORED: Final = ("clone", "name", "settings.diskSize")
"""What never changes a server that is there: its origin, its name, and a size that Cloud SQL itself raises.

The name matters after an adoption: without `adopt` the stack file names none, and a generated one would replace it.
"""

_AS_IT_IS: Final = ("deletionProtection", "encryptionKeyName", "settings")
"""What is left alone besides while `adopt` is there: an import fails wherever an input differs from what is there."""

_TIMEOUT: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")
"""Restoring a big server takes longer than the provider's own limit."""


@dataclass(frozen=True)
class Surroundings:
    """What a server stands in.

    Attributes:
        network: Where clients reach it.
        owner_password: The owner's password (secret), or None with IAM.
        after: What must be there before it is made, and goes after it.
    """

    network: GcpNetwork
    owner_password: pulumi.Output[str] | None
    after: Sequence[pulumi.Resource] = field(default=())


class GcpServer(pulumi.ComponentResource):
    """One generation.

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section.
        server: The generation.
        surroundings: What it stands in.
        source: The generation that it is restored from, where that is still in the list.
        opts: The usual resource options.

    Attributes:
        instance: The primary.
        logins: The roles that Cloud SQL makes.
        far: The read replica in another region, or None without one.
        replicas: The read replicas, that one among them.
    """

    def __init__(
        self,
        name: str,
        settings: GcpSettings,
        server: Server,
        surroundings: Surroundings,
        *,
        source: "GcpServer | None" = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component, the instance and what is in it."""
        super().__init__("sessiondb:gcp:Server", name, None, opts)
        self._name, self._settings, self._server, self._around = name, settings, server, surroundings
        self.instance = self._instance(source)
        self.database = self._database()
        self.logins = self._logins()
        self.far = self._far()
        self.replicas = self._replicas()
        self.register_outputs({})

    def _instance(self, source: "GcpServer | None") -> sql.DatabaseInstance:
        settings, server = self._settings, self._server
        protected = settings.protected(server)
        return sql.DatabaseInstance(
            self._name,
            name=server.adopt.rpartition("/")[2] if server.adopt else None,
            region=settings.region,
            database_version=f"POSTGRES_{settings.version_of(server)}",
            settings=instance.primary(settings, self._around.network, protected=protected),
            clone=self._clone(source),
            encryption_key_name=settings.encryption_key or None,
            deletion_protection=protected,
            final_backup_description=self._final_backup(),
            # Nothing that Cloud SQL does not tell back either: an import would take it for a difference.
            include_replicas_for_major_version_upgrade=None if server.adopt else True,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protected,
                import_=server.adopt,
                ignore_changes=[*_IGNORED, *(_AS_IT_IS if server.adopt else ())],
                depends_on=self._around.after,
                custom_timeouts=_TIMEOUT,
            ),
        )

    def _clone(self, source: "GcpServer | None") -> sql.DatabaseInstanceCloneArgs | None:
        """Where the data comes from. A source that is in the list no more matters no more, once the server is there."""
        restore = self._server.restore
        if restore is None:
            return None
        missing = f"{self._settings.server_prefix}-{restore.source}-is-not-in-the-list-of-servers"
        return sql.DatabaseInstanceCloneArgs(
            source_instance_name=source.instance.name if source else missing,
            point_in_time=None if restore.time == "latest" else restore.time,
            allocated_ip_range=self._around.network.allocated_range
            if self._settings.network.mode == "private"
            else None,
        )

    def _final_backup(self) -> str | None:
        """A word in the list of backups; Cloud SQL gives the backup itself an id that nothing else has."""
        wanted = self._settings.backup.final and not self._server.adopt
        return f"the last of {self._name}" if wanted else None

    def _database(self) -> sql.Database | None:
        """The database, which a restored server brings along, and which is imported from an adopted one.

        A name that Pulumi makes up is not known in time for an import, so `restore` says for as long as the server is
        in the list that it was not made empty. Kept when it goes: a deletion would empty the server before its final
        backup is taken.
        """
        settings, server = self._settings, self._server
        if server.restore:
            return None
        return sql.Database(
            self._name,
            name=settings.database,
            instance=self.instance.name,
            deletion_policy=None if server.adopt else "ABANDON",
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.protected(server),
                retain_on_delete=True,
                import_=f"{server.adopt}/databases/{settings.database}" if server.adopt else None,
            ),
        )

    def _logins(self) -> list[sql.User]:
        """The owner, or with IAM both identities; a restored server brings those along.

        Abandoned, not deleted: PostgreSQL refuses to drop a role that owns tables (terraform-google-sql-db#323).
        """
        password = self._around.owner_password
        opts = pulumi.ResourceOptions(parent=self, depends_on=[self.database] if self.database else [])
        if password is None:
            return [] if self._server.restore else identity.logins(self._name, self._settings, self.instance.name, opts)
        return [
            sql.User(
                f"{self._name}-owner",
                name=self._settings.owner_user,
                instance=self.instance.name,
                password=password,
                deletion_policy="ABANDON",
                opts=opts,
            )
        ]

    def _replicas(self) -> list[sql.DatabaseInstance]:
        settings = self._settings
        near = [
            self._replica(str(number), settings.region, settings.encryption_key)
            for number in range(1, settings.read_replicas + 1)
        ]
        return [*near, self.far] if self.far else near

    def _far(self) -> sql.DatabaseInstance | None:
        """The one that is promoted where the region is lost, and the database from then on."""
        settings = self._settings
        if not settings.replica_region:
            return None
        protected = settings.replica_protected(self._server)
        region, key = settings.replica_region, settings.replica_encryption_key
        return self._replica(region, region, key, protected=protected)

    def _replica(self, suffix: str, region: str, key: str, *, protected: bool = False) -> sql.DatabaseInstance:
        return sql.DatabaseInstance(
            f"{self._name}-replica-{suffix}",
            region=region,
            master_instance_name=self.instance.name,
            database_version=self.instance.database_version,
            settings=instance.replica(self._settings, self._around.network, protected=protected),
            encryption_key_name=key or None,
            deletion_protection=protected,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protected,
                ignore_changes=["name", "settings.diskSize"],
                depends_on=[*self._around.after, *self.logins],
                custom_timeouts=_TIMEOUT,
            ),
        )
