"""Every server, deleted ones that can still be restored, and every backup, as the ledger has them."""

from dataclasses import asdict, dataclass
from typing import Final

from rehearsal.controlplane.ledger import Ledger
from rehearsal.controlplane.record import ServerRecord

_SERVERS: Final = "servers"
_RETAINED: Final = "retained"
_BACKUPS: Final = "backups"


@dataclass(frozen=True)
class Backup:
    """A backup that somebody asked for, or the last one of a deleted server.

    Attributes:
        cloud: The cloud.
        label: Its name; the cloud has it once.
        server: The server's name.
        resource_id: The server's, which tells it from a later one of the same name.
        kind: "manual", "automatic" or "final".
        started: When, UTC, ISO 8601.
        ended: When it was complete; None while it is being made.
        number: In which order backups were made.
        storage_gib: The server's disk.
    """

    cloud: str
    label: str
    server: str
    resource_id: str
    kind: str
    started: str
    ended: str | None
    number: int
    storage_gib: float


class Register:
    """What there is.

    Args:
        ledger: Where it is kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        """As the ledger has it."""
        self._ledger = ledger

    def keep(self, record: ServerRecord) -> None:
        """Remember a server as it is now."""
        self._ledger.put(_SERVERS, record.key, record.document())

    def find(self, cloud: str, name: str) -> ServerRecord | None:
        """A server by its name or its resource id; None where there is none."""
        found = self._ledger.get(_SERVERS, f"{cloud}/{name}")
        if found is not None:
            return ServerRecord.of(found)
        return next((each for each in self.servers(cloud) if each.resource_id == name), None)

    def servers(self, cloud: str | None = None) -> list[ServerRecord]:
        """Every server, or those of a cloud, by name."""
        records = [ServerRecord.of(document) for document in self._ledger.all(_SERVERS).values()]
        return [each for each in records if cloud in (None, each.cloud)]

    def forget(self, record: ServerRecord) -> None:
        """A server was never made, or is gone."""
        self._ledger.remove(_SERVERS, record.key)

    def retire(self, record: ServerRecord) -> None:
        """A server is gone, but can still be restored."""
        with self._ledger.transaction():
            self.forget(record)
            self._ledger.put(_RETAINED, f"{record.cloud}/{record.number}", record.document())

    def retained(self, cloud: str | None = None) -> list[ServerRecord]:
        """The servers that are gone but can still be restored; the last one to be made first."""
        records = [ServerRecord.of(document) for document in self._ledger.all(_RETAINED).values()]
        chosen = [each for each in records if cloud in (None, each.cloud)]
        return sorted(chosen, key=lambda each: -each.number)

    def source(self, cloud: str, name: str) -> ServerRecord | None:
        """What can be restored under a name or a resource id: a server, else a retained one."""
        gone = (each for each in self.retained(cloud) if name in (each.name, each.resource_id))
        return self.find(cloud, name) or next(gone, None)

    def add_backup(self, backup: Backup) -> None:
        """Remember a backup."""
        self._ledger.put(_BACKUPS, f"{backup.cloud}/{backup.label}", asdict(backup))

    def forget_backup(self, backup: Backup) -> None:
        """A backup was never made, or is gone."""
        self._ledger.remove(_BACKUPS, f"{backup.cloud}/{backup.label}")

    def backup(self, cloud: str, label: str) -> Backup | None:
        """A backup by its name; None where there is none."""
        found = self._ledger.get(_BACKUPS, f"{cloud}/{label}")
        return None if found is None else Backup(**found)

    def backups(self, cloud: str | None = None, server: str | None = None) -> list[Backup]:
        """Every backup, or those of a cloud, or of one server's name or resource id; the first one first."""
        found = [Backup(**document) for document in self._ledger.all(_BACKUPS).values()]
        chosen = [
            each for each in found if cloud in (None, each.cloud) and server in (None, each.server, each.resource_id)
        ]
        return sorted(chosen, key=lambda each: each.number)

    def number(self) -> int:
        """The next number of a server or a backup."""
        return self._ledger.count("numbers")
