"""Backups, copies in another region, restores and encryption keys."""

import re
from collections.abc import Iterator
from typing import Final

from infra.preflight.azure.regions import REGIONS
from infra.settings.azure import AzureSettings
from infra.settings.managed import Alerts
from infra.settings.refusals import Refusal
from infra.settings.servers import Server

_KEY: Final = re.compile(r"/providers/Microsoft\.KeyVault/vaults/[^/]+/keys/[^/]+\Z")
_SERVER: Final = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DBforPostgreSQL/flexibleServers/[^/]+\Z"
)
_GROUP: Final = re.compile(r"^/subscriptions/.+/providers/[Mm]icrosoft\.[Ii]nsights/actionGroups/[^/]+\Z")
_EXAMPLE: Final = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
EXAMPLE_KEY: Final = f"{_EXAMPLE}/keys/providers/Microsoft.KeyVault/vaults/example/keys/sessions"
EXAMPLE_GROUP: Final = f"{_EXAMPLE}/watch/providers/Microsoft.Insights/actionGroups/oncall"
EXAMPLE_SERVER: Final = f"{_EXAMPLE}/database/providers/Microsoft.DBforPostgreSQL/flexibleServers/sessions"


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with what keeps the data; read-only."""
    yield from _copy(settings)
    yield from _keys(settings)
    yield from _generations(settings)
    yield from _alerts(settings)


def _alerts(settings: AzureSettings) -> Iterator[Refusal]:
    usual = Alerts().backup_age_hours
    if settings.alerts.backup_age_hours != usual:
        why = f"its default, {usual}: Azure shows no backup's age, and the alert is on a server without any backup"
        yield Refusal("azure.alerts.backup_age_hours", why, f"{{alerts: {{backup_age_hours: {usual}}}}}")
    for channel in settings.alerts.channels:
        if not _GROUP.search(channel):
            why = "ids of action groups, as `az monitor action-group show` prints them"
            yield Refusal("azure.alerts.channels", why, f"{{alerts: {{channels: [{EXAMPLE_GROUP}]}}}}")


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
            why = (
                f"the id of a flexible server to adopt as {server.id}, as `az postgres flexible-server show` prints it"
            )
            yield Refusal("azure.servers", why, f"{{servers: [{{id: {server.id}, adopt: {EXAMPLE_SERVER}}}]}}")
        source = by_id.get(server.restore.source) if server.restore else None
        if source and settings.version_of(source) != settings.version_of(server):
            yield _version(settings, source, server)


def _version(settings: AzureSettings, source: Server, restored: Server) -> Refusal:
    """In-place upgrades aside, which come later (Microsoft, "Restore to latest restore point", PostgreSQL version)."""
    version = settings.version_of(source)
    why = (
        f"version {version} for {restored.id} as long as it says restore: a point in time comes back as the major "
        f"version of {source.id}. Raise it after the restore, without that key"
    )
    fixed = f"{{id: {restored.id}, version: {version}, restore: {{from: {source.id}, time: latest}}}}"
    return Refusal("azure.servers", why, f"{{servers: [{{id: {source.id}, version: {version}}}, {fixed}]}}")
