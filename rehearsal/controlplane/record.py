"""What a cloud knows of one server."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from rehearsal.controlplane.ledger import Document

CREATING: Final = "creating"
AVAILABLE: Final = "available"
FAILED: Final = "failed"
MODIFYING: Final = "modifying"
FAILING_OVER: Final = "failing-over"
RESTARTING: Final = "restarting"
BACKING_UP: Final = "backing-up"
DELETING: Final = "deleting"

_SECRETS: Final = frozenset(
    {"administratorLoginPassword", "masterPassword", "password", "passwordWo", "rootPassword", "rootPasswordWo"}
)
"""Inputs of Pulumi's that are passwords: the fleet keeps them, nobody else."""


@dataclass
class ServerRecord:
    """A server.

    Attributes:
        cloud: "aws", "gcp" or "azure".
        name: As the cloud calls it; it names one server at a time.
        kind: "primary", "replica" or "restore".
        number: Its number in this rehearsal; its folder is named after it.
        region: Where.
        resource_id: What the cloud never gives to another server.
        hosts: Its host names, the first is the one to use.
        addresses: Its IP addresses as the cloud has them; none where it shows none.
        zone: Where the primary runs.
        standby_zone: Where its standby runs or would run.
        standby: Whether there is one.
        status: One of the constants above.
        asked_version: The major that was asked for.
        version: What runs, for example "15.18".
        port: Where it listens on the loopback address.
        owner: The administrator's role.
        database: The first database; None where there is none.
        storage_gib: The disk.
        autogrow_gib: How far the disk grows by itself; 0 where it does not.
        parameters: PostgreSQL's settings that were asked for.
        pending: Those of them that wait for a restart.
        source: The server that it was made of.
        created_at: When, UTC, ISO 8601.
        restorable: The first and the last moment that it can be restored to, as last known.
        attributes: Pulumi's inputs of it, for describing; without passwords.
        needs: Ids of the things that it stands on.
    """

    cloud: str
    name: str
    kind: str
    number: int
    region: str
    resource_id: str
    hosts: list[str]
    addresses: list[str]
    zone: str
    standby_zone: str
    standby: bool = False
    status: str = CREATING
    asked_version: str = ""
    version: str = ""
    port: int = 0
    owner: str = ""
    database: str | None = None
    storage_gib: float = 20
    autogrow_gib: float = 0
    parameters: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    source: str | None = None
    created_at: str = field(default_factory=lambda: written(dt.datetime.now(dt.UTC)))
    restorable: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    needs: list[Any] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its key in the ledger."""
        return f"{self.cloud}/{self.name}"

    @property
    def host(self) -> str:
        """The host name to use."""
        return self.hosts[0]

    @property
    def latest(self) -> dt.datetime | None:
        """The last moment that it can be restored to."""
        return dt.datetime.fromisoformat(self.restorable[1]) if self.restorable else None

    @property
    def earliest(self) -> dt.datetime | None:
        """The first moment that it can be restored to."""
        return dt.datetime.fromisoformat(self.restorable[0]) if self.restorable else None

    @property
    def created(self) -> dt.datetime:
        """When it was made."""
        return dt.datetime.fromisoformat(self.created_at)

    def swap_zones(self) -> None:
        """The standby has become the primary."""
        self.zone, self.standby_zone = self.standby_zone, self.zone

    def document(self) -> Document:
        """For the ledger."""
        return asdict(self)

    def answer(self) -> Document:
        """For plugins: all of it, and the usual questions answered."""
        earliest, latest = self.restorable or (None, None)
        return {
            **self.document(),
            "host": self.host,
            "hostaddr": "127.0.0.1",
            "pending_restart": self.pending,
            "earliest_restorable": earliest,
            "latest_restorable": latest,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ServerRecord":
        """From the ledger."""
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in document.items() if key in known})


def public(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes without the passwords among them."""
    return {key: value for key, value in attributes.items() if key not in _SECRETS}


def written(moment: dt.datetime) -> str:
    """A moment as the ledger has it: UTC, ISO 8601, to the microsecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
