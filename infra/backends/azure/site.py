"""Where everything goes, and what the servers of a stack share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_azure_native import resources

from infra.settings.azure import AzureSettings

if TYPE_CHECKING:
    from infra.backends.azure.identity import AzureIdentities
    from infra.backends.azure.logs import AzureLogs
    from infra.backends.azure.network import AzureNetwork
    from infra.managed.passwords import Passwords


@dataclass(frozen=True)
class Place:
    """A resource group in a region.

    Attributes:
        group: The resource group's name.
        region: The region of whatever is in it, if not told otherwise.
        tags: The tags of every resource.
    """

    group: pulumi.Input[str]
    region: str
    tags: Mapping[str, str]


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
    network: "AzureNetwork"
    identities: "AzureIdentities"
    passwords: "Passwords | None"
    logs: "AzureLogs"


def place(settings: AzureSettings, opts: pulumi.ResourceOptions) -> Place:
    """The given resource group, or a new one.

    Args:
        settings: The `azure` section.
        opts: The options of the new one.
    """
    group: pulumi.Input[str] = settings.resource_group
    if not group:
        made = resources.ResourceGroup(
            settings.server_prefix, location=settings.region, tags=settings.labels or None, opts=opts
        )
        group = made.name
    return Place(group, settings.region, settings.labels)
