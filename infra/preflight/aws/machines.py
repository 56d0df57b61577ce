"""The instance classes of RDS for PostgreSQL 15 and later: data, with what can be computed of it."""

from typing import Final, NamedTuple

_UP_TO_24: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
_UP_TO_16: Final = _UP_TO_24[:-1]
_UP_TO_32: Final = (*_UP_TO_24, "32xlarge")
_UP_TO_48: Final = (*_UP_TO_24, "48xlarge")
_BURSTABLE: Final = ("micro", "small", "medium", "large", "xlarge", "2xlarge")

_LARGES: Final = {"micro": 0.125, "small": 0.25, "medium": 0.5, "large": 1.0, "xlarge": 2.0}
"""Sizes as multiples of `large`; `Nxlarge` is 2 N."""


class Family(NamedTuple):
    """A family of instance classes.

    Attributes:
        large_gib: The memory of its size `large`, in GiB.
        sizes: The sizes that it has.
    """

    large_gib: int
    sizes: tuple[str, ...]


FAMILIES: Final = {
    "t3": Family(8, _BURSTABLE),
    "t4g": Family(8, _BURSTABLE),
    "m5": Family(8, _UP_TO_24),
    "m5d": Family(8, _UP_TO_24),
    "m6g": Family(8, _UP_TO_16),
    "m6gd": Family(8, _UP_TO_16),
    "m6i": Family(8, _UP_TO_32),
    "m6id": Family(8, _UP_TO_32),
    "m7g": Family(8, _UP_TO_16),
    "m7i": Family(8, _UP_TO_48),
    "m8g": Family(8, _UP_TO_48),
    "m8gd": Family(8, _UP_TO_48),
    "r5": Family(16, _UP_TO_24),
    "r5b": Family(16, _UP_TO_24),
    "r5d": Family(16, _UP_TO_24),
    "r6g": Family(16, _UP_TO_16),
    "r6gd": Family(16, _UP_TO_16),
    "r6i": Family(16, _UP_TO_32),
    "r6id": Family(16, _UP_TO_32),
    "r7g": Family(16, _UP_TO_16),
    "r7i": Family(16, _UP_TO_48),
    "r8g": Family(16, _UP_TO_48),
    "r8gd": Family(16, _UP_TO_48),
    "x2g": Family(32, _UP_TO_16),
    "x2iedn": Family(64, ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "24xlarge", "32xlarge")),
    "x2idn": Family(32, ("16xlarge", "24xlarge", "32xlarge")),
}
"""Amazon RDS User Guide, "Hardware specifications for DB instance classes"; x2idn has 32 GiB for each two vCPUs."""

RETIRED: Final = frozenset({"t2", "m3", "m4", "r3", "r4"})
"""Families that no PostgreSQL from 15 on runs on (the same guide, "Supported DB engines for DB instance classes")."""

CLUSTERS_ONLY: Final = frozenset({"c6gd"})
"""Families for Multi-AZ clusters with two readable standbys, which this program does not build."""

_PER_CONNECTION: Final = 9_531_392
"""Bytes of memory for one connection: RDS sets max_connections to LEAST(DBInstanceClassMemory/9531392, 5000)."""

_MOST: Final = 5_000

_REAL_SHARE: Final = 0.92
"""DBInstanceClassMemory is what is left after the system's own share: about 8 % less, measured by mitodl."""


def memory_bytes(instance_class: str) -> int:
    """The memory of an instance class that is known; read-only.

    >>> [memory_bytes(each) // 2**30 for each in ("db.t4g.micro", "db.m7g.large", "db.r8g.4xlarge")]
    [1, 8, 128]
    """
    _db, family, size = instance_class.split(".")
    larges = _LARGES.get(size) or 2.0 * int(size.removesuffix("xlarge"))
    return int(FAMILIES[family].large_gib * larges * 2**30)


def max_connections(instance_class: str) -> int:
    """How many connections RDS allows on an instance class, all of them counted; read-only.

    >>> max_connections("db.t4g.micro"), max_connections("db.m7g.large"), max_connections("db.r8g.48xlarge")
    (103, 829, 5000)
    """
    return min(int(memory_bytes(instance_class) * _REAL_SHARE / _PER_CONNECTION), _MOST)


def is_burstable(instance_class: str) -> bool:
    """Whether the machine lives on CPU credits; read-only."""
    return instance_class.split(".")[1].startswith("t")
