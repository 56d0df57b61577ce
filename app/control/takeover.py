"""Whether the standby of an RDS instance has taken over: by the zone of its primary, and by what RDS tells of it.

RDS tells of no operation; an instance that is available after a reboot with failover may be the old primary again.
Source of the messages: Amazon RDS User Guide, "Amazon RDS event categories and event messages", category failover.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from app.control.interface import Server
from app.errors import CloudRefusedError

BOUND: Final = 900.0
"""Seconds. RDS User Guide, "Multi-AZ DB instance deployments": 60 to 120, and more until its zone is shown."""

_DONE: Final = ("Multi-AZ instance failover completed", "Multi-AZ failover to standby complete")
_GIVEN_UP: Final = ("Abandoning user requested failover", "Recovered from partial failover")

_MINUTES: Final = 60
"""How far back RDS is asked for events; more than a failover takes."""

_Told = tuple[dt.datetime, str]


@dataclass(frozen=True)
class Takeover:
    """A failover that is asked for next.

    Attributes:
        rds: boto3's client.
        before: The instance as it is now.
        known: What RDS has told of it so far; by our clock, which may differ from its own, nothing could be told apart.
    """

    rds: Any
    before: Server
    known: frozenset[_Told]

    @classmethod
    def of(cls, rds: Any, before: Server) -> Self:
        """Ask what is known by now; read-only.

        Args:
            rds: boto3's client.
            before: The instance.
        """
        return cls(rds, before, frozenset(_told(rds, before.instance)))

    def seen(self, now: Server) -> tuple[str, Server | None]:
        """The last word of RDS, and the instance once its standby serves; read-only.

        Args:
            now: The instance as it is.

        Raises:
            CloudRefusedError: RDS has given the failover up, or the instance has failed.
        """
        new = [message for when, message in sorted(_told(self.rds, now.instance)) if (when, message) not in self.known]
        word = f"{now.status}, {new[-1]}" if new else now.status
        over = now.zone != self.before.zone or any(each.startswith(_DONE) for each in new)
        if over and now.available:
            return word, now
        given_up = [each for each in new if each.startswith(_GIVEN_UP)]
        if now.failed or (given_up and not over):
            message = (
                f"expected the standby of {now.instance} to take over, but Amazon RDS tells: "
                f"{given_up[-1] if given_up else word}. Look at its events, and try again later"
            )
            raise CloudRefusedError(message)
        return word, None


def _told(rds: Any, instance: str) -> Iterator[_Told]:
    pages = rds.get_paginator("describe_events").paginate(
        SourceIdentifier=instance, SourceType="db-instance", Duration=_MINUTES
    )
    return ((each["Date"], each["Message"]) for page in pages for each in page["Events"])
