"""The exported record of a stack on Azure."""

from collections.abc import Mapping
from typing import Final

import pulumi

from infra.backends.azure import inputs
from infra.backends.azure.runbook import runbook
from infra.backends.azure.secrets import AzureSecrets
from infra.backends.azure.server import AzureServer
from infra.backends.azure.site import Site
from infra.contract import BackupPolicy, ServerRecord, SessionDatabase
from infra.managed.uri import uri
from infra.settings.azure import AzureSettings

PORT: Final = 5432

TLS: Final = {"sslmode": "verify-full", "sslrootcert": "system"}
"""The certificates come from DigiCert Global Root G2 and Microsoft RSA Root 2017, which every system trusts, and the
intermediate ones change unannounced, so that nothing is to be pinned (Microsoft, "Transport Layer Security (TLS)")."""


def app_uri(site: Site, server: AzureServer) -> pulumi.Output[str]:
    """The app's whole URI (secret); without a password where it logs in with a token.

    Args:
        site: What the servers of the stack share.
        server: The generation that it leads to.
    """
    return _uri(site, server, app_user(site), site.passwords.app if site.passwords else None)


def owner_uri(site: Site, server: AzureServer) -> pulumi.Output[str]:
    """The same for the owner."""
    return _uri(site, server, owner_user(site, server), site.passwords.owner if site.passwords else None)


def app_user(site: Site) -> pulumi.Input[str]:
    """The app role; read-only."""
    return site.passwords.app_user if site.passwords else site.identities.app_user


def owner_user(site: Site, server: AzureServer) -> pulumi.Input[str]:
    """The role that bootstraps; read-only."""
    owner = site.identities.owner
    return owner[0] if owner else server.owner_user


def record(site: Site, servers: Mapping[str, AzureServer], secrets: AzureSecrets | None) -> SessionDatabase:
    """The record.

    Args:
        site: What the servers of the stack share.
        servers: The generations by id.
        secrets: The vault, or None where there is no password.
    """
    settings = site.settings
    active = servers[settings.active]
    return SessionDatabase(
        session_db_uri=app_uri(site, active),
        admin_db_uri=owner_uri(site, active),
        backend="azure",
        engine_version=active.server.version.apply(lambda known: known or str(settings.version_of(active.generation))),
        region=settings.region,
        host=active.host,
        port=PORT,
        database=settings.database,
        user=app_user(site),
        instance=active.server.name,
        auth=settings.auth,
        ca_certificate=TLS["sslrootcert"],
        secret_ref=secrets.reference(secrets.uri) if secrets else "",
        availability=inputs.standby(settings) if settings.high_availability else "none",
        backup_policy=_backups(settings),
        runbook=runbook(settings, active, secrets, owner_user(site, active)),
        servers={
            name: ServerRecord(each.server.name, each.host, name == settings.active) for name, each in servers.items()
        },
    )


def _uri(
    site: Site, server: AzureServer, user: pulumi.Input[str], password: pulumi.Output[str] | None
) -> pulumi.Output[str]:
    return uri(user=user, password=password, host=server.host, port=PORT, database=site.settings.database, options=TLS)


def _backups(settings: AzureSettings) -> BackupPolicy:
    days = settings.backup.retention_days
    copy = f", copied to {settings.backup.copy_region}" if settings.backup.copy_region else ""
    return BackupPolicy(
        window=f"once a day, at a time that Azure chooses{copy}",
        retention_days=days,
        pitr_window_days=days,
        final_backup="none that lasts: backups go with their server, which can often be revived for 5 days",
    )
