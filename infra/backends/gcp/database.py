"""A session database on Cloud SQL for PostgreSQL."""

import pulumi
import pulumi_gcp as gcp

from infra.backends.gcp import apis, encryption, identity
from infra.backends.gcp.logs import GcpLogs
from infra.backends.gcp.monitoring import GcpMonitoring
from infra.backends.gcp.network import GcpNetwork
from infra.backends.gcp.record import app_uri, record
from infra.backends.gcp.secrets import Contents, GcpSecrets
from infra.backends.gcp.server import GcpServer, Surroundings
from infra.managed.generations import in_order
from infra.managed.passwords import Passwords
from infra.settings.gcp import GcpSettings


class GcpDatabase(pulumi.ComponentResource):
    """The servers of a stack and all that belongs to them.

    Args:
        name: The component's name in the stack.
        settings: The `gcp` section of the stack file.
        opts: The usual resource options.

    Attributes:
        provider: The provider, with project and region of the stack file and none of the machine's.
        network: Where the servers are.
        passwords: The roles' passwords, or None with IAM.
        servers: The generations by id.
        secrets: Where passwords are kept, or None with IAM.
        logs: Where each generation's logs are kept.
        monitoring: What watches.
        record: What the stack exports.
    """

    def __init__(self, name: str, settings: GcpSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and everything in it."""
        super().__init__("sessiondb:gcp:Database", name, None, opts)
        self._name, self._settings = name, settings
        self.provider = gcp.Provider(
            name, project=settings.project, region=settings.region, opts=pulumi.ResourceOptions(parent=self)
        )
        self.apis = apis.enable(name, settings, self._child())
        self.keys = encryption.grants(name, settings, self._child(*self.apis))
        self.rights = identity.grants(name, settings, self._child(*self.apis))
        self.network = self._network()
        self.passwords = self._passwords()
        self.servers = self._servers()
        self.secrets = self._secrets()
        self.logs = self._logs()
        self.monitoring = GcpMonitoring(name, settings, self.servers, after=self.apis, opts=self._component())
        self.record = record(settings, self.servers, self.passwords, self.secrets)
        self.register_outputs({})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self.provider, depends_on=after)

    def _component(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, providers=[self.provider])

    def _network(self) -> GcpNetwork:
        return GcpNetwork(self._settings.server_prefix, self._settings, after=self.apis, opts=self._component())

    def _passwords(self) -> Passwords | None:
        if self._settings.auth == "iam":
            return None
        return Passwords(self._name, self._settings, opts=pulumi.ResourceOptions(parent=self))

    def _servers(self) -> dict[str, GcpServer]:
        around = Surroundings(
            self.network,
            self.passwords.owner if self.passwords else None,
            after=[*self.apis, *self.keys, *self.network.ready],
        )
        made: dict[str, GcpServer] = {}
        for server in in_order(self._settings.servers):
            made[server.id] = GcpServer(
                f"{self._settings.server_prefix}-{server.id}",
                self._settings,
                server,
                around,
                source=made.get(server.restore.source) if server.restore else None,
                opts=self._component(),
            )
        return made

    def _secrets(self) -> GcpSecrets | None:
        if self.passwords is None:
            return None
        contents = Contents(
            owner=self.passwords.owner,
            app=self.passwords.app,
            uri=app_uri(self._settings, self.servers[self._settings.active], self.passwords),
        )
        return GcpSecrets(
            self._settings.secret_prefix,
            self._settings,
            contents,
            after=[*self.apis, *self.keys],
            opts=self._component(),
        )

    def _logs(self) -> dict[str, GcpLogs]:
        return {
            id_: GcpLogs(
                f"{self._settings.server_prefix}-{id_}",
                self._settings,
                server,
                after=self.apis,
                opts=self._component(),
            )
            for id_, server in self.servers.items()
        }
