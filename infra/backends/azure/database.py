"""A session database on Azure: what a stack consists of."""

import pulumi
import pulumi_azure_native as azure

from infra.backends.azure.dashboard import dashboard
from infra.backends.azure.identity import AzureIdentities
from infra.backends.azure.logs import AzureLogs
from infra.backends.azure.monitoring import AzureMonitoring
from infra.backends.azure.network import AzureNetwork
from infra.backends.azure.place import place
from infra.backends.azure.record import app_uri, record
from infra.backends.azure.secrets import AzureSecrets
from infra.backends.azure.server import AzureServer
from infra.backends.azure.site import Site
from infra.managed.generations import in_order
from infra.managed.passwords import Passwords
from infra.settings.azure import AzureSettings
from infra.settings.servers import Server


class AzureDatabase(pulumi.ComponentResource):
    """The servers, and all that goes with them.

    Args:
        name: The component's name in the stack.
        settings: The `azure` section of the stack file.
        opts: The usual resource options.

    Attributes:
        servers: The generations by id.
        record: What the stack exports.
    """

    def __init__(self, name: str, settings: AzureSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:azure:Database", name, None, opts)
        self._name, self._settings = name, settings
        self.provider = self._own_provider()
        child = pulumi.ResourceOptions(parent=self, provider=self.provider)
        prefix = settings.server_prefix
        self.place = place(settings, child)
        self.network = AzureNetwork(f"{prefix}-network", settings, self.place, opts=child)
        self.identities = AzureIdentities(f"{prefix}-identities", settings, self.place, opts=child)
        self.passwords = None if settings.auth == "iam" else Passwords(name, settings, opts=child)
        self.logs = AzureLogs(f"{prefix}-logs", settings, self.place, opts=child)
        self.site = Site(settings, self.place, self.network, self.identities, self.passwords, self.logs)
        self.servers = self._servers(child)
        self.secrets = self._secrets(child)
        self.monitoring = AzureMonitoring(f"{prefix}-alerts", self.site, self.servers, opts=child)
        self.dashboard = dashboard(prefix, self.place, self._all_servers(), child)
        self.record = record(self.site, self.servers, self.secrets)
        self.register_outputs({})

    def _own_provider(self) -> azure.Provider:
        """A provider of our own: what `azure-native:subscriptionId` or the shell say decides nothing here."""
        return azure.Provider(
            f"{self._name}-azure",
            subscription_id=self._settings.subscription or None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _servers(self, child: pulumi.ResourceOptions) -> dict[str, AzureServer]:
        """Each generation, its source before it."""
        made: dict[str, AzureServer] = {}
        for server in in_order(self._settings.servers):
            name = f"{self._settings.server_prefix}-{server.id}"
            made[server.id] = AzureServer(name, server, self.site, source=_source(server, made), opts=child)
        return made

    def _all_servers(self) -> list[pulumi.Input[str]]:
        return [each.id for server in self.servers.values() for each in (server.server, *server.replicas.values())]

    def _secrets(self, child: pulumi.ResourceOptions) -> AzureSecrets | None:
        if self.passwords is None:
            return None
        prefix = self._settings.server_prefix
        secrets = AzureSecrets(f"{prefix}-secrets", self._settings, self.place, self.identities, opts=child)
        return secrets.keep(self.passwords, app_uri(self.site, self.servers[self._settings.active]))


def _source(server: Server, made: dict[str, AzureServer]) -> pulumi.Input[str] | None:
    """The server that this one is restored from, or None.

    One that is gone is named so that Azure refuses it: where the restored server is there already nobody looks at the
    name, and where it is not, an empty server must not take its place.
    """
    if server.restore is None:
        return None
    source = made.get(server.restore.source)
    return source.server.id if source else f"no-server-{server.restore.source}-in-the-stack-file"
