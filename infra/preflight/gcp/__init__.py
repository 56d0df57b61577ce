"""What Cloud SQL would not take, and what would not do what it says.

`sizing` knows machine, edition, standby and disk, with the `machines` themselves; `history` knows backups, PITR and
maintenance; `network`, `places` (regions, keys, adopted servers) and `identities` (roles, members, labels) the rest.
"""

from collections.abc import Iterator

from infra.preflight.gcp import history, identities, network, places, sizing
from infra.settings.gcp import GcpSettings
from infra.settings.refusals import Refusal

__all__ = ["check"]


def check(settings: GcpSettings) -> Iterator[Refusal]:
    """What is wrong with the `gcp` section; read-only and offline."""
    if not settings.project:
        yield Refusal("gcp.project", "the id of the Google Cloud project", "{project: example-project}")
    for part in (sizing, history, network, places, identities):
        yield from part.check(settings)
