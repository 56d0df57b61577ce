"""Where everything goes: the given resource group, or a new one."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources

from infra.settings.azure import AzureSettings


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
