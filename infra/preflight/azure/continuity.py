"""Backups, copies in another region, restores and encryption keys."""

import re
from collections.abc import Iterator
from typing import Final

from infra.preflight.azure.regions import REGIONS
from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal

_KEY: Final = re.compile(r"/providers/Microsoft\.KeyVault/vaults/[^/]+/keys/[^/]+$")
_SERVER: Final = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DBforPostgreSQL/flexibleServers/[^/]+$"
)
_EXAMPLE: Final = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
EXAMPLE_KEY: Final = f"{_EXAMPLE}/keys/providers/Microsoft.KeyVault/vaults/example/keys/sessions"
EXAMPLE_SERVER: Final = f"{_EXAMPLE}/database/providers/Microsoft.DBforPostgreSQL/flexibleServers/sessions"


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with what keeps the data; read-only."""
    yield from _copy(settings)
    yield from _keys(settings)
    yield from _generations(settings)


def _copy(settings: AzureSettings) -> Iterator[Refusal]:
    wanted, region = settings.backup.copy_region, REGIONS.get(settings.region)
    if not wanted or region is None or wanted == region.pair:
        return
    if region.pair:
        why = f"{region.pair}: Azure copies backups of {settings.region} to its paired region alone"
        yield Refusal("azure.backup.copy_region", why, f"{{backup: {{copy_region: {region.pair}}}}}")
    else:
        why = f"none: Azure copies no backups of {settings.region}; a read replica in another region does the same"
        yield Refusal("azure.backup.copy_region", why, f"{{backup: {{copy_region: ''}}, replica_region: {wanted}}}")


def _keys(settings: AzureSettings) -> Iterator[Refusal]:
    key, copy = settings.encryption_key, settings.replica_encryption_key
    for name, value in (("encryption_key", key), ("replica_encryption_key", copy)):
        if value and not _KEY.search(value):
            yield Refusal(
                f"azure.{name}", "the id of a key in a Key Vault, without a version", f"{{{name}: {EXAMPLE_KEY}}}"
            )
    far = settings.backup.copy_region or settings.replica_region
    if key and far and not copy:
        why = f"a key in a Key Vault of {far}: what leaves the region of encryption_key needs one over there"
        yield Refusal("azure.replica_encryption_key", why, f"{{replica_encryption_key: {EXAMPLE_KEY}}}")
    if copy and not key:
        why = "encryption_key beside it: copies have a key of their own only where the server has one"
        yield Refusal(
            "azure.replica_encryption_key", why, f"{{encryption_key: {EXAMPLE_KEY}, replica_encryption_key: {copy}}}"
        )
    if key and settings.backup.copy_region and settings.replica_region not in {"", settings.backup.copy_region}:
        why = f"{settings.backup.copy_region}: replica_encryption_key can be in one region only"
        yield Refusal("azure.replica_region", why, f"{{replica_region: {settings.backup.copy_region}}}")


def _generations(settings: AzureSettings) -> Iterator[Refusal]:
    by_id = {server.id: server for server in settings.servers}
    for server in settings.servers:
        if server.adopt and not _SERVER.match(server.adopt):
            yield Refusal(
                "azure.servers",
                f"the id of a flexible server to adopt as {server.id}, as `az postgres flexible-server show` prints it",
                f"{{servers: [{{id: {server.id}, adopt: {EXAMPLE_SERVER}}}]}}",
            )
        source = by_id.get(server.restore.source) if server.restore else None
        if source and settings.version_of(source) != settings.version_of(server):
            yield Refusal(
                "azure.servers",
                f"version {settings.version_of(source)} for {server.id} as long as it says restore: a point in time "
                f"comes back as the major version of {source.id}. Raise it after the restore, without that key",
                f"{{servers: [{{id: {source.id}}}, {{id: {server.id}, version: {settings.version_of(source)}, "
                f"restore: {{from: {source.id}, time: latest}}}}]}}",
            )
