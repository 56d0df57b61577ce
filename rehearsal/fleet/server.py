"""A managed PostgreSQL server: what a cloud does with one, done to real processes on this machine."""

import contextlib
import datetime as dt
import logging
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rehearsal import configuration
from rehearsal.account import Account
from rehearsal.binaries import encrypting, version
from rehearsal.cluster import Cluster
from rehearsal.errors import FolderError, ServerError
from rehearsal.fleet import files, heartbeat
from rehearsal.fleet.archive import FIRST, FOLDER, Archive, Backup, now
from rehearsal.fleet.pair import Pair
from rehearsal.fleet.roles import Roles
from rehearsal.fleet.settings import Settings
from rehearsal.fleet.spec import Spec
from rehearsal.fleet.state import Source, State
from rehearsal.fleet.storage import Storage
from rehearsal.fleet.template import Secrets, Template
from rehearsal.fleet.vendors import VENDORS
from rehearsal.ground import ground
from rehearsal.server import Mode
from rehearsal.superuser import Superuser
from rehearsal.tls import Authority

_LOG: Final = logging.getLogger(__name__)


class ManagedServer:
    """One server of a cloud: a primary, its standby, its archive; or a read replica.

    Every method that changes something may be called from any thread; they wait for one another.
    The servers end with the process that started them, however it ends; `open` and `start` bring them back.
    As a context manager, it runs inside and is stopped at the end.

    Attributes:
        folder: The server's folder; its archive may outlive it there.
        archive: Its log of changes and backups.
    """

    def __init__(self, state: State, archive: Archive, template: Template) -> None:
        """Lay out a server whose state and archive there are; `create` and `open` give one."""
        vendor = VENDORS[state.spec.vendor]
        self.folder, self.archive, self._state = state.folder, archive, state
        self._lock = threading.RLock()
        self._replication = Superuser(vendor.replication, archive.secrets.replication)
        self._settings = Settings(state, archive, template, vendor.replication)
        rest = contextlib.ExitStack()
        sockets = rest.enter_context(ground())
        self._close = weakref.finalize(self, rest.close)
        Account.unprivileged().own(sockets, 0o755)
        superuser = Superuser(vendor.superuser, archive.secrets.superuser)
        self._pair = Pair(state, self._settings, superuser, self._replication, sockets)

    # Birth and death.

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
        binaries = encrypting(spec.version, _LOG.info)
        template = Template.at(folder.parent, binaries, spec.vendor)
        with cls._new(folder, spec, binaries, template.secrets) as server:
            files.copy(template.data, server._pair.data("a"))
            server._settle_in(authority)
            server._hand_out(spec.owner_password)
            server.archive.add(FIRST, started)
        return server

    @classmethod
    def open(cls, folder: Path) -> Self:
        """A server that another process has made; it does not run yet.

        Args:
            folder: The server's.

        Raises:
            FolderError: No server is there.
        """
        try:
            state = State.load(folder)
        except OSError as error:
            message = f"expected the folder of a managed server, not {folder}"
            raise FolderError(message) from error
        server = cls(state, Archive.open(folder), Template.at(folder.parent, state.binaries, state.spec.vendor))
        server._pair.primary.known = True
        return server

    def delete(self, *, keep_archive: bool) -> None:
        """Stop the server and remove it.

        Args:
            keep_archive: Whether all that it committed stays restorable, by `ManagedServer.restored`.
        """
        with self._lock:
            if keep_archive and self.running and self._state.source is None:
                self.latest_restorable()
            self._pair.stop("fast" if keep_archive else "immediate")
            self._close()
            if not keep_archive:
                files.remove(self.folder)
                return
            for name in ("a", "b"):
                files.remove(self.folder / name)
            (self.folder / "server.json").unlink(missing_ok=True)
            self._settings.passfile.unlink(missing_ok=True)

    # What it is.

    @property
    def spec(self) -> Spec:
        """What was asked for, with all changes since; without the password."""
        return self._state.spec

    @property
    def address(self) -> tuple[str, int]:
        """Where clients find it; the same for all its life, through failovers and restarts."""
        return configuration.HOST, self._state.port

    @property
    def version(self) -> str:
        """The version that really runs, for example 15.18."""
        return version(self._state.binaries)

    @property
    def running(self) -> bool:
        """Whether the process that clients talk to lives."""
        return self._pair.primary.running

    @property
    def is_replica(self) -> bool:
        """Whether it follows another server."""
        return self._state.source is not None

    @property
    def has_standby(self) -> bool:
        """Whether every acknowledged commit is on a standby in this moment."""
        return self._state.joined

    @property
    def primary(self) -> Cluster:
        """The process that clients talk to, for its superuser's questions; another one after each failover."""
        return self._pair.primary

    @property
    def ignored(self) -> list[str]:
        """The names of parameters that have no effect here."""
        return self._settings.ignored(self.spec.parameters)

    def describe(self) -> dict[str, Any]:
        """All that is known of it, for JSON; no password is in it, and `open` needs nothing but the folder."""
        latest, earliest = self.archive.latest, self.archive.earliest
        return {
            **self._state.plain(),
            "version": self.version,
            "running": self.running,
            "earliest_restorable": earliest and earliest.isoformat(),
            "latest_restorable": latest and latest.isoformat(),
            "ignored": self.ignored,
        }

    # Its processes.

    def start(self) -> None:
        """Start what belongs to it and wait until it answers; nothing happens where it runs.

        Raises:
            ServerError: PostgreSQL did not start.
        """
        with self._lock:
            if not self.running:
                self._pair.stop("immediate")
                self._pair.start()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it; "immediate" is a crash."""
        with self._lock:
            self._pair.stop(mode)

    def restart(self) -> None:
        """Stop it in order and start it again, with all parameters in force."""
        with self._lock:
            self._pair.stop()
            self._pair.start()

    def failover(self, *, clean: bool = False) -> None:
        """Make the standby the primary, at the address that clients know.

        No standby is left then, until `rejoin`; where one is still missing from last time, it is made first.

        Args:
            clean: Whether the primary is stopped in order; otherwise it crashes.

        Raises:
            StandbyError: The server has none.
            ServerError: PostgreSQL did not start.
        """
        with self._lock:
            if self.spec.standby:
                self.rejoin()
            self._pair.swap(clean=clean)

    def rejoin(self) -> None:
        """Make the standby that a failover has cost, or a replica that lost its source; else nothing happens.

        Raises:
            ServerError: It could not follow.
        """
        with self._lock:
            if self._state.source is not None:
                self._follow_again(self._state.source)
            elif self.spec.standby and not self._state.joined:
                self._pair.join()

    def set_standby(self, wanted: bool) -> None:  # noqa: FBT001  # The whole of its meaning.
        """Make a synchronous standby, or do without one.

        Raises:
            ServerError: It could not follow.
        """
        with self._lock:
            self._change(standby=wanted)
            if not wanted and self._state.joined:
                self._pair.part()
            self.rejoin()

    # Roles, databases, parameters.

    def set_password(self, role: str, password: str) -> None:
        """Give a role another password; see `Roles.password`."""
        with self._lock:
            self._roles.password(role, password)

    def create_user(self, role: str, password: str = "", *, iam: bool = False) -> None:
        """Make a user by the cloud's own interface; see `Roles.user`."""
        with self._lock:
            self._roles.user(role, password, iam=iam)

    def drop_user(self, role: str) -> None:
        """Remove a role; see `Roles.drop`."""
        with self._lock:
            self._roles.drop(role)

    def create_database(self, name: str, owner: str = "") -> None:
        """Make a database; see `Roles.database`."""
        with self._lock:
            self._roles.database(name, owner)

    def drop_database(self, name: str, *, force: bool = False) -> None:
        """Remove a database; see `Roles.drop_database`."""
        with self._lock:
            self._roles.drop_database(name, force=force)

    def set_parameters(self, parameters: Mapping[str, str]) -> list[str]:
        """Set parameters; those that are left out get their defaults back.

        Args:
            parameters: All of them, by name.

        Returns:
            The names of those that `restart` brings into force.

        Raises:
            SettingsError: PostgreSQL does not accept one; nothing has changed.
        """
        with self._lock:
            before = self.spec
            self._change(parameters=dict(parameters))
            try:
                return self._pair.reconfigure() if self.running else []
            except Exception:
                self._change(parameters=before.parameters)
                raise

    # The past.

    def backup(self, label: str) -> Backup:
        """Make a base backup.

        Args:
            label: Its name; not taken yet.

        Raises:
            RestorableError: The label is taken.
            ServerError: PostgreSQL could not.
        """
        with self._lock:
            return self.archive.back_up(self.primary, self._replication, self._pair.account, label)

    def backups(self) -> list[Backup]:
        """All base backups, the oldest first."""
        return list(self.archive.whole)

    def earliest_restorable(self) -> dt.datetime | None:
        """The first moment that `restore` can go back to, UTC; None for a replica."""
        return self.archive.earliest

    def latest_restorable(self) -> dt.datetime | None:
        """The last moment that `restore` can go back to, UTC: the archive holds every commit up to it.

        A running server is asked to archive all that there is, so it is a moment ago; one that does not run is not.
        """
        with self._lock:
            if self.running and self._state.source is None:
                self.archive.reached(heartbeat.archived(self.primary, self.archive))
            return self.archive.latest

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
            if time is None or self.archive.latest is None or time > self.archive.latest:
                self.latest_restorable()
        return self.restored(self.archive, folder, spec, authority, time)

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
        started, moment = now(), time or archive.latest
        base = archive.base(moment)
        with cls._new(folder, spec, archive.binaries, archive.secrets) as server:
            files.copy(base, server._pair.data("a"))
            server._recover(archive, moment)
            server._settle_in(authority)
            if spec.owner and spec.owner_password:
                server._roles.password(spec.owner, spec.owner_password)
            server.archive.add(FIRST, started)
        return server

    # Replicas.

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
        with (
            self._lock,
            type(self)._new(folder, spec, self._state.binaries, self.archive.secrets) as server,
        ):
            source = Source(self._state.port, self.archive.wal)
            server._state.source = source
            server._pair.follow(source)
            server._pair.certify(authority.issue(*spec.hosts))
            server._pair.start()
        return server

    def promote(self) -> None:
        """Make a replica a server of its own, for good.

        Raises:
            ServerError: It is none, or PostgreSQL could not.
        """
        with self._lock:
            source, started = self._state.source, now()
            if source is None:
                message = f"expected a replica to promote, not {self.spec.name}"
                raise ServerError(message)
            self._pair.stop()
            self._state.source = None
            self._state.save()
            self._pair.start(restore_command=Archive.fetching(source.archive))
            self.archive.back_up(self.primary, self._replication, self._pair.account, FIRST)
            self.rejoin()

    # The disk.

    @property
    def size_bytes(self) -> int:
        """What its databases take, bytes."""
        ((size,),) = self.primary.execute("SELECT sum(pg_database_size(oid))::bigint FROM pg_database")
        return int(size)

    @property
    def read_only(self) -> bool:
        """Whether a full disk has made it read-only."""
        return self._state.read_only

    def set_storage(self, gib: float, autogrow_gib: float) -> Storage:
        """Give it another disk, GiB, and `settle`."""
        with self._lock:
            self._change(storage_gib=gib, autogrow_gib=autogrow_gib)
            return self.settle()

    def settle(self) -> Storage:
        """Let the disk grow where it is full; where it may not, the server is read-only until there is room.

        Returns:
            The disk as it is then.
        """
        with self._lock:
            disk = Storage(self.spec.storage_gib, self.spec.autogrow_gib, self.size_bytes).grown()
            if disk.gib != self.spec.storage_gib:
                self._change(storage_gib=disk.gib)
            if disk.full != self._state.read_only:
                self._state.read_only = disk.full
                self._state.save()
                self._pair.reconfigure()
            return disk

    def __enter__(self) -> Self:
        """Start it where it does not run."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; its data stays."""
        self.stop()

    # Steps of the above.

    @classmethod
    @contextlib.contextmanager
    def _new(cls, folder: Path, spec: Spec, binaries: Path, secrets: Secrets) -> Iterator[Self]:
        """The folder of a server whose data is put into it inside; nothing is left where that fails."""
        account = Account.unprivileged()
        template = Template.at(folder.parent, binaries, spec.vendor)
        _claim(folder, account)
        server = None
        try:
            archive = Archive.create(folder / FOLDER, spec.vendor, binaries, secrets, account)
            ports = configuration.free_port(), configuration.free_port()
            state = State(folder, replace(spec, owner_password=""), binaries, *ports)
            server = cls(state, archive, template)
            account.write(server._settings.passfile, f"*:*:*:{server._replication.name}:{secrets.replication}\n")
            server._pair.prepare()
            yield server
        except BaseException:
            if server is not None:
                server._pair.stop("immediate")
                server._close()
            files.remove(folder)
            raise
        server._state.save()

    def _settle_in(self, authority: Authority) -> None:
        """From data that does not run: certificate, first backup, standby; then start."""
        self._pair.certify(authority.issue(*self.spec.hosts))
        self.archive.keep(self._pair.data("a"), FIRST)
        self._state.save()
        if self.spec.standby:
            self._pair.double()
        self._pair.start()

    def _hand_out(self, password: str) -> None:
        """Make the administrator and the first database."""
        if self.spec.owner:
            self._roles.administrator(self.spec.owner, password)
        if self.spec.database is not None:
            self._roles.database(self.spec.database, self.spec.owner)

    def _recover(self, source: Archive, moment: dt.datetime | None) -> None:
        """Bring a base backup to a moment, and stop."""
        target = {"recovery_target_time": moment.isoformat(sep=" ")} if moment else {}
        self._pair.recover_at_start()
        # With `always`, the source's log would be archived once more, as this server's.
        extra = {"restore_command": source.fetch_command(), "archive_mode": "on", "recovery_target_action": "promote"}
        self._pair.start(**extra, **target)
        self._pair.stop()

    def _follow_again(self, source: Source) -> None:
        """Start a replica that does not follow any more, with its source's data of now."""
        ((receiving,),) = self.primary.execute("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
        if not receiving:
            self._pair.follow(source)
            self._pair.start()

    def _change(self, **values: Any) -> None:
        self._state.spec = replace(self._state.spec, **values)
        self._state.save()

    @property
    def _roles(self) -> Roles:
        return Roles(self._pair.primary, VENDORS[self.spec.vendor])


def _claim(folder: Path, account: Account) -> None:
    """Make a server's folder where every account gets to."""
    if (closed := account.closed(folder.parent)) is not None:
        message = f"expected that PostgreSQL, which does not run as root, can enter {folder.parent}, but not {closed}"
        raise FolderError(message)
    try:
        folder.mkdir()
    except OSError as error:
        message = f"expected a folder for a server that can be made: {error}"
        raise FolderError(message) from error
    account.own(folder, 0o755)
