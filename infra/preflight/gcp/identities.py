"""Roles, members, labels, flags and channels: their forms, and names that are taken."""

import re
from collections.abc import Iterator
from typing import Final

from infra.preflight.common import second_role
from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

_TAKEN_ROLES: Final = frozenset({"alloydbsuperuser", "postgres", "root"})
_TAKEN_DATABASES: Final = frozenset({"cloudsqladmin", "postgres", "template0", "template1"})

_LOGIN: Final = re.compile(r"serviceAccount:[^@\s:]+@[^@\s:]+\.gserviceaccount\.com|user:[^@\s:]+@[^@\s:]+\.[^@\s:]+")
_MEMBER: Final = re.compile(
    r"(serviceAccount|user|group):[^@\s]+@[^@\s]+|(principal|principalSet)://\S+|domain:\S+\.\S+"
)

_LABEL_KEY: Final = re.compile(r"(?!goog)[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE: Final = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_LABELS: Final = 64
"""Google Cloud, "Requirements for labels"."""

_FLAG: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_OWN_FLAG: Final = "cloudsql.iam_authentication"

_CHANNEL: Final = re.compile(r"projects/[^/]+/notificationChannels/[^/]+")


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with names and identities; read-only."""
    yield from _names(settings)
    yield from _iam(settings)
    yield from _readers(settings)
    yield from _labels(settings)
    yield from _flags(settings)
    if not all(_CHANNEL.fullmatch(channel) for channel in settings.alerts.channels):
        yield Refusal(
            "gcp.alerts.channels",
            "names of notification channels",
            "{alerts: {channels: [projects/example-project/notificationChannels/1]}}",
        )


def _names(settings: GcpSettings) -> Iterator[Refusal]:
    for key, names, fix in (
        ("owner_user", (settings.owner_user,), "adk_owner"),
        ("app_user", (settings.app_user, second_role(settings.app_user)), "adk_user"),
    ):
        if taken := next((name for name in names if name.startswith("cloudsql") or name in _TAKEN_ROLES), None):
            yield Refusal(
                f"gcp.{key}", f"another name than {taken}, which Cloud SQL keeps to itself", f"{{{key}: {fix}}}"
            )
    if settings.database in _TAKEN_DATABASES:
        yield Refusal(
            "gcp.database",
            f"another name than {settings.database}, a database that every server has",
            "{database: adk_sessions}",
        )


def _iam(settings: GcpSettings) -> Iterator[Refusal]:
    members = (settings.iam.owner, settings.iam.app)
    fix = (
        "{auth: iam, iam: {owner: 'serviceAccount:bootstrap@example-project.iam.gserviceaccount.com', "
        "app: 'serviceAccount:api@example-project.iam.gserviceaccount.com'}}"
    )
    if settings.auth == "password":
        if any(members):
            yield Refusal("gcp.iam", "no identities with auth: password", fix)
    elif not all(_LOGIN.fullmatch(member) for member in members):
        yield Refusal("gcp.iam", "serviceAccount:<email> or user:<email> for owner and app with auth: iam", fix)
    elif members[0] == members[1]:
        yield Refusal("gcp.iam.app", "another identity than the owner's, which may drop every table", fix)


def _readers(settings: GcpSettings) -> Iterator[Refusal]:
    if settings.secret_readers and settings.auth == "iam":
        yield Refusal("gcp.secret_readers", "none with auth: iam, where there is no secret", "{secret_readers: []}")
    elif not all(_MEMBER.fullmatch(reader) for reader in settings.secret_readers):
        yield Refusal(
            "gcp.secret_readers",
            "members as IAM writes them, with what they are in front, and never everybody",
            "{secret_readers: ['serviceAccount:api@example-project.iam.gserviceaccount.com']}",
        )


def _labels(settings: GcpSettings) -> Iterator[Refusal]:
    fit = all(_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value) for key, value in settings.labels.items())
    if not fit or len(settings.labels) > _MOST_LABELS:
        yield Refusal(
            "gcp.labels",
            f"up to {_MOST_LABELS} labels of small letters, digits, _ and -, 63 characters at most, with keys that "
            "start with a letter and not with goog",
            "{labels: {team: agents}}",
        )


def _flags(settings: GcpSettings) -> Iterator[Refusal]:
    fix = "{parameters: {log_min_duration_statement: '500'}}"
    if _OWN_FLAG in settings.parameters:
        yield Refusal("gcp.parameters", f"no {_OWN_FLAG}, which auth: iam sets", fix)
    if not all(_FLAG.fullmatch(name) for name in settings.parameters):
        yield Refusal("gcp.parameters", "names of database flags: small letters, digits, _ and one dot", fix)
