"""Cloud SQL's machines: what a tier's name says, and how many connections its memory is good for."""

import re
from dataclasses import dataclass
from typing import Final

MIB_PER_GIB: Final = 1024

SHARED: Final = {"db-f1-micro": 614, "db-g1-small": 1740}
"""Shared-core machines and their memory in MiB; no SLA covers them (Cloud SQL, "Service level agreement")."""

_CUSTOM: Final = re.compile(r"db-custom-(\d{1,3})-(\d{1,7})")

_PREDEFINED: Final = {
    "db-perf-optimized-N": (2, 4, 8, 16, 32, 48, 64, 80, 96, 128),
    "db-c4a-highmem": (1, 4, 8, 16, 32, 48, 64, 72),
}
"""Series of ENTERPRISE_PLUS and their CPUs, 8 GiB each but one (Cloud SQL, "Machine series overview")."""

_GIB_PER_CPU: Final = 8
_BIGGEST_N2: Final = ("db-perf-optimized-N-128", 864)

_MAX_CPUS: Final = 96
_STEP_MIB: Final = 256
_MIN_MIB: Final = 3840

_CONNECTIONS: Final = (
    (120, 1000),
    (60, 800),
    (30, 600),
    (15, 500),
    (7.5, 400),
    (6, 200),
    (3.75, 100),
    (1.5, 50),
    (0, 25),
)
"""GiB of memory and the `max_connections` that Cloud SQL gives from there on (Cloud SQL, "Quotas and limits")."""


@dataclass(frozen=True)
class Machine:
    """What a tier is.

    Attributes:
        tier: Its name.
        edition: The edition that it belongs to.
        cpus: Dedicated CPUs; 0 where they are shared.
        memory_mib: Memory in MiB.
    """

    tier: str
    edition: str
    cpus: int
    memory_mib: int

    @property
    def shared(self) -> bool:
        """Whether its CPU is shared with strangers; read-only."""
        return self.cpus == 0

    @property
    def hyperdisk(self) -> bool:
        """Whether it takes Hyperdisk Balanced alone, as C4A does (Cloud SQL, "Machine series overview"); read-only."""
        return self.tier.startswith("db-c4a-")

    @property
    def max_connections(self) -> int:
        """The connections that Cloud SQL allows for this memory; read-only."""
        return next(count for gib, count in _CONNECTIONS if self.memory_mib >= gib * MIB_PER_GIB)


def machine(tier: str) -> Machine | None:
    """What a tier's name says, or None where it is no name of a PostgreSQL machine; read-only.

    >>> machine("db-custom-2-7680").max_connections, machine("db-perf-optimized-N-8").memory_mib
    (400, 65536)
    """
    if tier in SHARED:
        return Machine(tier, "ENTERPRISE", 0, SHARED[tier])
    if custom := _CUSTOM.fullmatch(tier):
        return Machine(tier, "ENTERPRISE", int(custom[1]), int(custom[2]))
    series, _, cpus = tier.rpartition("-")
    if cpus not in map(str, _PREDEFINED.get(series, ())):
        return None
    gib = _BIGGEST_N2[1] if tier == _BIGGEST_N2[0] else int(cpus) * _GIB_PER_CPU
    return Machine(tier, "ENTERPRISE_PLUS", int(cpus), gib * MIB_PER_GIB)


def custom_tier(cpus: int, memory_mib: int) -> str:
    """The smallest custom machine that Cloud SQL takes and that has at least these CPUs and MiB, or its biggest.

    CPUs are 1 or an even number up to 96; memory is 0.9 to 6.5 GiB for each, in steps of 256 MiB, and at least
    3.75 GiB (Cloud SQL, "About instance settings").

    >>> custom_tier(3, 1000), custom_tier(1, 7680), custom_tier(2, 7680)
    ('db-custom-4-3840', 'db-custom-2-7680', 'db-custom-2-7680')
    """
    for count in (1, *range(2, _MAX_CPUS + 1, 2)):
        least = _stepped(max(memory_mib, _MIN_MIB, count * 922))
        if count >= cpus and least <= count * 6656:
            return f"db-custom-{count}-{least}"
    return f"db-custom-{_MAX_CPUS}-{_MAX_CPUS * 6656}"


def tier_for(edition: str, connections: int) -> str | None:
    """The smallest tier of an edition that allows so many connections, or None where none does; read-only.

    >>> tier_for("ENTERPRISE", 120), tier_for("ENTERPRISE_PLUS", 700), tier_for("ENTERPRISE", 2000)
    ('db-custom-2-7680', 'db-perf-optimized-N-8', None)
    """
    if edition == "ENTERPRISE_PLUS":
        tiers = [f"db-perf-optimized-N-{cpus}" for cpus in _PREDEFINED["db-perf-optimized-N"]]
    else:
        tiers = [f"db-custom-{cpus}-{cpus * 3840}" for cpus in (1, 2, 4, 8, 16, 32)]
    found = (each for tier in tiers if (each := machine(tier)) and each.max_connections >= connections)
    return next((each.tier for each in found), None)


def _stepped(mib: int) -> int:
    return -(-mib // _STEP_MIB) * _STEP_MIB
