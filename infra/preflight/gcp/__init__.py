"""What Cloud SQL would not take: `machines` knows its machines."""

from collections.abc import Iterator

from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

__all__ = ["check"]


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with the `gcp` section; read-only and offline."""
    if not settings.project:
        yield Refusal("gcp.project", "the id of the Google Cloud project", "{project: example-project}")
