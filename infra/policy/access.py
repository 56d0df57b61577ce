"""Rules about who may read a secret or log in."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from infra.policy.rule import UNKNOWN, Resource, Rule, same, texts

_READER_OF_SECRETS: Final = "4633458b-17de-408a-b874-0445c86b69e6"
"""Azure's role "Key Vault Secrets User", the same in every tenant (Azure, "Azure built-in roles")."""

_WIDE_SCOPE: Final = re.compile(
    r"/subscriptions/[^/]+(/resourceGroups/[^/]+(/providers/Microsoft\.KeyVault/vaults/[^/]+)?)?/?$", re.IGNORECASE
)
"""A whole vault, or more."""

_ANYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_TOO_WIDE: Final = frozenset({"roles/owner", "roles/editor", "roles/secretmanager.admin", "roles/cloudsql.admin"})


def _one_secret(grant: Resource) -> bool:
    return grant.says("role", "roles/secretmanager.secretAccessor") and grant.at("member") not in _ANYBODY


def _no_project(grant: Resource) -> bool:
    role = grant.at("role")
    wide = isinstance(role, str) and (role in _TOO_WIDE or role.startswith("roles/secretmanager."))
    return not wide and grant.at("member") not in _ANYBODY


def _no_everybody(policy: Resource) -> bool:
    """No statement of an AWS policy that allows names everybody, every action or every secret."""
    text = policy.at("policy")
    return not isinstance(text, str) or not any(_wide(statement) for statement in _statements(text))


def _statements(text: str) -> Iterator[dict[str, Any]]:
    try:
        statements = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError):
        return
    yield from statements if isinstance(statements, list) else [statements]


def _wide(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow" or statement.get("Condition"):
        return False
    actions = set(texts(statement.get("Action")))
    everything = any(action in {"*", "secretsmanager:*", "rds:*", "rds-db:*"} for action in actions)
    return everything or "*" in set(texts(statement.get("Principal")))


def _one_vault_secret(assignment: Resource) -> bool:
    role, scope = assignment.at("roleDefinitionId"), assignment.at("scope")
    if role is UNKNOWN or scope is UNKNOWN or _READER_OF_SECRETS not in str(role):
        return True
    return _WIDE_SCOPE.match(str(scope)) is None


RULES: Final = (
    Rule(
        name="least-privilege",
        expected="each reader to read one secret, and nobody to be everybody",
        severity="critical",
        everywhere=True,
        controls=("CIS Google Cloud 1.5", "CIS AWS 1.16", "MCSB PA-7"),
        fixes=same("secret_readers", "{secret_readers: []}"),
        each={
            "gcp:secretmanager/secretIamMember:SecretIamMember": _one_secret,
            "gcp:projects/iAMMember:IAMMember": _no_project,
            "aws:secretsmanager/secretPolicy:SecretPolicy": _no_everybody,
            "aws:iam/policy:Policy": _no_everybody,
            "aws:iam/rolePolicy:RolePolicy": _no_everybody,
            "azure-native:authorization:RoleAssignment": _one_vault_secret,
        },
    ),
)
