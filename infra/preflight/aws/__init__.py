"""What Amazon RDS would not take, one module for each noun."""

from collections.abc import Iterator

from infra.preflight.aws import access, backups, generations, keys, machine, monitoring, network, parameters, storage
from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

__all__ = ["check"]


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the `aws` section; read-only and offline."""
    for module in (machine, storage, backups, network, access, keys, generations, parameters, monitoring):
        yield from module.check(settings)
