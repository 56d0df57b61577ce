"""How a managed server runs: started, stopped, failed over, doubled and followed."""

from types import TracebackType
from typing import Self

from rehearsal.errors import ServerError
from rehearsal.fleet.archive import FIRST, Archive
from rehearsal.fleet.contents import Contents
from rehearsal.fleet.state import Source
from rehearsal.server import Mode


class Processes(Contents):
    """One server of a cloud, with what makes it run."""

    def start(self) -> None:
        """Start what belongs to it and wait until it answers; nothing happens where it runs.

        Raises:
            ServerError: PostgreSQL did not start.
        """
        with self._lock:
            if not self.running:
                self._body.pair.stop("immediate")
                self._body.pair.start()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it; "immediate" is a crash."""
        with self._lock:
            self._body.pair.stop(mode)

    def restart(self) -> None:
        """Stop it in order and start it again, with all parameters in force."""
        with self._lock:
            self._body.pair.stop()
            self._body.pair.start()

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
            self._body.pair.swap(clean=clean)

    def rejoin(self) -> None:
        """Make a standby that is missing or dead, or a replica that lost its source; nothing happens where all is well.

        Without it, every commit waits for a standby that has died.

        Raises:
            ServerError: It could not follow.
        """
        with self._lock:
            if self._body.state.source is not None:
                self._follow_again(self._body.state.source)
            elif self.spec.standby:
                self._body.pair.heal()

    @property
    def well(self) -> bool:
        """Whether all that belongs to it runs: the primary or the replica, and the standby where it is to have one."""
        pair, state = self._body.pair, self._body.state
        doubled = state.source is not None or not state.spec.standby or (state.joined and pair.standby.running)
        return pair.primary.running and doubled

    def recover(self) -> bool:
        """Bring back what has crashed: a standby takes over from its primary, else the server starts again.

        Returns:
            Whether the standby took over; another one follows it then.

        Raises:
            ServerError: PostgreSQL did not start.
        """
        with self._lock:
            over = not self.running and self.has_standby and self._body.pair.standby.running
            if over:
                self._body.pair.swap(clean=False)
            else:
                self.start()
            if not self.is_replica:
                self.rejoin()
            return over

    def set_standby(self, wanted: bool) -> None:  # noqa: FBT001  # The whole of its meaning.
        """Make a synchronous standby, or do without one.

        Raises:
            ServerError: It could not follow.
        """
        with self._lock:
            self._body.change(standby=wanted)
            if not wanted and self._body.state.joined:
                self._body.pair.part()
            self.rejoin()

    def promote(self) -> None:
        """Make a replica a server of its own, for good.

        Raises:
            ServerError: It is none, or PostgreSQL could not.
        """
        with self._lock:
            source = self._body.state.source
            if source is None:
                message = f"expected a replica to promote, not {self.spec.name}"
                raise ServerError(message)
            self._body.pair.stop()
            self._body.state.source = None
            self._body.state.save()
            self._body.pair.start(restore_command=Archive.fetching(source.archive))
            self._body.archive.back_up(self.primary, self._body.replication, self._body.pair.account, FIRST)
            self.rejoin()

    def __enter__(self) -> Self:
        """Start it where it does not run."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; its data stays."""
        self.stop()

    def _follow_again(self, source: Source) -> None:
        """Start a replica that does not follow any more, with its source's data of now."""
        ((receiving,),) = self.primary.execute("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
        if not receiving:
            self._body.pair.follow(source)
            self._body.pair.start()
