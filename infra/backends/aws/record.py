"""The exported record of a stack on AWS."""

from collections.abc import Mapping

import pulumi

from infra.backends.aws.instance import backup_window
from infra.backends.aws.runbook import bundle, runbook
from infra.backends.aws.secrets import Secrets
from infra.backends.aws.server import AwsServer
from infra.contract import BackupPolicy, ServerRecord, SessionDatabase
from infra.managed.passwords import Passwords
from infra.managed.uri import uri
from infra.settings.aws import AwsSettings


def app_uri(settings: AwsSettings, server: AwsServer, passwords: Passwords | None) -> pulumi.Output[str]:
    """The app's whole URI (secret); without a password where it logs in with a token."""
    user = passwords.app_user if passwords else settings.app_user
    return _uri(settings, server, user, passwords.app if passwords else None)


def owner_uri(settings: AwsSettings, server: AwsServer, passwords: Passwords | None) -> pulumi.Output[str]:
    """The owner's whole URI (secret); without a password where RDS keeps it, since it would soon be another one."""
    return _uri(settings, server, settings.owner_user, passwords.owner if passwords else None)


def record(
    settings: AwsSettings, servers: Mapping[str, AwsServer], passwords: Passwords | None, secrets: Secrets | None
) -> SessionDatabase:
    """The record.

    Args:
        settings: The section.
        servers: The generations by id.
        passwords: The passwords, or None with IAM.
        secrets: The secrets, or None with IAM.
    """
    active = servers[settings.active]
    user = passwords.app_user if passwords else settings.app_user
    return SessionDatabase(
        session_db_uri=app_uri(settings, active, passwords),
        admin_db_uri=owner_uri(settings, active, passwords),
        backend="aws",
        engine_version=active.instance.engine_version_actual,
        region=settings.region,
        host=active.instance.address,
        port=active.instance.port,
        database=settings.database,
        user=user,
        instance=active.instance.identifier,
        auth=settings.auth,
        ca_certificate=bundle(settings.region),
        secret_ref=secrets.uri.arn if secrets else "",
        availability="multi-az" if settings.high_availability else "single-az",
        backup_policy=_backups(settings),
        runbook=runbook(settings, active, secrets.app.arn if secrets else "", user),
        servers={
            name: ServerRecord(each.instance.identifier, each.instance.address, name == settings.active)
            for name, each in servers.items()
        },
    )


def _uri(
    settings: AwsSettings, server: AwsServer, user: str, password: pulumi.Output[str] | None
) -> pulumi.Output[str]:
    return uri(
        user=user,
        password=password,
        host=server.instance.address,
        port=server.instance.port,
        database=settings.database,
        options={"sslmode": "verify-full", **({"sslrootcert": settings.ca_file} if settings.ca_file else {})},
    )


def _backups(settings: AwsSettings) -> BackupPolicy:
    days = settings.backup.retention_days
    kept = "automated backups stay for their retention" if days else "nothing is kept"
    if settings.backup.final:
        kept = (
            f"a snapshot of each server named after it with -final, for ever; {kept}"
            if days
            else ("a snapshot of each server named after it with -final, for ever")
        )
    return BackupPolicy(
        window=backup_window(settings) if days else "", retention_days=days, pitr_window_days=days, final_backup=kept
    )
