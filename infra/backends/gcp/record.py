"""What a stack on Cloud SQL exports."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi

from infra.backends.gcp import identity
from infra.backends.gcp.runbook import runbook
from infra.backends.gcp.secrets import GcpSecrets
from infra.backends.gcp.server import GcpServer
from infra.contract import BackupPolicy, ServerRecord, SessionDatabase
from infra.managed.passwords import Passwords
from infra.managed.uri import uri
from infra.settings.gcp import GcpSettings

PORT: Final = 5432

_CONNECTION: Final = {"private": "PRIVATE_SERVICES_ACCESS", "psc": "PRIVATE_SERVICE_CONNECT", "public": "PUBLIC"}


def host(settings: GcpSettings, server: GcpServer) -> pulumi.Output[str]:
    """The name in the server's certificate, as far as it has one, or its address.

    Only a certificate of the shared CA carries a DNS name; with a CA of the server's own no host name can be verified
    (Cloud SQL, "Authorize with SSL/TLS certificates"). An endpoint of Private Service Connect has no address of the
    server's: its name is all there is.
    """
    instance, address = server.instance, _address(settings, server)
    if settings.network.server_ca == "instance" and settings.network.mode != "psc":
        return address
    known = pulumi.Output.all(names=instance.dns_names, name=instance.dns_name, address=address)
    return known.apply(lambda parts: _name(_CONNECTION[settings.network.mode], parts))


def app_uri(settings: GcpSettings, server: GcpServer, passwords: Passwords | None) -> pulumi.Output[str]:
    """The app role's `SESSION_DB_URI` (secret)."""
    if passwords is None:
        return _uri(settings, server, identity.role_of(settings.iam.app), None)
    return _uri(settings, server, passwords.app_user, passwords.app)


def record(
    settings: GcpSettings,
    servers: Mapping[str, GcpServer],
    passwords: Passwords | None,
    secrets: GcpSecrets | None,
) -> SessionDatabase:
    """The record of the active server.

    Args:
        settings: The `gcp` section.
        servers: The generations by id.
        passwords: The roles' passwords, or None with IAM.
        secrets: Where they are kept, or None with IAM.
    """
    server = servers[settings.active]
    owner = settings.owner_user if passwords else identity.role_of(settings.iam.owner)
    return SessionDatabase(
        session_db_uri=app_uri(settings, server, passwords),
        admin_db_uri=_uri(settings, server, owner, passwords.owner if passwords else None),
        backend="gcp",
        engine_version=server.instance.database_version.apply(lambda known: known.removeprefix("POSTGRES_")),
        region=settings.region,
        host=host(settings, server),
        port=PORT,
        database=settings.database,
        user=passwords.app_user if passwords else identity.role_of(settings.iam.app),
        instance=server.instance.connection_name,
        auth=settings.auth,
        ca_certificate=_authority(server),
        secret_ref=pulumi.Output.concat(secrets.uri.name, "/versions/latest") if secrets else "",
        availability="regional" if settings.high_availability else "none",
        backup_policy=_backup_policy(settings),
        runbook=runbook(settings, server, secrets, owner),
        servers={id_: _generation(settings, id_, each) for id_, each in servers.items()},
    )


def _name(connection: str, parts: Mapping[str, Any]) -> str:
    """The instance's own name for a kind of connection, else the older single one, else the address; no final dot."""
    own = (
        each["name"]
        for each in parts["names"] or ()
        if each["connection_type"] == connection and each["dns_scope"] == "INSTANCE"
    )
    return str(next(own, None) or parts["name"] or parts["address"]).rstrip(".")


def _uri(
    settings: GcpSettings, server: GcpServer, user: str, password: pulumi.Output[str] | None
) -> pulumi.Output[str]:
    return uri(
        user=user,
        password=password,
        host=host(settings, server),
        port=PORT,
        database=settings.database,
        options=_tls(settings, server),
    )


def _tls(settings: GcpSettings, server: GcpServer) -> dict[str, pulumi.Input[str]]:
    """How the server is known, and where it is.

    No DNS answers for the names in certificates but a zone of one's own (Cloud SQL, "Configure SSL/TLS certificates"):
    so libpq is told the address too, and still checks the name. The address stays the same in a failover.
    """
    if settings.network.server_ca == "instance":
        return {"sslmode": "verify-ca"}
    if settings.network.mode == "psc":
        return {"sslmode": "verify-full"}
    return {"sslmode": "verify-full", "hostaddr": _address(settings, server)}


def _address(settings: GcpSettings, server: GcpServer) -> pulumi.Output[str]:
    instance = server.instance
    return instance.public_ip_address if settings.network.mode == "public" else instance.private_ip_address


def _authority(server: GcpServer) -> pulumi.Output[str]:
    """The CA's certificates as PEM. The provider calls them secret; they are what everybody has to have."""
    return pulumi.Output.unsecret(server.instance.server_ca_certs).apply(
        lambda known: "\n".join(str(each["cert"]).strip() for each in known) + "\n"
    )


def _backup_policy(settings: GcpSettings) -> BackupPolicy:
    backup = settings.backup
    hour, _, minute = backup.window.partition(":")
    kept = f"kept by Cloud SQL for {backup.final_days} days, beside the daily ones" if backup.final else "none"
    return BackupPolicy(
        # Cloud SQL starts within four hours of the time it is given (Cloud SQL, "About Cloud SQL backups").
        window=f"{backup.window}-{(int(hour) + 4) % 24:02}:{minute}",
        retention_days=backup.retention_days,
        pitr_window_days=backup.pitr_days,
        final_backup=kept,
    )


def _generation(settings: GcpSettings, id_: str, server: GcpServer) -> ServerRecord:
    return ServerRecord(
        instance=server.instance.connection_name, host=host(settings, server), active=id_ == settings.active
    )
