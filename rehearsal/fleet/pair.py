"""A primary and its synchronous standby: started, stopped, swapped, and made two again."""

from pathlib import Path
from typing import Final

from rehearsal import configuration, data
from rehearsal.account import Account
from rehearsal.cluster import Cluster
from rehearsal.errors import ServerError, StandbyError
from rehearsal.fleet import files
from rehearsal.fleet.following import wait_until_equal, wait_until_streaming
from rehearsal.fleet.settings import STANDBY, Settings
from rehearsal.fleet.state import NodeName, Source, State
from rehearsal.server import Mode
from rehearsal.superuser import Superuser
from rehearsal.tls import ServerCertificate

_FOLLOW: Final = "standby.signal"
_RECOVER: Final = "recovery.signal"
"""The files that tell PostgreSQL to follow, or to recover to the end and then be a primary.

Source: PostgreSQL's documentation, "Archive Recovery".
"""


class Pair:
    """The two places of a server; only one is in use where there is no standby.

    Attributes:
        account: Who runs both.
    """

    def __init__(
        self, state: State, settings: Settings, superuser: Superuser, replication: Superuser, sockets: Path
    ) -> None:
        """Lay both out; none runs yet.

        Args:
            state: Which is which.
            settings: Their settings.
            superuser: The first role of both.
            replication: Who may copy a server.
            sockets: The folder of their sockets.
        """
        self._state, self._settings, self._replication = state, settings, replication
        self.account = Account.unprivileged()
        self._nodes = {
            name: Cluster(state.folder / name, state.binaries, superuser, {}, sockets=sockets) for name in ("a", "b")
        }

    @property
    def primary(self) -> Cluster:
        """The node that clients talk to; a replica's only one."""
        return self._nodes[self._state.primary]

    @property
    def standby(self) -> Cluster:
        """The other one, whether or not it is in use."""
        return self._nodes[self._state.other]

    def data(self, name: NodeName) -> Path:
        """A node's data folder."""
        return self._nodes[name].folder / "data"

    def prepare(self) -> None:
        """Make the folders of both."""
        for node in self._nodes.values():
            node.folder.mkdir()
            self.account.own(node.folder, 0o755)

    def certify(self, certificate: ServerCertificate) -> None:
        """Give the first node what it shows; the other one gets it with the data."""
        data.certify(self.data(self._state.primary), certificate, self.account)

    def check(self) -> None:
        """Make sure that PostgreSQL accepts the settings of the first node, which does not run.

        Raises:
            SettingsError: It does not; the message has its own words.
        """
        self.primary.settings = self._first_settings()
        self.primary.check()

    def double(self) -> None:
        """Make the standby by copying the data of the primary, which does not run."""
        files.copy(self.data(self._state.primary), self.data(self._state.other))
        self._state.joined = True
        self._state.save()

    def start(self, **extra: str) -> None:
        """Start the primary, or the replica, and then the standby where there is one.

        Args:
            extra: Settings of the primary for this time.

        Raises:
            ServerError: One did not start; a standby that cannot is made anew.
        """
        self._start_first(extra)
        if not self._state.joined:
            return
        try:
            self._start_standby()
        except ServerError:  # For example, settings that the primary has lowered meanwhile.
            self.part()
            self.join()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop both, the primary first, so that the standby has all that it wrote."""
        self.primary.stop(mode)
        self.standby.stop(mode)

    def swap(self, *, clean: bool) -> None:
        """Make the standby the primary, on the port that clients know; the old primary is given up.

        Args:
            clean: Whether the old one is stopped in order, and does not crash.

        Raises:
            StandbyError: There is no standby.
        """
        if not self._state.joined:
            message = f"expected a standby of {self._state.spec.name} to fail over to; see set_standby() and rejoin()"
            raise StandbyError(message)
        self.primary.stop("fast" if clean else "immediate")
        self.standby.stop()
        self._state.primary, self._state.joined = self._state.other, False
        self._state.save()
        self._start_first({})

    def join(self) -> None:
        """Make a standby of the running primary, and have every commit wait for it from now on."""
        self._discard_standby()
        source = str(self.primary.address.folder), self.primary.port
        data.back_up(self.data(self._state.other), self._state.binaries, source, self._replication, self.account)
        self._start_standby()
        self._state.joined = True
        self._synchronize()

    def heal(self) -> None:
        """Have a standby again, where it is missing or has died."""
        if self._state.joined and self.standby.running:
            return
        if self._state.joined:
            self.part()
        self.join()

    def part(self) -> None:
        """Go on without the standby."""
        self._state.joined = False
        self._state.save()
        self.primary.reconfigure(self._settings.primary(self._state.primary), whole=True)
        self._discard_standby()

    def follow(self, source: Source) -> None:
        """Make a replica of a running server, in the place of what there is."""
        self.primary.stop()
        target = self.data(self._state.primary)
        files.remove(target)
        where = configuration.HOST, source.port
        data.back_up(target, self._state.binaries, where, self._replication, self.account)

    def reconfigure(self) -> list[str]:
        """Bring the settings into force; returns the names of those that wait for a restart of the primary."""
        if self._state.joined:
            self.standby.reconfigure(self._settings.standby(self._state.other), whole=True)
        return self.primary.reconfigure(self._first_settings(), whole=True)

    def _first_settings(self) -> dict[str, str]:
        if self._state.source is not None:
            return self._settings.replica(self._state.primary, self._state.source)
        return self._settings.primary(self._state.primary)

    def _start_first(self, extra: dict[str, str]) -> None:
        node, folder = self.primary, self.data(self._state.primary)
        if self._state.source is not None:
            (folder / _RECOVER).unlink(missing_ok=True)
            self._signal(folder / _FOLLOW)
        elif (folder / _FOLLOW).exists():
            (folder / _FOLLOW).rename(folder / _RECOVER)
        node.port, node.settings = self._state.port, {**self._first_settings(), **extra}
        node.start()
        if node.port != self._state.port:
            self._state.port = node.port
            self._state.save()

    def recover_at_start(self) -> None:
        """Have the primary's next start read the log of changes to its end, or to a target, and begin a new one."""
        self._signal(self.data(self._state.primary) / _RECOVER)

    def _start_standby(self) -> None:
        self._signal(self.data(self._state.other) / _FOLLOW)
        self.standby.port, self.standby.known = self._state.spare, False
        self.standby.settings = self._settings.standby(self._state.other)
        self.standby.start()
        self._state.spare = self.standby.port
        wait_until_streaming(self.primary, STANDBY)

    def _synchronize(self) -> None:
        self.primary.reconfigure(self._settings.primary(self._state.primary), whole=True)
        # What decides whether a commit waits is the checkpointer's to read again, which it does before a checkpoint.
        # Source: PostgreSQL's checkpointer.c, `SyncRepUpdateSyncStandbysDefined`.
        self.primary.execute("CHECKPOINT")
        wait_until_equal(self.primary, STANDBY)
        self._state.save()

    def _discard_standby(self) -> None:
        self.standby.stop("immediate")
        files.remove(self.data(self._state.other))

    def _signal(self, file: Path) -> None:
        file.touch()
        self.account.own(file, 0o600)
