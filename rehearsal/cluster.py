"""A PostgreSQL server of one's own: made, started, asked, changed and stopped."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from sqlalchemy import URL

from rehearsal import configuration, data
from rehearsal.account import Account
from rehearsal.errors import ServerError, SettingsError
from rehearsal.server import Mode, Server
from rehearsal.superuser import Query, Superuser
from rehearsal.tls import ServerCertificate

_READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_PORTS: Final = 5
"""How many ports are tried where somebody else takes the free one first."""


@dataclass
class Cluster:
    """A server, its data and how to reach it; as a context manager it runs inside and is stopped at the end.

    Attributes:
        folder: Holds the data, the log and the socket.
        binaries: The folder of PostgreSQL's programs.
        superuser: The first role.
        settings: PostgreSQL's settings beyond those of every server here, by name.
        port: On the loopback address; the same one from the first start on.
        sockets: The folder of its socket where that is another one, since a socket's path is short; None for `folder`.
        known: Whether clients know the port already, so that not even the first start takes another one.
    """

    folder: Path
    binaries: Path
    superuser: Superuser
    settings: dict[str, str]
    port: int = field(default_factory=configuration.free_port)
    sockets: Path | None = None
    known: bool = False

    def __post_init__(self) -> None:
        """Lay out the process, which does not run yet."""
        self._account = Account.unprivileged()
        self._data = self.folder / "data"
        self._server = Server(self.binaries / "postgres", self._data, self.folder / "server.log", self._account)

    @classmethod
    def create(
        cls,
        folder: Path,
        binaries: Path,
        *,
        superuser: str = "postgres",
        settings: Mapping[str, str] | None = None,
        tls: ServerCertificate | None = None,
    ) -> Self:
        """Make a new server's data; it does not run yet.

        Args:
            folder: Where it shall live; not there yet, at a short path that every account can enter, as `ground` gives.
            binaries: The folder of PostgreSQL's programs, from `rehearsal.binaries`.
            superuser: The name of the first role; its password is a new one.
            settings: PostgreSQL's settings, by name. For example {"max_connections": "20"}.
            tls: The certificate to show; without one, no connection is encrypted.

        Raises:
            FolderError: The folder cannot hold a server.
            ServerError: initdb failed, or PostgreSQL was built without OpenSSL.
        """
        first = Superuser(superuser, secrets.token_urlsafe(24))
        cluster = cls(folder, binaries, first, dict(settings or {}))
        data.prepare(folder, binaries, cluster._account)
        data.initialize(cluster._data, binaries, first, cluster._account)
        cluster._configure()
        if tls is not None:
            data.expect_openssl(cluster._data, binaries, cluster._account)
            data.certify(cluster._data, tls, cluster._account)
            cluster.settings["ssl"] = "on"
        return cluster

    def standby(self, folder: Path) -> "Cluster":
        """Make a streaming replica of this running server; it does not run yet, and is read-only once it does.

        Args:
            folder: Where it shall live, as in `create`.

        Raises:
            FolderError: The folder cannot hold a server.
            ServerError: The base backup failed.
        """
        replica = Cluster(folder, self.binaries, self.superuser, dict(self.settings))
        data.prepare(folder, self.binaries, self._account)
        data.copy(replica._data, self.binaries, self.address, self.superuser, self._account)
        return replica

    def __enter__(self) -> Self:
        """Start it where it does not run."""
        if not self.running:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; its data stays."""
        self.stop()

    @property
    def address(self) -> configuration.Address:
        """Where it is to be found."""
        return configuration.Address(self.sockets or self.folder, self.port)

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._server.running

    @property
    def log(self) -> str:
        """All that the server has said since it was made."""
        return self._server.said()

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerError: It runs already, ended, or did not answer in time; the message has the end of its log.
        """
        for left in reversed(range(_PORTS)):
            self._configure()
            self._server.start()
            try:
                self._wait_until_ready()
            except ServerError:
                self.stop("immediate")
                if self.known or not left or "Address already in use" not in self._server.said(lines=20):
                    raise
                self.port = configuration.free_port()
            else:
                self.known = True
                return

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server and wait for its end; nothing happens where it does not run.

        Args:
            mode: "fast" ends all sessions and shuts down; "immediate" is a crash.

        Raises:
            ServerError: It did not end.
        """
        self._server.stop(mode)

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start, on the same port; see there."""
        self.stop(mode)
        self.start()

    def uri(self, user: str, password: str, database: str, **query: str) -> URL:
        """How to reach a database.

        Args:
            user: The role.
            password: Its password.
            database: The database's name.
            query: libpq's parameters. For example sslmode="verify-full".

        Returns:
            A URL for SQLAlchemy with psycopg, by address; `str()` of it never shows the password.
        """
        return URL.create("postgresql+psycopg", user, password, configuration.HOST, self.port, database, query)

    def superuser_uri(self, database: str = "postgres") -> URL:
        """The same for the superuser."""
        return self.uri(self.superuser.name, self.superuser.password, database)

    def execute(self, statement: Query, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser, in a session of its own.

        Args:
            statement: What to run; names and values get into it by `psycopg.sql`.
            database: Where.

        Returns:
            Its rows; none where it gives none.
        """
        return self.superuser.execute(self.address, database, statement)

    def check(self) -> None:
        """Make sure that PostgreSQL accepts the settings as they are, before it starts with them.

        Raises:
            SettingsError: It does not; the message has its own words.
        """
        self._configure()
        data.expect_settings(self._data, self.binaries, self._account)

    def reconfigure(self, settings: Mapping[str, str], *, whole: bool = False) -> list[str]:
        """Change settings while the server runs.

        Args:
            settings: What changes, by PostgreSQL's names.
            whole: Whether these are all from now on, so that others are reset.

        Returns:
            The names of all that only `restart` brings into force.

        Raises:
            SettingsError: PostgreSQL does not accept one; nothing has changed.
        """
        before = self.settings
        self.settings = {**({} if whole else before), **settings}
        try:
            self.check()
        except SettingsError:
            self.settings = before
            self._configure()
            raise
        self.superuser.reload(self.address)
        return [name for (name,) in self.execute("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name")]

    def present(self, certificate: ServerCertificate) -> None:
        """Show another certificate from now on; the running server has one already.

        Args:
            certificate: The new one.
        """
        data.certify(self._data, certificate, self._account)
        self.superuser.reload(self.address)

    def _configure(self) -> None:
        values = configuration.settings(self.address, self.settings)
        self._account.write(self._data / configuration.FILE, configuration.render(values))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        reason = "it ended"
        while self.running:
            try:
                self.superuser.connect(self.address, "postgres").close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    reason = f"within {_READY_SECONDS:.0f} s it only said: {error}"
                    break
                time.sleep(_POLL_SECONDS)
            else:
                return
        log = self._server.said(lines=15)
        message = f"expected a server that answers in {self.folder}, but {reason}. Its log ends with:\n{log}"
        raise ServerError(message)
