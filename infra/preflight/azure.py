"""What azure would not take."""

from collections.abc import Iterator

from infra.settings.azure import AzureSettings
from infra.settings.refusals import Refusal


def check(settings: AzureSettings) -> Iterator[Refusal]:  # noqa: ARG001  # Filled together with its backend.
    """What is wrong with the `azure` section; read-only and offline."""
    yield from ()
