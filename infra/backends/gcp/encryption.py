"""A key of one's own: Google's services have to be let use it, before anything is encrypted with it."""

from collections.abc import Iterator
from typing import Final

import pulumi
from pulumi_gcp import kms, projects

from infra.settings.gcp import GcpSettings

_USE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def grants(name: str, settings: GcpSettings, opts: pulumi.ResourceOptions) -> list[kms.CryptoKeyIAMMember]:
    """Register the services' identities and their use of the keys, or nothing where Google's own key does.

    Args:
        name: The start of the resources' names.
        settings: The `gcp` section.
        opts: Parent, provider and dependencies.
    """
    identities = {
        api: projects.ServiceIdentity(
            f"{name}-{api}-identity", project=settings.project, service=f"{api}.googleapis.com", opts=opts
        )
        for api in dict.fromkeys(api for _suffix, api, _key in _uses(settings))
    }
    return [
        kms.CryptoKeyIAMMember(
            f"{name}-{suffix}", crypto_key_id=key, role=_USE, member=identities[api].member, opts=opts
        )
        for suffix, api, key in _uses(settings)
    ]


def _uses(settings: GcpSettings) -> Iterator[tuple[str, str, str]]:
    """Each use of a key as (suffix of its name, API, key)."""
    if settings.encryption_key:
        yield "key-of-servers", "sqladmin", settings.encryption_key
    if settings.replica_encryption_key:
        yield "key-of-replica", "sqladmin", settings.replica_encryption_key
    if settings.encryption_key and settings.auth == "password":
        yield "key-of-secrets", "secretmanager", settings.encryption_key
