"""What the servers of a stack share."""

from dataclasses import dataclass

from infra.backends.azure.identity import AzureIdentities
from infra.backends.azure.logs import AzureLogs
from infra.backends.azure.network import AzureNetwork
from infra.backends.azure.place import Place
from infra.managed.passwords import Passwords
from infra.settings.azure import AzureSettings


@dataclass(frozen=True)
class Site:
    """What all servers of a stack share.

    Attributes:
        settings: The `azure` section.
        place: Where they go.
        network: What they are reached through.
        identities: Who logs in, and who unlocks their keys.
        passwords: The passwords of their roles; None under `auth: iam`.
        logs: Where their logs are kept.
    """

    settings: AzureSettings
    place: Place
    network: AzureNetwork
    identities: AzureIdentities
    passwords: Passwords | None
    logs: AzureLogs
