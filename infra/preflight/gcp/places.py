"""Regions, keys and adopted servers: each in the place where the other is."""

import re
from collections.abc import Iterator
from typing import Final

from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

_LONGEST_NAME: Final = 98
"""Characters of project:instance (Cloud SQL, "About instance settings", Instance ID)."""

_RANDOM: Final = "-1f0c2ab"
"""What Pulumi adds to a name."""

_INSTANCE: Final = re.compile(r"projects/([^/]+)/instances/([a-z][a-z0-9-]{0,96}[a-z0-9])")


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with the places of servers, keys and secrets; read-only."""
    if settings.replica_region == settings.region:
        yield Refusal(
            "gcp.replica_region",
            f"another region than {settings.region}, or read_replicas for one beside the server",
            "{replica_region: us-east1}" if settings.region != "us-east1" else "{replica_region: us-central1}",
        )
    yield from _long_names(settings)
    yield from _keys(settings)
    yield from _secrets(settings)
    yield from _adopted(settings)


def _long_names(settings: GcpSettings) -> Iterator[Refusal]:
    replica = f"-replica-{settings.replica_region or 1}" if settings.replica_region or settings.read_replicas else ""
    longest = max((server.id for server in settings.servers), key=len)
    fixed = len(f"{settings.project}:-{longest}{replica}{_RANDOM}")
    if fixed + len(settings.server_prefix) > _LONGEST_NAME:
        room = _LONGEST_NAME - fixed
        yield Refusal(
            "gcp.server_prefix",
            f"{room} characters or fewer, so that {settings.project}:{settings.server_prefix}-{longest}{replica} and "
            f"what Pulumi adds have no more than {_LONGEST_NAME}",
            f"{{server_prefix: {settings.server_prefix[:room].rstrip('-')}}}",
        )


def _keys(settings: GcpSettings) -> Iterator[Refusal]:
    if settings.encryption_key and _location(settings.encryption_key) != settings.region:
        yield _elsewhere("encryption_key", settings.encryption_key, settings.region)
    if not settings.replica_encryption_key:
        if settings.encryption_key and settings.replica_region:
            yield _elsewhere("replica_encryption_key", settings.encryption_key, settings.replica_region)
    elif not settings.encryption_key or not settings.replica_region:
        yield Refusal(
            "gcp.replica_encryption_key",
            "none without both encryption_key and replica_region",
            "{replica_encryption_key: ''}",
        )
    elif _location(settings.replica_encryption_key) != settings.replica_region:
        yield _elsewhere("replica_encryption_key", settings.replica_encryption_key, settings.replica_region)


def _location(key: str) -> str:
    return key.split("/")[3]


def _elsewhere(setting: str, key: str, region: str) -> Refusal:
    parts = key.split("/")
    parts[3] = region
    return Refusal(
        f"gcp.{setting}",
        f"a key in {region}, where the server is that it encrypts",
        f"{{{setting}: {'/'.join(parts)}}}",
    )


def _secrets(settings: GcpSettings) -> Iterator[Refusal]:
    if settings.encryption_key and settings.secret_regions not in ((), (settings.region,)):
        yield Refusal(
            "gcp.secret_regions",
            f"{settings.region} alone with encryption_key, which encrypts in its own region",
            f"{{secret_regions: [{settings.region}]}}",
        )


def _adopted(settings: GcpSettings) -> Iterator[Refusal]:
    for number, server in enumerate(settings.servers):
        if not server.adopt:
            continue
        found = _INSTANCE.fullmatch(server.adopt)
        if not found or found[1] != settings.project:
            name = found[2] if found else "sessions"
            project = settings.project or "example-project"
            yield Refusal(
                f"gcp.servers[{number}].adopt",
                f"an instance of {project} as projects/{project}/instances/<name>",
                f"{{servers: [{{id: {server.id}, adopt: projects/{project}/instances/{name}}}]}}",
            )
