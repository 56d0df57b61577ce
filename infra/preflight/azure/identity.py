"""Names of roles, Entra principals, readers of secrets, and server parameters."""

import re
from collections.abc import Iterator
from typing import Final

from infra.preflight.common import second_role
from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal

RESERVED: Final = frozenset(
    {
        "admin",
        "administrator",
        "azure_pg_admin",
        "azure_superuser",
        "azuresu",
        "guest",
        "replication",
        "root",
        "user",
    }
)
"""Names that Azure refuses for the administrator (Microsoft, "Create an Azure Database for PostgreSQL") or owns."""

DATABASES: Final = frozenset({"azure_maintenance", "azure_sys", "postgres", "template0", "template1"})
"""Databases that every server has already (Microsoft, "Servers in Azure Database for PostgreSQL")."""

READ_ONLY: Final = frozenset(
    {
        "data_checksums",
        "data_directory",
        "hba_file",
        "listen_addresses",
        "log_replication_commands",
        "log_timezone",
        "port",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_key_file",
    }
)
"""Parameters that Azure shows and does not let anybody set (Microsoft, "Server parameters")."""

OWN: Final = frozenset({"require_secure_transport", "ssl_min_protocol_version", "ssl_max_protocol_version"})
"""Parameters that a promise of this project rests on: TLS."""

READER: Final = re.compile(r"^(?:(Group|ServicePrincipal|User):)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
"""A reader: an Entra object id, with its kind in front where it is no service principal."""

_MOST_TAGS: Final = 50
_LONGEST_TAG: Final = 256
_NO_TAG: Final = re.compile(r"[<>%&\\?/]")

_PARAMETERS: Final = "{parameters: {log_min_duration_statement: '500'}}"


def check(settings: AzureSettings) -> Iterator[Refusal]:
    """What is wrong with identities and parameters; read-only."""
    for key, name in (("owner_user", settings.owner_user), ("app_user", settings.app_user)):
        if name in RESERVED:
            why = f"a name that Azure does not keep for itself, not {name}"
            yield Refusal(f"azure.{key}", why, f"{{{key}: adk_{key.partition('_')[0]}}}")
    if settings.app_user == second_role(settings.owner_user):
        why = f"another name than {settings.app_user}"
        yield Refusal("azure.app_user", why, "{owner_user: adk_owner, app_user: adk_user}")
    if settings.database in DATABASES:
        why = f"another name than {settings.database}, which every server has already"
        yield Refusal("azure.database", why, "{database: adk_sessions}")
    yield from _entra(settings)
    yield from _readers(settings)
    yield from _parameters(settings)
    yield from _tags(settings)


def _entra(settings: AzureSettings) -> Iterator[Refusal]:
    owner = settings.iam.owner
    if bool(owner.name) != bool(owner.object_id):
        missing = "object_id" if owner.name else "name"
        why = f"{missing} as well: an Entra administrator has both, one made for the stack neither"
        fix = "{auth: iam, iam: {owner: {name: admins, object_id: 11111111-1111-1111-1111-111111111111, kind: Group}}}"
        yield Refusal(f"azure.iam.owner.{missing}", why, fix)
    if settings.auth == "password" and (owner.name or settings.iam.app):
        yield Refusal("azure.iam", "auth: iam beside it", "{auth: iam}")
    if settings.iam.app and settings.iam.app == owner.name:
        why = "another principal than the owner's: API servers do without the right to change tables"
        yield Refusal("azure.iam.app", why, "{iam: {app: ''}}")


def _readers(settings: AzureSettings) -> Iterator[Refusal]:
    for reader in settings.secret_readers:
        if not READER.match(reader):
            yield Refusal(
                "azure.secret_readers",
                "Entra object ids in small letters, with Group: or User: in front of what is no service principal",
                "{secret_readers: ['11111111-1111-1111-1111-111111111111', "
                "'Group:22222222-2222-2222-2222-222222222222']}",
            )
    if settings.secret_readers and settings.auth == "iam":
        yield Refusal("azure.secret_readers", "none with auth: iam, where there is no secret", "{secret_readers: []}")


def _parameters(settings: AzureSettings) -> Iterator[Refusal]:
    for name in sorted(settings.parameters.keys() & OWN):
        yield Refusal("azure.parameters", f"no {name}, which the program sets itself", _PARAMETERS)
    for name in sorted(settings.parameters.keys() & READ_ONLY):
        yield Refusal("azure.parameters", f"no {name}, which is read-only on Azure", _PARAMETERS)


def _tags(settings: AzureSettings) -> Iterator[Refusal]:
    """What Azure takes as tags (Microsoft, "Use tags to organize your Azure resources", limitations)."""
    labels = settings.labels
    if len(labels) > _MOST_TAGS or any(
        _NO_TAG.search(key) or len(value) > _LONGEST_TAG for key, value in labels.items()
    ):
        why = f"up to {_MOST_TAGS} tags, with names without <>%&\\?/ and values of up to {_LONGEST_TAG} characters"
        yield Refusal("azure.labels", why, "{labels: {team: agents}}")
