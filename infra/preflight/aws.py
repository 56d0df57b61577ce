"""What aws would not take."""

from collections.abc import Iterator

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal


def check(settings: AwsSettings) -> Iterator[Refusal]:  # noqa: ARG001  # Filled together with its backend.
    """What is wrong with the `aws` section; read-only and offline."""
    yield from ()
