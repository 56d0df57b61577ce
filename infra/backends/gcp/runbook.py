"""The exact commands for a stack on Cloud SQL, for whoever is on call."""

from typing import Final

import pulumi
from pulumi_gcp import sql

from infra.backends.gcp.secrets import GcpSecrets
from infra.backends.gcp.server import GcpServer
from infra.contract import Runbook
from infra.settings.gcp import GcpSettings

PROXY: Final = {"private": " --private-ip", "psc": " --psc", "public": ""}
"""How Cloud SQL Auth Proxy reaches a server (cloud-sql-proxy, "Usage")."""

_FROM: Final = {
    "private": "  # on a machine in the network of the server, or in one connected to it: the proxy encrypts and "
    "logs in, and brings no way into a network",
    "psc": "  # on a machine in a network that has an endpoint for the server and a DNS name for it",
    "public": "",
}
"""The stack makes no machine and no tunnel to connect from (Cloud SQL, "About the Cloud SQL Auth Proxy")."""

_LOCAL_PORT: Final = 6543


def runbook(settings: GcpSettings, server: GcpServer, secrets: GcpSecrets | None, owner: str) -> Runbook:
    """The commands.

    Args:
        settings: The `gcp` section.
        server: The generation that the exported URI leads to.
        secrets: Where the owner's password is, or None with IAM.
        owner: The owner's role on the server.
    """
    return Runbook(
        connect=_connect(settings, server, secrets, owner),
        restore=_restore(settings),
        failover=_failover(settings, server),
        rotate=_rotate(settings),
    )


def _connect(settings: GcpSettings, server: GcpServer, secrets: GcpSecrets | None, owner: str) -> pulumi.Output[str]:
    flags = PROXY[settings.network.mode] + ("" if secrets else " --auto-iam-authn")
    # What goes through the proxy is encrypted by the proxy.
    psql: str | pulumi.Output[str] = (
        f"psql 'host=127.0.0.1 port={_LOCAL_PORT} dbname={settings.database} user={owner} sslmode=disable'"
    )
    if secrets:
        psql = pulumi.Output.concat(
            'PGPASSWORD="$(gcloud secrets versions access latest --secret=',
            secrets.owner.secret_id,
            f' --project={settings.project})" {psql}',
        )
    proxy = pulumi.Output.concat(f"cloud-sql-proxy{flags} --port={_LOCAL_PORT} ", server.instance.connection_name)
    return pulumi.Output.concat(proxy, " & sleep 5; ", psql, "; kill %1", _FROM[settings.network.mode])


def _restore(settings: GcpSettings) -> str:
    """An edit, not a command: the new server is in the stack then, and nobody has to adopt it."""
    ids = {server.id for server in settings.servers}
    fresh = next(f"g{number}" for number in range(2, len(ids) + 3) if f"g{number}" not in ids)
    restored = f"{{id: {fresh}, restore: {{from: {settings.active}, time: '<YYYY-MM-DDTHH:MM:SSZ>'}}}}"
    up = f"make up STACK={pulumi.get_stack()}"
    return (
        f"add {restored} to {_key('servers')} and run: {up}  # a second server; look at it, then set "
        f"{_key('active')}: {fresh} and run: {up}"
    )


def _failover(settings: GcpSettings, server: GcpServer) -> pulumi.Output[str]:
    away = _away(settings, server.far) if server.far else ""
    if not settings.high_availability:
        return pulumi.Output.concat(f"there is no standby; to have one: {_key('high_availability')}: true", away)
    return pulumi.Output.concat(
        "gcloud sql instances failover ", server.instance.name, f" --project={settings.project}", away
    )


def _away(settings: GcpSettings, far: sql.DatabaseInstance) -> pulumi.Output[str]:
    """A replica has neither backups nor a standby, and a promotion gives it none (Cloud SQL, "Promote replicas").

    The stack still knows it as a replica, so what protects it is what keeps an `up` from taking it away.
    """
    backup = settings.backup
    moments = f" --enable-point-in-time-recovery --retained-transaction-log-days={backup.pitr_days}"
    return pulumi.Output.concat(
        "; where the whole region is lost: gcloud sql instances promote-replica ",
        far.name,
        f" --project={settings.project}, and right after it, for backups and a standby: gcloud sql instances patch ",
        far.name,
        f" --project={settings.project} --availability-type=REGIONAL --backup-start-time={backup.window} "
        f"--retained-backups-count={backup.retention_days}{moments if backup.pitr_days else ''}  # it is protected "
        "against deletion already; leave replica_region and replica_protection as they are",
    )


def _rotate(settings: GcpSettings) -> str:
    if settings.auth == "iam":
        return "nothing to rotate: roles log in with tokens that live for an hour"
    up = f"make up STACK={pulumi.get_stack()}"
    return f"set {_key('rotation')}: {settings.rotation + 1} and run: {up}  # the role in use so far goes on working"


def _key(name: str) -> str:
    return f"{pulumi.get_project()}:gcp.{name} (Pulumi.{pulumi.get_stack()}.yaml)"
