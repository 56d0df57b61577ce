"""Faults on demand, as a provider runs into them: it waits out some, and is cut off by others."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

from rehearsal.errors import CloudRefusalError
from rehearsal.plugin.plane import Plane

_Done = TypeVar("_Done")

_KILLED: Final = 137
"""What a shell says of a process that was killed with SIGKILL."""

_PAUSE_SECONDS: Final = 0.02
"""Providers wait longer, and longer each time; a rehearsal has no quota to recover."""


@dataclass(frozen=True)
class Manners:
    """What a provider does about faults, and what it says of them.

    Attributes:
        attempts: How often its SDK asks before it gives up on a cloud that is throttling.
        throttled: The words then.
        failed: The words where an operation began and failed.
        timed_out: The words where the provider gave up waiting.
    """

    attempts: int
    throttled: str
    failed: str
    timed_out: str


def through(
    plane: Plane, manners: Manners, kind: tuple[str, str], work: Callable[[bool], _Done]
) -> tuple[_Done, str | None]:
    """Do something, through the fault that awaits it.

    Args:
        plane: The cloud.
        manners: The provider's.
        kind: Type of resource and operation.
        work: Does it; half of it, where it is given True.

    Returns:
        What it gave, and the words of what went wrong afterwards, or None.

    Raises:
        CloudRefusalError: The cloud refuses, or throttles for too long.
    """
    fault = _waited_out(plane, manners, *kind)
    done = work(fault == "fail-half-way")
    if fault == "kill":
        _die()
    return done, {"fail-half-way": manners.failed, "time-out": manners.timed_out}.get(fault or "")


def _waited_out(plane: Plane, manners: Manners, type_: str, operation: str) -> str | None:
    for _ in range(manners.attempts):
        fault: str | None = plane.ask("faults.take", type=type_, operation=operation)["fault"]
        if fault != "throttle":
            return fault
        time.sleep(_PAUSE_SECONDS)
    raise CloudRefusalError(code="Throttled", message=manners.throttled, status=429)


def _die() -> NoReturn:
    """The work is done, and nobody hears of it."""
    os._exit(_KILLED)
