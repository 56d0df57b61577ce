"""What drills ask of a cloud, the same for all three; a rehearsal's control plane answers in the clouds' own words."""

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from app.errors import CloudRefusedError

MARK: Final = "-drill-"
"""In the name of every server that a drill makes, and so of every server that a drill may delete."""


@dataclass(frozen=True)
class Server:
    """A server as its cloud describes it.

    Attributes:
        instance: Its name as the exported record has it, and as every call here takes it.
        host: The name in its certificate, else its address.
        port: Its port.
        status: The cloud's word.
        available: Whether that word means that it serves, and takes another operation.
        zone: Where its primary is; None where the cloud does not tell.
        standby: Whether a standby takes over.
        latest_restorable: The latest moment to which it can be restored; None where the cloud does not tell.
        adopt: By what a stack file adopts it.
        failed: Whether that word means that it never will by itself.
        address: Where it is, where no DNS answers for `host`.
        ca: The certificate of its own CA, PEM; empty where clients have it otherwise.
    """

    instance: str
    host: str
    port: int
    status: str
    available: bool
    zone: str | None
    standby: bool
    latest_restorable: dt.datetime | None
    adopt: str
    failed: bool = False
    address: str | None = None
    ca: str = ""


@dataclass(frozen=True)
class Backup:
    """A backup as its cloud lists it.

    Attributes:
        name: Its name or number.
        ended: When it was complete; None where it is not yet.
        status: The cloud's word.
    """

    name: str
    ended: dt.datetime | None
    status: str


class Control(Protocol):
    """One cloud's control plane.

    Every call raises `CloudRefusedError` where the cloud refuses, fails or does not answer.
    """

    poll: float
    """How long to wait between two looks, in seconds."""

    def find(self, instance: str) -> Server | None:
        """The server; None where there is none. Read-only."""

    def backups(self, instance: str) -> list[Backup]:
        """Its backups, the newest first. Read-only."""

    def failover(self, instance: str) -> None:
        """Let the standby take over, and wait until it has by the cloud's own words; a restart alone is a failure."""

    def restore(self, source: str, time: dt.datetime) -> Server:
        """Make another server from a moment of the source, beside it; it is not available yet.

        Its name is the source's with `MARK` and four random digits. A clone of Cloud SQL has the source's standby.
        Where it fails or is stopped, what it has begun is discarded.
        """

    def discard(self, instance: str) -> None:
        """Delete a server that `restore` made, for good; it may still be there for a while."""

    def close(self) -> None:
        """Let go of the connections."""


def newest_first(backups: Iterable[Backup]) -> list[Backup]:
    """Backups as `Control.backups` lists them: one that is not complete yet is the newest; read-only."""
    return sorted(backups, key=lambda each: (each.ended is None, each.ended), reverse=True)


def server(control: Control, instance: str) -> Server:
    """A server that has to be there; read-only.

    Args:
        control: Its cloud.
        instance: Its name as in the record.

    Raises:
        CloudRefusedError: There is none of that name.
    """
    found = control.find(instance)
    if found is None:
        message = f"expected a server {instance}, but its cloud knows none. Check the login and its account or project"
        raise CloudRefusedError(message)
    return found


def beside(name: str, longest: int) -> str:
    """A new name for a restored server.

    Args:
        name: The source's.
        longest: How many letters the cloud takes.

    Example:
        >>> beside("sessions-prod-1a2b", 20)[:-4]
        'sessions--drill-'
    """
    tail = f"{MARK}{secrets.token_hex(2)}"
    return f"{name[: longest - len(tail)]}{tail}"


def require_made_here(name: str) -> None:
    """Refuse to delete what no drill has made.

    Args:
        name: The server's name.

    Raises:
        CloudRefusedError: It has another name than drills give.
    """
    if MARK not in name:
        message = f"expected to delete a server of a drill, with {MARK} in its name, not {name}"
        raise CloudRefusedError(message)
