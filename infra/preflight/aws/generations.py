"""Generations of the server: restores, adoptions and major versions as RDS has them."""

import re
from collections.abc import Iterator
from typing import Final

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_IDENTIFIER: Final = re.compile(r"^[a-z](?!.*--)[a-z0-9-]{0,61}[a-z0-9]\Z|^[a-z]\Z")
"""Amazon RDS API, "CreateDBInstance", DBInstanceIdentifier; RDS stores it in small letters."""


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the generations; read-only."""
    versions = {server.id: settings.version_of(server) for server in settings.servers}
    for server in settings.servers:
        if server.adopt and not _IDENTIFIER.match(server.adopt):
            yield Refusal(
                "aws.servers",
                f"the identifier of an RDS instance for {server.id} to adopt",
                "{servers: [{id: g1, adopt: sessions-prod}], active: g1}",
            )
        if not server.restore:
            continue
        source = server.restore.source
        if source in versions and versions[source] != versions[server.id]:
            yield Refusal(
                "aws.servers",
                f"version {versions[source]} for {server.id} while it is restored, since RDS restores {source} as it "
                "is; take `restore` away and raise its version afterwards",
                f"{{servers: [{{id: {source}}}, {{id: {server.id}, version: {versions[source]}, "
                f"restore: {{from: {source}, time: latest}}}}]}}",
            )
        if server.restore.time == "latest" and source in settings.backup.retained and source not in versions:
            yield Refusal(
                "aws.servers",
                f"a moment for {server.id}: which one is the latest of retained backups is in `aws rds "
                "describe-db-instance-automated-backups`",
                f"{{servers: [{{id: {server.id}, restore: {{from: {source}, time: '2026-11-23T17:05:00Z'}}}}]}}",
            )
