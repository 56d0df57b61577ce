"""One generation of the server, with all that lives on it."""

from collections.abc import Iterator

import pulumi
from pulumi_azure_native import authorization, dbforpostgresql

from infra.backends.azure import access, inputs, replicas
from infra.backends.azure.parameters import parameters
from infra.backends.azure.site import Site
from infra.backends.azure.turns import Turns
from infra.settings.servers import Server


class AzureServer(pulumi.ComponentResource):
    """A flexible server with its database, parameters, replicas, logs and lock.

    Args:
        name: The component's name in the stack; the server's own is that with a suffix.
        server: The generation.
        site: What the servers of the stack share.
        source: The server that it is restored from, or None.
        opts: The usual resource options.

    Attributes:
        generation: The generation.
        group: The name of its resource group, which an adopted server may have of its own.
        server: The server itself.
        database: The database on it.
        replicas: Its read replicas by their names in the stack, the one to promote last.
        writer: The name that follows a promoted replica, or None without one.
    """

    def __init__(
        self,
        name: str,
        server: Server,
        site: Site,
        *,
        source: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the component and, one after the other, what it is made of."""
        super().__init__("sessiondb:azure:Server", name, None, opts)
        self._name, self._site, self.generation = name, site, server
        self.protected = site.settings.protected(server)
        self.group = group_of(server.adopt) if server.adopt else site.place.group
        self.server = self._server(source)
        self._turns = Turns(self, self.server)
        access.open_to(name, site, self.server, self.group, self._turns)
        self.administrator = self._administrator()
        self.database = self._database()
        self.parameters = [self._parameter(*each) for each in parameters(site.settings).items()]
        protect = site.settings.replica_protected(server)
        self.replicas = dict(replicas.make(name, site, self.server, self._turns, protect=protect))
        self.writer = self._writer()
        self.backups = [self._backup(name) for name in self._asked_for()]
        self.logs = self._logs()
        self.locks = [self._lock(*each) for each in self._locked(far=protect)]
        self.register_outputs({})

    @property
    def host(self) -> pulumi.Output[str]:
        """The server's name for clients; read-only."""
        return self.server.fully_qualified_domain_name

    @property
    def owner_user(self) -> pulumi.Output[str]:
        """The administrator, by the name that the server was made with; read-only."""
        wanted = self._site.settings.owner_user
        return self.server.administrator_login.apply(lambda known: known or wanted)

    @property
    def replica_group(self) -> pulumi.Input[str]:
        """The name of its replicas' resource group, which is the stack's own; read-only."""
        return self._site.place.group

    def _server(self, source: pulumi.Input[str] | None) -> dbforpostgresql.Server:
        adopted = self.generation.adopt
        return dbforpostgresql.Server(
            self._name,
            inputs.primary(self._site, self.generation, self.group, source),
            pulumi.ResourceOptions(
                parent=self,
                protect=self.protected,
                import_=adopted,
                ignore_changes=[*inputs.MADE_ONCE, *inputs.MOVED_BY_AZURE, *(inputs.ADOPTED if adopted else ())],
                additional_secret_outputs=["administratorLoginPassword"],
                custom_timeouts=replicas.TIMEOUTS,
                depends_on=[*self._site.network.ready, *self._site.identities.ready],
            ),
        )

    def _administrator(self) -> dbforpostgresql.AdministratorsMicrosoftEntra | None:
        """Before the database, or the database is nobody's from Entra (Microsoft, "Microsoft Entra authentication")."""
        owner = self._site.identities.owner
        if owner is None:
            return None
        name, object_id, kind = owner
        return self._turns.done(
            dbforpostgresql.AdministratorsMicrosoftEntra(
                f"{self._name}-owner",
                resource_group_name=self.group,
                server_name=self.server.name,
                object_id=object_id,
                principal_name=name,
                principal_type=kind,
                tenant_id=self._site.identities.tenant,
                opts=self._turns.next(),
            )
        )

    def _database(self) -> dbforpostgresql.Database:
        name, adopted = self._site.settings.database, self.generation.adopt
        there = pulumi.ResourceOptions(
            import_=f"{adopted}/databases/{name}" if adopted else None, ignore_changes=["charset", "collation"]
        )
        return self._turns.done(
            dbforpostgresql.Database(
                f"{self._name}-{name}",
                resource_group_name=self.group,
                server_name=self.server.name,
                database_name=name,
                charset="UTF8",
                collation="en_US.utf8",
                opts=pulumi.ResourceOptions.merge(self._turns.next(protect=self.protected), there),
            )
        )

    def _parameter(self, name: str, value: str) -> dbforpostgresql.Configuration:
        return self._turns.done(
            dbforpostgresql.Configuration(
                f"{self._name}-{name}",
                resource_group_name=self.group,
                server_name=self.server.name,
                configuration_name=name,
                value=value,
                source="user-override",
                opts=self._turns.next(),
            )
        )

    def _writer(self) -> dbforpostgresql.VirtualEndpoint | None:
        if not self.replicas:
            return None
        promoted = list(self.replicas.values())[-1]
        return replicas.writer(f"{self._name}-writer", self.server, self.group, promoted, self._turns)

    def _asked_for(self) -> tuple[str, ...]:
        """Names of backups to take now: of the active server, since Azure keeps seven of them for each."""
        settings = self._site.settings
        return settings.backup.on_demand if settings.active == self.generation.id else ()

    def _backup(self, name: str) -> dbforpostgresql.BackupsAutomaticAndOnDemand:
        return self._turns.done(
            dbforpostgresql.BackupsAutomaticAndOnDemand(
                f"{self._name}-{name}",
                resource_group_name=self.group,
                server_name=self.server.name,
                backup_name=name,
                opts=self._turns.next(),
            )
        )

    def _logs(self) -> pulumi.Resource:
        """Deleted by itself: Azure keeps the settings of a deleted resource and gives them to the next of its name."""
        logs = self._site.logs
        return self._turns.done(logs.kept(f"{self._name}-logs", self.server.id, self._turns.next(own_end=True)))

    def _locked(self, *, far: bool) -> Iterator[tuple[str, dbforpostgresql.Server, str]]:
        """What is locked, and the setting that lifts it: the server, and before it the one that is its successor."""
        if far and (replica := self.replicas.get(f"{self._name}-far")):
            yield f"{self._name}-far-lock", replica, "replica_protection"
        if self.protected:
            yield f"{self._name}-lock", self.server, "deletion_protection"

    def _lock(self, name: str, server: dbforpostgresql.Server, setting: str) -> authorization.ManagementLockByScope:
        """The last to come, the first to go: it holds for everything on the server, for a removed firewall rule too."""
        return self._turns.done(
            authorization.ManagementLockByScope(
                name,
                scope=server.id,
                level="CanNotDelete",
                notes=f"Session database. Before it is retired: {setting}: false in the stack file.",
                opts=self._turns.next(own_end=True),
            )
        )


def group_of(resource: str) -> str:
    """The resource group in a resource's id; read-only.

    >>> group_of("/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/x")
    'g'
    """
    return resource.split("/")[4]
