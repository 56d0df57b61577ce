"""Who logs in with a token: the roles on the server, and the right to connect at all."""

from collections.abc import Iterator
from typing import Final

import pulumi
from pulumi_gcp import projects, sql

from infra.settings.gcp import GcpSettings

_TYPES: Final = {"serviceAccount": "CLOUD_IAM_SERVICE_ACCOUNT", "user": "CLOUD_IAM_USER"}

_RIGHTS: Final = ("cloudsql.client", "cloudsql.instanceUser")

_OWNERS: Final = "cloudsqlsuperuser"
"""The role that owns a database made through the API; logins with a password are in it, those with a token are not."""


def role_of(member: str) -> str:
    """The name of an identity's role on the server (Cloud SQL, "Manage users with IAM database authentication").

    >>> role_of("serviceAccount:api@example.iam.gserviceaccount.com"), role_of("user:someone@example.com")
    ('api@example.iam', 'someone@example.com')
    """
    kind, _, email = member.partition(":")
    return email.removesuffix(".gserviceaccount.com") if kind == "serviceAccount" else email


def logins(
    name: str, settings: GcpSettings, instance: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> list[sql.User]:
    """Register both identities' roles on a server; neither has a password.

    Args:
        name: The start of the resources' names.
        settings: The `gcp` section.
        instance: The server's name.
        opts: Parent and dependencies.
    """
    return [
        sql.User(
            f"{name}-{role}",
            name=role_of(member),
            type=_TYPES[member.partition(":")[0]],
            instance=instance,
            database_roles=[_OWNERS] if role == "owner" else None,
            deletion_policy="ABANDON",
            opts=opts,
        )
        for role, member in _members(settings)
    ]


def grants(name: str, settings: GcpSettings, opts: pulumi.ResourceOptions) -> list[projects.IAMMember]:
    """Register the right to connect and to log in for both identities, or nothing where roles have passwords.

    Args:
        name: The start of the resources' names.
        settings: The `gcp` section.
        opts: Parent, provider and dependencies.
    """
    if settings.auth != "iam":
        return []
    return [
        projects.IAMMember(
            f"{name}-{role}-{right.partition('.')[2]}",
            project=settings.project,
            role=f"roles/{right}",
            member=member,
            opts=opts,
        )
        for role, member in _members(settings)
        for right in _RIGHTS
    ]


def _members(settings: GcpSettings) -> Iterator[tuple[str, str]]:
    yield "owner", settings.iam.owner
    yield "app", settings.iam.app
