"""What changes in a managed server while its processes run: roles, databases, parameters, and the room for data."""

from collections.abc import Mapping

from rehearsal.fleet.facts import Facts
from rehearsal.fleet.storage import Storage


class Contents(Facts):
    """One server of a cloud, with all that is in it."""

    def set_password(self, role: str, password: str) -> None:
        """Give a role another password; see `Roles.password`."""
        with self._lock:
            self._body.roles.password(role, password)

    def create_user(self, role: str, password: str = "", *, iam: bool = False) -> None:
        """Make a user by the cloud's own interface; see `Roles.user`."""
        with self._lock:
            self._body.roles.user(role, password, iam=iam)

    def drop_user(self, role: str) -> None:
        """Remove a role; see `Roles.drop`."""
        with self._lock:
            self._body.roles.drop(role)

    def create_database(self, name: str, owner: str = "") -> None:
        """Make a database; see `Roles.database`."""
        with self._lock:
            self._body.roles.database(name, owner)

    def drop_database(self, name: str, *, force: bool = False) -> None:
        """Remove a database; see `Roles.drop_database`."""
        with self._lock:
            self._body.roles.drop_database(name, force=force)

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
            self._body.change(parameters=dict(parameters))
            try:
                return self._body.pair.reconfigure() if self.running else []
            except Exception:
                self._body.change(parameters=before.parameters)
                raise

    @property
    def size_bytes(self) -> int:
        """What its databases take, bytes."""
        ((size,),) = self.primary.execute("SELECT sum(pg_database_size(oid))::bigint FROM pg_database")
        return int(size)

    @property
    def read_only(self) -> bool:
        """Whether a full disk has made it read-only."""
        return self._body.state.read_only

    def set_storage(self, gib: float, autogrow_gib: float) -> Storage:
        """Give it another disk, GiB, and `settle`."""
        with self._lock:
            self._body.change(storage_gib=gib, autogrow_gib=autogrow_gib)
            return self.settle()

    def settle(self) -> Storage:
        """Let the disk grow where it is full; where it may not, the server is read-only until there is room.

        Returns:
            The disk as it is then.
        """
        with self._lock:
            disk = Storage(self.spec.storage_gib, self.spec.autogrow_gib, self.size_bytes).grown()
            if disk.gib != self.spec.storage_gib:
                self._body.change(storage_gib=disk.gib)
            if disk.full != self._body.state.read_only:
                self._body.state.read_only = disk.full
                self._body.state.save()
                self._body.pair.reconfigure()
            return disk
