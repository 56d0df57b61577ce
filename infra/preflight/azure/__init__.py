"""What azure would not take.

machines    the sizes of machines, with their tier and their connections
regions     what each region has: availability zones, a paired region for backups
compute     machine, high availability, replicas, connections, storage
continuity  backups, copies, restores and keys
network     mode, given ids, blocks of addresses
identity    names of roles, Entra principals, readers of secrets, server parameters
"""

from collections.abc import Iterator

from infra.preflight.azure import compute, continuity, identity, network
from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal

__all__ = ["check"]


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with the `azure` section; read-only and offline."""
    yield from compute.check(settings)
    yield from continuity.check(settings)
    yield from network.check(settings)
    yield from identity.check(settings)
