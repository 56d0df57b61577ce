"""The sizes of machines that Azure offers for flexible servers.

Sizes: Microsoft, "Compute options in Azure Database for PostgreSQL". Connections: Microsoft, "Limits in Azure Database
for PostgreSQL", whose table ends at generation 5; generation 6 is taken to have what its memory gives the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Tier = Literal["Burstable", "GeneralPurpose", "MemoryOptimized"]

RESERVED_CONNECTIONS: Final = 15
"""Of all connections, those that Azure keeps for replication and its own monitoring."""


@dataclass(frozen=True)
class Machine:
    """One size.

    Attributes:
        name: For example `Standard_D2ds_v5`.
        tier: The tier that it belongs to; the API wants both.
        vcores: Its processors.
        memory_gib: Its memory.
    """

    name: str
    tier: Tier
    vcores: int
    memory_gib: int

    @property
    def connections(self) -> int:
        """How many connections clients can have, as a server of this size is made; read-only."""
        return _CONNECTIONS.get(self.memory_gib, 5000) - RESERVED_CONNECTIONS

    @property
    def generation(self) -> int:
        """The generation of the series, 3 to 6, or 0 for burstable ones; read-only."""
        head, _, version = self.name.rpartition("_v")
        return int(version) if head else 0


_CONNECTIONS: Final[Mapping[int, int]] = {2: 50, 4: 429, 8: 859, 16: 1718, 32: 3437}
"""Memory in GiB to `max_connections`; 5000 above."""

_BURSTABLE: Final = {
    "B1ms": (1, 2),
    "B2s": (2, 4),
    "B2ms": (2, 8),
    "B4ms": (4, 16),
    "B8ms": (8, 32),
    "B12ms": (12, 48),
    "B16ms": (16, 64),
    "B20ms": (20, 80),
}

_SERIES: Final = ("s_v3", "ds_v4", "ds_v5", "ads_v5", "ds_v6", "ads_v6")
_SIZES: Final = (2, 4, 8, 16, 32, 48, 64)
_LARGER: Final[Mapping[str, tuple[int, ...]]] = {
    "ds_v5": (96,),
    "ads_v5": (96,),
    "ds_v6": (96, 128, 192),
    "ads_v6": (96,),
}


def _machines() -> Iterator[Machine]:
    for short, (vcores, memory) in _BURSTABLE.items():
        yield Machine(f"Standard_{short}", "Burstable", vcores, memory)
    for series in _SERIES:
        for vcores in _SIZES + _LARGER.get(series, ()):
            yield Machine(f"Standard_D{vcores}{series}", "GeneralPurpose", vcores, vcores * 4)
            yield Machine(f"Standard_E{vcores}{series}", "MemoryOptimized", vcores, vcores * 8)
        if series != "s_v3":
            yield Machine(f"Standard_E20{series}", "MemoryOptimized", 20, 160)


MACHINES: Final[Mapping[str, Machine]] = {machine.name: machine for machine in _machines()}
"""All sizes by name."""


def smallest_for(connections: int, tier: Tier) -> Machine:
    """The smallest current size of a tier that has so many connections; read-only."""
    fitting = (m for m in MACHINES.values() if m.tier == tier and m.generation in {0, 5} and "ads" not in m.name)
    return next(
        (m for m in sorted(fitting, key=lambda m: m.vcores) if m.connections >= connections),
        MACHINES["Standard_D16ds_v5"],
    )
