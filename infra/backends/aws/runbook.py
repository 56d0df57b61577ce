"""The exact commands for whoever is on call."""

from dataclasses import dataclass
from typing import Final

import pulumi

from infra.backends.aws.instance import backup_window
from infra.backends.aws.server import AwsServer, copy_of
from infra.contract import Runbook
from infra.settings.aws import AwsSettings

_STORES: Final = {
    "cn": "rds-truststore.s3.cn-north-1.amazonaws.com.cn",
    "us-gov": "truststore.pki.us-gov-west-1.rds.amazonaws.com",
}


def bundle(region: str) -> str:
    """Where AWS publishes the CAs of all regions (Amazon RDS User Guide, "Certificate bundles"); read-only.

    >>> bundle("eu-west-1")
    'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem'
    """
    store = next((host for start, host in _STORES.items() if region.startswith(f"{start}-")), None)
    return f"https://{store or 'truststore.pki.rds.amazonaws.com'}/global/global-bundle.pem"


@dataclass(frozen=True)
class Known:
    """What the commands name, once it is known.

    Attributes:
        identifier: The active server's.
        host: Its name.
        user: The role that people connect as.
        secret: The ARN of the secret with that role's password; empty with IAM.
        master: The ARN of the secret in which RDS keeps the owner's password; empty where it keeps none.
        copy: The identifier of the replica in the other region, where there is one.
    """

    identifier: str
    host: str
    user: str
    secret: str
    master: str
    copy: str


def runbook(settings: AwsSettings, server: AwsServer, secret: pulumi.Input[str], user: str) -> Runbook:
    """The commands for a stack.

    Args:
        settings: The section.
        server: The active generation.
        secret: The ARN of the secret with the app role's password; empty with IAM.
        user: The app role.
    """
    parts = pulumi.Output.all(
        identifier=server.instance.identifier,
        host=server.instance.address,
        user=user,
        secret=secret,
        master=server.master_secret,
        copy=copy_of(server.life),
    )
    known = parts.apply(lambda each: Known(**each))
    return Runbook(
        connect=known.apply(lambda each: _connect(settings, each)),
        restore=known.apply(lambda each: _restore(settings, each)),
        failover=known.apply(lambda each: _failover(settings, each)),
        rotate=known.apply(lambda each: _rotate(settings, each)),
    )


def _connect(settings: AwsSettings, known: Known) -> str:
    """The password goes through the environment: a command line is for everybody to read."""
    password = (
        f"aws rds generate-db-auth-token --region {settings.region} --hostname {known.host} --port 5432 "
        f"--username {known.user}"
        if settings.auth == "iam"
        else f"aws secretsmanager get-secret-value --region {settings.region} --secret-id {known.secret} "
        "--query SecretString --output text"
    )
    return (
        f'curl -sSfo rds.pem {bundle(settings.region)} && PGPASSWORD="$({password})" '
        f"psql 'host={known.host} port=5432 dbname={settings.database} user={known.user} "
        f"sslmode=verify-full sslrootcert=rds.pem'{_from_where(settings)}"
    )


def _from_where(settings: AwsSettings) -> str:
    """The stack makes no machine and no tunnel to connect from; who may connect is the security group's to say."""
    network = settings.network
    if network.mode == "public":
        return f"  # from an address in {', '.join(network.allowed_cidrs)}"
    clients = [*network.client_security_groups, *network.client_cidrs] or [network.cidr]
    return (
        f"  # from a machine of {', '.join(clients)} in the VPC of the server, or in a network connected to it: "
        "nowhere else is there a way to the server; where that machine has no internet, bring rds.pem along"
    )


def _restore(settings: AwsSettings, known: Known) -> str:
    """Two runs, since a restore takes neither windows nor insights (hashicorp/terraform-provider-aws#47742)."""
    if settings.backup.retention_days == 0:
        return "not applicable: without backups there is nothing to restore. Set backup.retention_days"
    up = f"make up STACK={pulumi.get_stack()}"
    return (
        f"aws rds describe-db-instances --region {settings.region} --db-instance-identifier {known.identifier} "
        "--query 'DBInstances[0].LatestRestorableTime'  # then add to aws.servers of the stack file: "
        f"{{id: <new>, restore: {{from: {settings.active}, time: '<YYYY-MM-DDThh:mm:ssZ>'}}}}, run `{up}` twice, "
        f"look at the new server, set `active: <new>` and run `{up}` again"
    )


def _failover(settings: AwsSettings, known: Known) -> str:
    away = _away(settings, known) if settings.replica_region else ""
    if not settings.high_availability:
        return f"not applicable: there is no standby. Set high_availability: true{away}"
    return (
        f"aws rds reboot-db-instance --region {settings.region} --db-instance-identifier {known.identifier} "
        f"--force-failover{away}"
    )


def _away(settings: AwsSettings, known: Known) -> str:
    """With the retention once more: a promotion that names none leaves one day (Amazon RDS API, "PromoteReadReplica").

    The stack still knows it as a replica, so what protects it is what keeps an `up` from taking it away.
    """
    at = f"--region {settings.replica_region} --db-instance-identifier {known.copy}"
    return (
        f"; where the whole region is lost: aws rds promote-read-replica {at} --backup-retention-period "
        f"{settings.backup.retention_days} --preferred-backup-window {backup_window(settings)}, and once it is "
        f"available, for its standby: aws rds modify-db-instance {at} --multi-az --apply-immediately  # it is "
        "protected against deletion already; leave replica_region and replica_protection as they are"
    )


def _rotate(settings: AwsSettings, known: Known) -> str:
    owner = f"aws secretsmanager rotate-secret --region {settings.region} --secret-id {known.master}"
    if settings.auth == "iam":
        return f"{owner}  # the owner's; roles log in with tokens, which last 15 minutes"
    up = f"make up STACK={pulumi.get_stack()}"
    app = f"set aws.rotation to {settings.rotation + 1} in the stack file, then: {up}"
    return f"{app}; and the owner's: {owner}" if known.master else app
