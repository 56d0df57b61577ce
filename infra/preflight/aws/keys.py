"""KMS keys: each in the region of what it encrypts, and of the stack's own account where that is said."""

from collections.abc import Iterator

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the keys; read-only."""
    yield from _key("encryption_key", settings.encryption_key, settings.region, "region")
    yield from _key("backup.copy_key", settings.backup.copy_key, settings.backup.copy_region, "backup.copy_region")
    yield from _key("replica_key", settings.replica_key, settings.replica_region, "replica_region")


def _key(key: str, arn: str, region: str, of: str) -> Iterator[Refusal]:
    if not arn:
        return
    partition, _kms, there, account = arn.split(":")[1:5]
    if there == region:
        return
    own = f"arn:{partition}:kms:{region or there}:{account}:key/1a2b3c4d"
    section, _, leaf = key.rpartition(".")
    fix = f"{{{section}: {{{leaf}: '{own}'}}}}" if section else f"{{{leaf}: '{own}'}}"
    if region:
        yield Refusal(f"aws.{key}", f"a key in {region}, where what it encrypts is", fix)
    else:
        yield Refusal(
            f"aws.{key}", f"{of}, without which there is nothing to encrypt with this key", _without(of, there)
        )


def _without(of: str, region: str) -> str:
    section, _, leaf = of.rpartition(".")
    return f"{{{section}: {{{leaf}: {region}}}}}" if section else f"{{{leaf}: {region}}}"
