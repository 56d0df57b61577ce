"""What Amazon RDS would not take, one module for each noun: machine, storage, backups, network, access, monitoring."""

from collections.abc import Iterator

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

__all__ = ["check"]


def check(settings: AwsSettings) -> Iterator[Refusal]:  # noqa: ARG001  # Filled together with its backend.
    """What is wrong with the `aws` section; read-only and offline."""
    yield from ()
