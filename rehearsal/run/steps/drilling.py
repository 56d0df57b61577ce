"""The drills, while the API server goes on."""

from typing import TypeVar

from rehearsal.errors import StepError
from rehearsal.run.life import Life

Part = TypeVar("Part")


def failover(life: Life) -> str:
    """The primary crashes under load; the API server that was running answers as before."""
    found = _part(life.drill("failover").failover)
    life.conversation.say(life.http, "after the failover")
    kept = life.served("a failover")
    waits = f"writers waited {found.gap_seconds.p50:.2f} s (p50) to {found.gap_seconds.p100:.2f} s (p100)"
    return f"{waits}; the API server answers, turns found: {kept.told}"


def restore(life: Life) -> str:
    """A moment is restored beside the server, compared and discarded."""
    found = _part(life.drill("restore").restore)
    return f"{found.found} of {found.expected} events found, {found.unexpected} too many; RTO {found.rto_seconds:.1f} s"


def rotate(life: Life) -> str:
    """The passwords change under load; the API server, still in the role before, answers as before."""
    life.file.set(rotation=int(life.file.section.get("rotation", 0)) + 1)
    found = _part(life.drill("rotate").rotate)
    life.conversation.say(life.http, "after the rotation")
    life.served("a rotation")
    life.look("g2")
    return f"from {found.role.before} to {found.role.after}"


def _part(found: Part | None) -> Part:
    """The part of a report that a drill is named after."""
    if found is None:
        message = "expected the report of a drill to have the part that it is named after"
        raise StepError(message)
    return found
