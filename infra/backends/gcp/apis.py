"""The APIs of a project, switched on and left on: others may use them too."""

from collections.abc import Iterator

import pulumi
from pulumi_gcp import projects

from infra.settings.gcp import GcpSettings


def needed(settings: GcpSettings) -> Iterator[str]:
    """The APIs that the resources of these settings belong to; read-only."""
    yield "sqladmin"
    if settings.network.mode == "private" and not settings.network.id:
        yield "compute"
        yield "servicenetworking"
    if settings.network.mode == "psc" and settings.network.id:
        yield "dns"
    if settings.auth == "password":
        yield "secretmanager"
    else:
        yield "cloudresourcemanager"
    if settings.encryption_key:
        yield "cloudkms"
    yield "logging"
    yield "monitoring"


def enable(name: str, settings: GcpSettings, opts: pulumi.ResourceOptions) -> list[projects.Service]:
    """Register the APIs, or none where somebody else switches them on.

    Args:
        name: The start of the resources' names.
        settings: The `gcp` section.
        opts: Parent and provider.
    """
    if not settings.enable_apis:
        return []
    return [
        projects.Service(f"{name}-{api}", service=f"{api}.googleapis.com", disable_on_destroy=False, opts=opts)
        for api in needed(settings)
    ]
