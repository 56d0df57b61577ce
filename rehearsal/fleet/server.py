"""A managed PostgreSQL server: what a cloud does with one, done to real processes on this machine."""

import datetime as dt
import logging
from pathlib import Path
from typing import Final, Self

from rehearsal.binaries import encrypting
from rehearsal.errors import RestorableError
from rehearsal.fleet import files, heartbeat
from rehearsal.fleet.archive import FIRST, Archive, Backup, now
from rehearsal.fleet.body import Body
from rehearsal.fleet.processes import Processes
from rehearsal.fleet.spec import Spec
from rehearsal.fleet.state import Source
from rehearsal.tls import Authority

_LOG: Final = logging.getLogger(__name__)


class ManagedServer(Processes):
    """One server of a cloud: a primary, its standby, its archive; or a read replica.

    Every method that changes something may be called from any thread; they wait for one another.
    The processes end with the one that started them, however it ends; `open` and `start` bring them back.
    As a context manager, it runs inside and is stopped at the end.
    """

    @classmethod
    def create(cls, folder: Path, spec: Spec, authority: Authority) -> Self:
        """Make a new server; it runs then.

        Args:
            folder: Where it is to live: not there yet, below a folder that every account can enter.
            spec: What it is to be.
            authority: Issues its certificate.

        Raises:
            BinariesError: The machine has no PostgreSQL with TLS.
            FolderError: The folder cannot hold a server.
            ServerError: PostgreSQL did not start; nothing is left.
            SettingsError: PostgreSQL does not accept a parameter; nothing is left.
            StatementError: A name is the cloud's own; nothing is left.
        """
        started = now()
        with Body.new(folder, spec, encrypting(spec.version, _LOG.info)) as body:
            body.unpack(body.template.data, authority)
            body.settle_in(body.template.data)
            body.hand_out(spec.owner_password)
            body.archive.add(FIRST, started)
        return cls(body)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """A server that another process has made; it does not run yet.

        Args:
            folder: The server's.

        Raises:
            FolderError: No server is there.
        """
        return cls(Body.open(folder))

    def delete(self, *, keep_archive: bool) -> None:
        """Stop the server and remove it.

        Args:
            keep_archive: Whether all that it committed stays restorable, by `ManagedServer.restored`.
        """
        with self._lock:
            if keep_archive and self.running and self._body.state.source is None:
                self.latest_restorable()
            self._body.pair.stop("fast" if keep_archive else "immediate")
            self._body.close()
            if not keep_archive:
                files.remove(self.folder)
                return
            for name in ("a", "b"):
                files.remove(self.folder / name)
            (self.folder / "server.json").unlink(missing_ok=True)
            self._body.settings.passfile.unlink(missing_ok=True)

    def backup(self, label: str) -> Backup:
        """Make a base backup.

        Args:
            label: Its name; not taken yet.

        Raises:
            RestorableError: The label is taken.
            ServerError: PostgreSQL could not.
        """
        with self._lock:
            return self._body.archive.back_up(self.primary, self._body.replication, self._body.pair.account, label)

    def backups(self) -> list[Backup]:
        """All base backups, the oldest first."""
        return list(self._body.archive.whole)

    def earliest_restorable(self) -> dt.datetime | None:
        """The first moment that `restore` can go back to, UTC; None for a replica."""
        return self._body.archive.earliest

    def latest_restorable(self) -> dt.datetime | None:
        """The last moment that `restore` can go back to, UTC: the archive holds every commit up to it.

        A running server is asked to archive all that there is, so it is a moment ago; one that does not run is not.
        """
        with self._lock:
            if self.running and self._body.state.source is None:
                self._body.archive.reached(heartbeat.archived(self.primary, self._body.archive))
            return self._body.archive.latest

    def restore(self, folder: Path, spec: Spec, authority: Authority, time: dt.datetime | None = None) -> Self:
        """Make a new server with what this one had at a moment; this one goes on.

        Args:
            folder: Where the new one is to live, as in `create`.
            spec: What it is to be; owner, passwords and databases are those of the moment, and `owner_password`, where
                given, is set.
            authority: Issues its certificate.
            time: The moment, with its time zone: commits at it or before are in, later ones are not. None for the last.

        Returns:
            The new server, which runs.

        Raises:
            RestorableError: The moment cannot be restored.
            ServerError: PostgreSQL could not.
        """
        with self._lock:
            if not self._body.archive.reaches(time):
                self.latest_restorable()
        return self.restored(self._body.archive, folder, spec, authority, time)

    @classmethod
    def restored(
        cls, archive: Archive, folder: Path, spec: Spec, authority: Authority, time: dt.datetime | None = None
    ) -> Self:
        """Make a new server of an archive, also of one whose server was deleted; see `restore`.

        Args:
            archive: For example `Archive.open(folder of the deleted server)`.
            folder: Where the new one is to live.
            spec: What it is to be.
            authority: Issues its certificate.
            time: The moment; None for the last one that the archive holds.
        """
        if spec.vendor != archive.vendor:
            message = f"expected a server of the archive's own cloud, {archive.vendor}, not {spec.vendor}"
            raise RestorableError(message)
        started, moment = now(), time or archive.latest
        base = archive.base(moment)
        with Body.new(folder, spec, archive.binaries, archive.secrets) as body:
            body.unpack(base, authority)
            body.recover(archive, moment)
            body.settle_in()
            if spec.owner and spec.owner_password:
                body.roles.password(spec.owner, spec.owner_password)
            body.archive.add(FIRST, started)
        return cls(body)

    def replica(self, folder: Path, spec: Spec, authority: Authority) -> Self:
        """Make a read replica, which follows without holding up commits.

        Args:
            folder: Where it is to live, as in `create`.
            spec: What it is to be; `standby` counts once it is promoted.
            authority: Issues its certificate.

        Returns:
            The replica, which runs.

        Raises:
            ServerError: PostgreSQL could not.
        """
        state, archive = self._body.state, self._body.archive
        with self._lock, Body.new(folder, spec, state.binaries, archive.secrets) as body:
            body.state.source = Source(state.port, archive.wal)
            body.pair.follow(body.state.source)
            body.pair.certify(authority.issue(*spec.hosts))
            body.pair.start()
        return type(self)(body)
