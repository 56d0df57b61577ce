"""The exact commands for a stack on Azure, for whoever is on call."""

import json
from typing import Final

import pulumi

from infra.backends.azure import inputs
from infra.backends.azure.secrets import AzureSecrets
from infra.backends.azure.server import AzureServer
from infra.contract import Runbook
from infra.settings.azure import AzureSettings

_AZ: Final = "az postgres flexible-server"

_API: Final = "2025-08-01"
"""The version that pulumi-azure-native 3.29 speaks to flexible servers."""

_FROM: Final = {
    "private": "  # from a machine in the virtual network of the server, or in one peered with it and linked to its "
    "private DNS zone: nowhere else is there a way to the server",
    "private_endpoint": "  # from a machine in the virtual network of the endpoint, or in one peered with it and "
    "linked to its private DNS zone: nowhere else is there a way to the server",
    "public": "  # from an address in network.allowed_cidrs",
}
"""The stack makes no machine and no tunnel to connect from."""

_STILL_ITS_OWN: Final = (
    "; an adopted server keeps its own administrator and password until `adopt` is taken out of the stack file; say "
    "its resource_group and owner_user before"
)


def runbook(
    settings: AzureSettings, server: AzureServer, secrets: AzureSecrets | None, owner: pulumi.Input[str]
) -> Runbook:
    """The commands.

    Args:
        settings: The `azure` section.
        server: The generation that the exported URI leads to.
        secrets: Where the owner's password is, or None where roles log in with tokens.
        owner: The owner's role on the server.
    """
    return Runbook(
        connect=_connect(settings, server, secrets, owner),
        restore=_restore(settings, server),
        failover=_failover(settings, server),
        rotate=_rotate(settings),
    )


def _connect(
    settings: AzureSettings, server: AzureServer, secrets: AzureSecrets | None, owner: pulumi.Input[str]
) -> pulumi.Output[str]:
    """The password goes through the environment: a command line is for everybody to read."""
    credential: pulumi.Input[str] = (
        "az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv"
    )
    if secrets:
        credential = pulumi.Output.concat(
            "az keyvault secret show --id ", secrets.reference(secrets.owner), " --query value --output tsv"
        )
    return pulumi.Output.concat(
        'PGPASSWORD="$(',
        credential,
        ')" psql "host=',
        server.host,
        f" port=5432 dbname={settings.database} user='",
        owner,
        "' sslmode=verify-full sslrootcert=system\"",
        _FROM[settings.network.mode],
        _STILL_ITS_OWN if server.generation.adopt else "",
    )


def _restore(settings: AzureSettings, server: AzureServer) -> pulumi.Output[str]:
    """An edit, and on Azure a command after it, for what it restores no server with.

    The provider compares what a program says with what it said before, and a refresh what Azure tells with what it told
    before: a standby that never came is a difference to neither (pulumi/pulumi-azure-native, provider.go, Read and
    Diff; Azure/azure-rest-api-specs#20600).
    """
    ids = {each.id for each in settings.servers}
    fresh = next(f"g{number}" for number in range(2, len(ids) + 3) if f"g{number}" not in ids)
    restored = f"{{id: {fresh}, restore: {{from: {settings.active}, time: '<YYYY-MM-DDTHH:MM:SSZ>'}}}}"
    up = f"make up STACK={pulumi.get_stack()}"
    return pulumi.Output.concat(
        f"{_AZ} show --resource-group ",
        server.group,
        " --name ",
        server.server.name,
        " --query backup.earliestRestoreDate",
        f"  # then add {restored} to {_key('servers')} and run: {up}  # Azure restores without a standby and window, "
        "and no later run adds them; with the name that the record has for the new server in RESTORED: az rest "
        f'--method patch --url "https://management.azure.com$({_AZ} show --resource-group ',
        server.replica_group,
        f" --name $RESTORED --query id --output tsv)?api-version={_API}\" --body '{_unrestored(settings)}'",
        f"  # look at {fresh}, then set {_key('active')}: {fresh} and run: {up}",
    )


def _unrestored(settings: AzureSettings) -> str:
    """The body of a PATCH with what a restore leaves out."""
    window = inputs.window(settings)
    return json.dumps(
        {"properties": {"highAvailability": {"mode": inputs.standby(settings)}, "maintenanceWindow": window}}
    )


def _failover(settings: AzureSettings, server: AzureServer) -> pulumi.Output[str]:
    at = ("--resource-group ", server.group, " --name ")
    found: list[pulumi.Input[str]] = []
    if settings.high_availability:
        found += [f"{_AZ} restart ", *at, server.server.name, " --failover Forced"]
    else:
        found += [f"there is no standby; to have one: {_key('high_availability')}: true"]
    if server.writer:
        found += _promotion(settings, server, server.writer.name)
    return pulumi.Output.concat(*found)


def _promotion(settings: AzureSettings, server: AzureServer, writer: pulumi.Input[str]) -> list[pulumi.Input[str]]:
    """A replica has neither backups nor a standby, and a promotion gives it none (Microsoft, "Read replicas")."""
    at = ("--resource-group ", server.replica_group, " --name ", list(server.replicas.values())[-1].name)
    keep = " leave replica_region and replica_protection as they are;" if settings.replica_region else ""
    return [
        f"  # or to a replica: {_AZ} replica promote ",
        *at,
        " --promote-mode switchover --promote-option planned, or forced where the region is lost; its name stays ",
        writer,
        f".writer.postgres.database.azure.com;{keep} right after it, for its backups: {_AZ} update ",
        *at,
        f" --backup-retention {settings.backup.retention_days}, and add a standby",
    ]


def _rotate(settings: AzureSettings) -> str:
    if settings.auth == "iam":
        return "nothing to rotate: roles log in with tokens that live for an hour"
    up = f"make up STACK={pulumi.get_stack()}"
    return f"set {_key('rotation')}: {settings.rotation + 1} and run: {up}  # the role in use so far goes on working"


def _key(name: str) -> str:
    return f"{pulumi.get_project()}:azure.{name} (Pulumi.{pulumi.get_stack()}.yaml)"
