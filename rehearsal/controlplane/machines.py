"""The PostgreSQL servers that stand behind a cloud's: one folder each, opened again after a restart."""

import contextlib
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.request import ServerRequest
from rehearsal.errors import FolderError, RehearsalError
from rehearsal.fleet import Archive, ManagedServer, Spec
from rehearsal.tls import Authority

_USUAL_MAJOR: Final = 17
_AT_ONCE: Final = 4
"""How many servers start or stop side by side."""


class Machines:
    """The servers by the numbers of their records.

    Args:
        folder: The rehearsal's.
        authority: Issues the servers' certificates.
    """

    def __init__(self, folder: Path, authority: Authority) -> None:
        """None is open yet."""
        self._folder = folder
        self._authority = authority
        self._servers: dict[int, ManagedServer] = {}
        self._lock = threading.Lock()

    def create(self, record: ServerRecord, request: ServerRequest) -> ManagedServer:
        """A new server, which runs."""
        return self._add(record, ManagedServer.create(self._place(record), _spec(record, request), self._authority))

    def restore(self, record: ServerRecord, request: ServerRequest, source: ServerRecord) -> ManagedServer:
        """A server as another one was at a moment, which runs; the other may run, or be deleted but for its archive."""
        place, spec, moment = self._place(record), _spec(record, request), request.moment
        if self.is_whole(source):
            return self._add(record, self.get(source).restore(place, spec, self._authority, moment))
        archive = Archive.open(self._place(source))
        return self._add(record, ManagedServer.restored(archive, place, spec, self._authority, moment))

    def replica(self, record: ServerRecord, request: ServerRequest, source: ServerRecord) -> ManagedServer:
        """A read-only server that follows another one; it runs."""
        place, spec = self._place(record), _spec(record, request)
        return self._add(record, self.get(source).replica(place, spec, self._authority))

    def get(self, record: ServerRecord) -> ManagedServer:
        """The server of a record; opened where nobody has asked for it since the control plane began."""
        with self._lock:
            if record.number not in self._servers:
                self._servers[record.number] = ManagedServer.open(self._place(record))
            return self._servers[record.number]

    def drop(self, record: ServerRecord, *, keep_archive: bool) -> None:
        """Delete a server; its archive may stay, so that it can still be restored."""
        self.get(record).delete(keep_archive=keep_archive)
        with self._lock:
            del self._servers[record.number]

    def clear(self, record: ServerRecord) -> None:
        """Remove the folder of a server that was not made to the end; nothing of it runs."""
        shutil.rmtree(self._place(record), ignore_errors=True)

    def start(self, records: list[ServerRecord]) -> None:
        """Start the servers of records side by side, replicas after what they follow."""
        for kinds in (("primary", "restore"), ("replica",)):
            chosen = [record for record in records if record.kind in kinds]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda record: self.get(record).start(), chosen))

    def stop(self) -> None:
        """Stop every server in order; its data stays."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(_stop, list(self._servers.values())))

    def is_whole(self, record: ServerRecord) -> bool:
        """Whether there is a server that can run, and not an archive alone."""
        with contextlib.suppress(FolderError):
            self.get(record)
            return True
        return False

    def _place(self, record: ServerRecord) -> Path:
        return self._folder / f"s{record.number}"  # Short, since sockets lie below it.

    def _add(self, record: ServerRecord, server: ManagedServer) -> ManagedServer:
        with self._lock:
            self._servers[record.number] = server
        return server


def _spec(record: ServerRecord, request: ServerRequest) -> Spec:
    return Spec(
        name=record.name,
        vendor=record.cloud,  # type: ignore[arg-type]  # The rules have judged it.
        version=_major(record.asked_version),
        hosts=(*record.hosts, *record.addresses),
        owner=record.owner,
        owner_password=request.password,
        database=record.database,
        standby=record.standby,
        parameters=record.parameters,
        storage_gib=record.storage_gib,
        autogrow_gib=record.autogrow_gib,
    )


def _major(version: str) -> int:
    """The major of a version as clouds write it.

    >>> _major("POSTGRES_17"), _major("16.4"), _major("")
    (17, 16, 17)
    """
    found = re.search(r"\d+", version)
    return int(found[0]) if found else _USUAL_MAJOR


def _stop(server: ManagedServer) -> None:
    with contextlib.suppress(RehearsalError):  # It crashed; there is nothing left to stop.
        server.stop("fast")
