"""What is asked of the servers: a new one, or a change of one."""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rehearsal.controlplane.record import ServerRecord, public
from rehearsal.errors import CloudRefusalError

KINDS: Final = ("primary", "replica", "restore")


@dataclass(frozen=True)
class ServerRequest:
    """A new server.

    Attributes:
        cloud: "aws", "gcp" or "azure".
        name: As the cloud shall call it.
        kind: One of `KINDS`.
        region: Where; empty takes the source's, or the first that the cloud has.
        version: The major of PostgreSQL; empty takes the source's.
        owner: The administrator's role; empty takes the source's.
        password: The administrator's; empty leaves it without, or the source's.
        database: The first database.
        standby: Whether a standby follows in another zone.
        parameters: PostgreSQL's settings by name.
        storage_gib: The disk.
        autogrow_gib: How far the disk may grow by itself; 0 not at all.
        source: The server that a replica follows, or that is restored; by name or by resource id.
        time: The moment to restore to, ISO 8601; None the latest there is.
        zone: Where the primary runs; empty leaves it to the cloud.
        standby_zone: The same of the standby.
        hosts: Its host names where the program chose them; none leaves them to the cloud.
        addresses: Its IP addresses likewise.
        attributes: Pulumi's inputs, for describing.
        needs: Things that it stands on, as `things.put` takes them.
    """

    cloud: str
    name: str
    kind: str = "primary"
    region: str = ""
    version: str = ""
    owner: str = ""
    password: str = field(default="", repr=False)
    database: str | None = None
    standby: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    storage_gib: float = 0
    autogrow_gib: float = 0
    source: str | None = None
    time: str | None = None
    zone: str = ""
    standby_zone: str = ""
    hosts: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)
    needs: list[Any] = field(default_factory=list)

    @property
    def moment(self) -> dt.datetime | None:
        """The moment to restore to; without a time zone it is UTC.

        Raises:
            CloudRefusalError: It is none.
        """
        if not self.time:
            return None
        try:
            moment = dt.datetime.fromisoformat(self.time)
        except ValueError as error:
            message = f"expected a moment, for example 2026-09-01T03:00:00Z, got {self.time!r}"
            raise CloudRefusalError(code="InvalidParameterValue", message=message) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    def after(self, source: ServerRecord) -> "ServerRequest":
        """The same request with what it leaves to the server that the new one is made of."""
        return replace(
            self,
            region=self.region or source.region,
            version=self.version or source.asked_version,
            owner=self.owner or source.owner,
            database=self.database or source.database,
            parameters=self.parameters or source.parameters,
            storage_gib=self.storage_gib or source.storage_gib,
            autogrow_gib=self.autogrow_gib or source.autogrow_gib,
            attributes={**source.attributes, **public(self.attributes)},
            needs=self.needs or source.needs,
        )


@dataclass(frozen=True)
class ServerChange:
    """What changes of a server; None leaves it as it is.

    Attributes:
        standby: Whether a standby follows in another zone.
        parameters: PostgreSQL's settings; all of them, those left out go back to their defaults.
        password: The administrator's.
        storage_gib: The disk; it never shrinks.
        autogrow_gib: How far it may grow by itself.
        promote: Whether a replica becomes a server of its own.
        restart: Whether to restart afterwards, so that all settings are in force.
        attributes: Pulumi's inputs of it, all of them.
        needs: Things that it stands on, all of them.
    """

    standby: bool | None = None
    parameters: dict[str, str] | None = None
    password: str | None = field(default=None, repr=False)
    storage_gib: float | None = None
    autogrow_gib: float | None = None
    promote: bool = False
    restart: bool = False
    attributes: dict[str, Any] | None = field(default=None, repr=False)
    needs: list[Any] | None = None
