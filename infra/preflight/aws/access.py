"""Names, roles and secrets: who logs in, under which name, and who may read which secret."""

import re
from collections.abc import Iterator
from typing import Final

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_LONGEST_OWNER: Final = 16
"""The master user (Amazon RDS API, "CreateDBInstance"); other roles may have 63 letters."""

_OF_RDS: Final = frozenset({"admin", "rdsadmin"})

_OF_SQL: Final = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into
    is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on
    only or order outer overlaps placing primary public references returning right select session_user similar
    some symmetric system_user table tablesample then to trailing true union unique user using variadic verbose
    when where window with
    """.split()  # noqa: SIM905  # As a list it would take a hundred lines.
)
"""Words that cannot stand as a name without quotes (PostgreSQL, "SQL Key Words")."""

_DATABASES: Final = frozenset({"postgres", "rdsadmin", "template0", "template1"})

_READER: Final = re.compile(r"^arn:aws[a-z-]*:(iam|sts)::\d{12}:(role|user|assumed-role)/[\w+=,.@/-]+\Z")


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with names, roles and readers; read-only."""
    yield from _names(settings)
    yield from _readers(settings)
    yield from _iam(settings)
    if 0 < settings.secret_recovery_days < 7:  # noqa: PLR2004  # The least Secrets Manager takes besides none.
        yield Refusal("aws.secret_recovery_days", "7 to 30 days, or 0 for none", "{secret_recovery_days: 7}")


def _names(settings: AwsSettings) -> Iterator[Refusal]:
    owner = settings.owner_user
    if len(owner) > _LONGEST_OWNER or owner.startswith("_"):
        yield Refusal(
            "aws.owner_user", "1 to 16 letters, digits or underscores, a letter first", "{owner_user: adk_owner}"
        )
    for key, name in (("owner_user", owner), ("app_user", settings.app_user)):
        if name in _OF_RDS | _OF_SQL or name.startswith("rds_"):
            yield Refusal(
                f"aws.{key}",
                f"a name that RDS and PostgreSQL do not keep, as they do {name}",
                f"{{{key}: adk_{key[:5]}}}",
            )
    if settings.database in _DATABASES | _OF_SQL:
        yield Refusal(
            "aws.database",
            f"a name that RDS and PostgreSQL do not keep, as they do {settings.database}",
            "{database: adk_sessions}",
        )


def _readers(settings: AwsSettings) -> Iterator[Refusal]:
    fix = "{secret_readers: ['arn:aws:iam::123456789012:role/adk-api']}"
    for reader in settings.secret_readers:
        if not _READER.match(reader):
            yield Refusal("aws.secret_readers", "the ARNs of IAM roles or users, one for each reader", fix)
            return


def _iam(settings: AwsSettings) -> Iterator[Refusal]:
    if settings.auth == "iam":
        if settings.rotation:
            yield Refusal(
                "aws.rotation", "0 where auth is iam: there is no password to rotate", "{auth: iam, rotation: 0}"
            )
        if settings.secret_readers:
            yield Refusal(
                "aws.secret_readers",
                "none where auth is iam: there is no secret to read; iam.app says who logs in",
                "{auth: iam, iam: {app: 'arn:aws:iam::123456789012:role/adk-api'}, secret_readers: []}",
            )
        return
    for key, role in (("owner", settings.iam.owner), ("app", settings.iam.app)):
        if role:
            yield Refusal(f"aws.iam.{key}", "auth: iam, without which nobody logs in with a token", "{auth: iam}")
