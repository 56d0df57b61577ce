"""Numbers out of a journal: percentiles, pauses and series; pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from app.drills.journal import Acknowledged

BIN_SECONDS: Final = 0.1
"""The width of a step in the series."""


@dataclass(frozen=True)
class Gap:
    """How long writers went without an acknowledgement, in seconds; over the writers, each one's longest wait.

    Attributes:
        p50: The median writer's.
        p100: The worst writer's.
    """

    p50: float
    p100: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is not below `percent` of all; 0 where there is none.

    Args:
        values: In any order.
        percent: 0 to 100.

    Example:
        >>> percentile([3.0, 1.0, 2.0], 50)
        2.0
        >>> percentile([3.0, 1.0, 2.0], 100)
        3.0
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def series(moments: Iterable[float], seconds: float) -> tuple[int, ...]:
    """How many moments fall into each step of `BIN_SECONDS`, from 0 to the end.

    Args:
        moments: In seconds.
        seconds: The end; later moments count to the last step.

    Example:
        >>> series([0.01, 0.02, 0.25], 0.3)
        (2, 0, 1)
    """
    bins = [0] * max(1, math.ceil(round(seconds / BIN_SECONDS, 6)))
    for moment in moments:
        bins[min(len(bins) - 1, int(moment / BIN_SECONDS))] += 1
    return tuple(bins)


def longest(moments: Iterable[float], start: float, end: float) -> float:
    """The longest time between two of the moments which touches the span; its edges count as moments of the load.

    Args:
        moments: When something was acknowledged, in seconds, in order.
        start: The span's beginning.
        end: The span's end.

    Example:
        >>> longest([1.0, 2.0, 6.0, 7.0], 2.5, 3.0)
        4.0
    """
    known = sorted(moments)
    before = max((moment for moment in known if moment <= start), default=start)
    after = min((moment for moment in known if moment >= end), default=end)
    inside = [moment for moment in known if before <= moment <= after]
    return max(later - earlier for earlier, later in pairwise(sorted([before, *inside, after])))


def gap(acknowledged: Sequence[Acknowledged], writers: int, start: float, end: float) -> Gap:
    """The longest pauses of the writers around a span.

    Args:
        acknowledged: What the writers were told.
        writers: How many there are.
        start: The span's beginning, in seconds since the load began.
        end: Its end.
    """
    waits = []
    for writer in range(writers):
        moments = [each.answered for each in acknowledged if each.key.writer == writer]
        waits.append(longest(moments, start, end))
    return Gap(percentile(waits, 50), percentile(waits, 100))
