"""A session database on Amazon RDS: what a stack consists of."""

import pulumi
import pulumi_aws as aws

from infra.backends.aws.copies import Copies
from infra.backends.aws.dashboard import dashboard
from infra.backends.aws.identity import Identity, monitoring_role
from infra.backends.aws.instance import keeps_password
from infra.backends.aws.monitoring import Monitoring, Watched
from infra.backends.aws.network import Network
from infra.backends.aws.record import app_uri, record
from infra.backends.aws.secrets import Secrets
from infra.backends.aws.server import AwsServer
from infra.managed.generations import in_order
from infra.managed.passwords import Passwords
from infra.settings.aws import AwsSettings


class AwsDatabase(pulumi.ComponentResource):
    """The servers, and all that goes with them.

    Args:
        name: The component's name in the stack.
        settings: The `aws` section of the stack file.
        opts: The usual resource options.

    Attributes:
        provider: The provider of the stack's region.
        providers: The providers of the other regions that something is kept in.
        servers: The generations by id.
        copies: What is kept in other regions.
        record: What the stack exports.
    """

    def __init__(self, name: str, settings: AwsSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:aws:Database", name, None, opts)
        self._name, self._settings = name, settings
        self.provider = self._region_provider(settings.region)
        self._child = pulumi.ResourceOptions(parent=self, provider=self.provider)
        self.network = Network(name, settings.network, settings.region, opts=self._child)
        self.passwords = self._passwords()
        self.monitoring_role = self._monitoring_role()
        self.servers = self._servers()
        self.secrets = self._secrets()
        self.providers = {region: self._region_provider(region) for region in other_regions(settings)}
        self.copies = {region: self._copies(region) for region in self.providers}
        self.identity = self._identity()
        self.monitoring = self._monitoring()
        self.dashboard = dashboard(name, self._shown(), self._child)
        self.record = record(settings, self.servers, self.passwords, self.secrets)
        self.register_outputs({})

    def _region_provider(self, region: str) -> aws.Provider:
        """A provider of our own: what `aws:region` or the shell say decides nothing here."""
        settings = self._settings
        return aws.Provider(
            f"{self._name}-{region}",
            region=region,
            allowed_account_ids=[settings.account] if settings.account else None,
            default_tags=aws.ProviderDefaultTagsArgs(tags={"managed-by": "session-database", **settings.labels}),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _passwords(self) -> Passwords | None:
        if self._settings.auth == "iam":
            return None
        owner = not keeps_password(self._settings)
        return Passwords(self._name, self._settings, owner=owner, opts=pulumi.ResourceOptions(parent=self))

    def _monitoring_role(self) -> pulumi.Output[str] | None:
        if not self._settings.monitoring_interval:
            return None
        return monitoring_role(f"{self._name}-monitoring", self._settings.region, self._child)

    def _servers(self) -> dict[str, AwsServer]:
        """Each generation, its source before it."""
        made: dict[str, AwsServer] = {}
        for server in in_order(self._settings.servers):
            made[server.id] = AwsServer(
                f"{self._name}-{server.id}",
                self._settings,
                server,
                network=self.network,
                password=self.passwords.owner if self.passwords else "",
                monitoring_role=self.monitoring_role,
                source=made.get(server.restore.source) if server.restore else None,
                opts=self._child,
            )
        return made

    def _secrets(self) -> Secrets | None:
        if self.passwords is None:
            return None
        uri = app_uri(self._settings, self.servers[self._settings.active], self.passwords)
        return Secrets(self._name, self._settings, passwords=self.passwords, uri=uri, opts=self._child)

    def _identity(self) -> Identity | None:
        if self._settings.auth != "iam":
            return None
        return Identity(self._name, self._settings, [each for each, _region in self._shown()], opts=self._child)

    def _copies(self, region: str) -> Copies:
        return Copies(
            f"{self._name}-{region}",
            self._settings,
            region=region,
            servers=self.servers,
            monitoring_role=self.monitoring_role,
            provider=self.providers[region],
            opts=pulumi.ResourceOptions(parent=self, provider=self.providers[region]),
        )

    def _monitoring(self) -> list[Monitoring]:
        """The main region's, and the replica's: an alarm reaches topics of its own region alone."""
        if not self._settings.alerts.enabled:
            return []
        here = [
            Watched(f"{self._name}-{name}{suffix}", each, replica=bool(suffix))
            for name, server in self.servers.items()
            for suffix, each in [("", server.instance), *_numbered(server)]
        ]
        made = [Monitoring(f"{self._name}-alerts", self._settings, self._settings.region, here, opts=self._child)]
        for region, copies in self.copies.items():
            name = f"{self._name}-{region}"
            there = [Watched(f"{name}-{key}", each, replica=True) for key, each in copies.replicas.items()]
            if there:
                opts = pulumi.ResourceOptions(parent=self, provider=self.providers[region])
                made.append(Monitoring(f"{name}-alerts", self._settings, region, there, opts=opts))
        return made

    def _shown(self) -> list[tuple[aws.rds.Instance, str]]:
        """All instances, each with its region."""
        here = [each for server in self.servers.values() for each in (server.instance, *server.replicas)]
        there = [(each, region) for region, copies in self.copies.items() for each in copies.replicas.values()]
        return [(each, self._settings.region) for each in here] + there


def other_regions(settings: AwsSettings) -> list[str]:
    """The regions besides the stack's own that something is kept in, each once; read-only."""
    return sorted({settings.backup.copy_region, settings.replica_region} - {""})


def _numbered(server: AwsServer) -> list[tuple[str, aws.rds.Instance]]:
    return [(f"-r{number}", each) for number, each in enumerate(server.replicas, start=1)]
