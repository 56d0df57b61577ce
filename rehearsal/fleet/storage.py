"""A server's disk: it grows by steps as far as it may, and a full one makes the server read-only."""

import math
from dataclasses import dataclass
from typing import Final

_GIB: Final = 2**30
_FULL: Final = 0.9
"""The part of a disk above which clouds act.

Source: Amazon RDS User Guide, "Managing capacity automatically with storage autoscaling": less than 10 % free.
"""


@dataclass(frozen=True)
class Storage:
    """A disk.

    Attributes:
        gib: Its size, GiB.
        limit_gib: How far it may grow, GiB; 0 for not at all.
        used_bytes: What is on it.
    """

    gib: float
    limit_gib: float
    used_bytes: int

    @property
    def full(self) -> bool:
        """Whether less than a tenth is free."""
        return self.used_bytes > _FULL * self.gib * _GIB

    def grown(self) -> "Storage":
        """The same data on a disk that is large enough, or as large as it may be.

        >>> Storage(10, 100, 10 * 2**30).grown().gib, Storage(10, 11, 12 * 2**30).grown()
        (12.0, Storage(gib=11, limit_gib=11, used_bytes=12884901888))
        """
        if not self.full or self.limit_gib <= self.gib:
            return self
        wanted = self.used_bytes / _FULL / _GIB
        step = max(1.0, self.gib / 10) if self.gib >= 1 else self.gib / 10
        steps = math.ceil((wanted - self.gib) / step)
        return Storage(min(self.gib + steps * step, self.limit_gib), self.limit_gib, self.used_bytes)
