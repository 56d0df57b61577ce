"""What gcp would not take."""

from collections.abc import Iterator

from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal


def check(settings: GcpSettings) -> Iterator[Refusal]:  # noqa: ARG001  # Filled together with its backend.
    """What is wrong with the `gcp` section; read-only and offline."""
    yield from ()
