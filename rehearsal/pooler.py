"""PgBouncer in front of a server of one's own, in transaction mode unless told otherwise."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg
from sqlalchemy import URL

from rehearsal import guard
from rehearsal.account import Account, environment
from rehearsal.configuration import HOST, free_port
from rehearsal.errors import ServerError

_READY_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02

_ADMIN: Final = "pgbouncer"
"""The name of its own console, as a database and as the only user that may enter it."""


class Pooler:
    """A running PgBouncer; as a context manager it ends with the body, and with its owner however that ends.

    Every client shows the password that the server expects of its role, and the server gets the same.

    Attributes:
        port: On the loopback address.
    """

    def __init__(
        self, folder: Path, program: Path, server: int, logins: Mapping[str, str], **settings: str | int
    ) -> None:
        """Lay it out; it does not run yet.

        Args:
            folder: For its files; not there yet, where every account can enter.
            program: PgBouncer, from `rehearsal.binaries`.
            server: The port of the server.
            logins: The passwords by role.
            settings: PgBouncer's, by name. For example default_pool_size=4.
        """
        self.port = free_port()
        self._folder, self._program, self._account = folder, program, Account.unprivileged()
        self._server = server
        self._logins = {**logins, _ADMIN: "change-me"}
        self._settings = {"pool_mode": "transaction", **settings}
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        self._folder.mkdir()
        self._account.own(self._folder, 0o700)
        self._account.write(self._folder / "users", "".join(f'"{user}" "{p}"\n' for user, p in self._logins.items()))
        self._account.write(self._folder / "ini", self._ini())
        identity = [] if self._account.uid is None else [f"--uid={self._account.uid}", f"--gid={self._account.gid}"]
        command = [sys.executable, "-I", "-S", guard.__file__, *identity, f"--log={self._folder / 'log'}", "--"]
        self._guard = subprocess.Popen(
            [*command, str(self._program), str(self._folder / "ini")],
            stdin=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        self._wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, with all its connections."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()

    def on(self, url: URL) -> URL:
        """The same database through the pooler.

        Args:
            url: At the server itself.
        """
        return url.set(port=self.port)

    def show(self, what: str) -> list[tuple[object, ...]]:
        """What its console answers.

        Args:
            what: For example "POOLS".
        """
        with self._console() as connection:
            return connection.execute(f"SHOW {what}".encode()).fetchall()

    def _console(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=_ADMIN,
            password=self._logins[_ADMIN],
            dbname=_ADMIN,
            autocommit=True,
            cursor_factory=psycopg.ClientCursor,  # The console knows the simple protocol alone.
        )

    def _ini(self) -> str:
        fixed = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self._folder / "users",
            "admin_users": _ADMIN,
        }
        lines = [f"{name} = {value}" for name, value in {**fixed, **self._settings}.items()]
        return "\n".join(["[databases]", f"* = host={HOST} port={self._server}", "[pgbouncer]", *lines, ""])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self.show("VERSION")
            except psycopg.OperationalError as error:
                ended = self._guard is None or self._guard.poll() is not None
                if ended or time.monotonic() > deadline:
                    said = (self._folder / "log").read_text(errors="replace")[-2000:]
                    message = f"expected a PgBouncer that answers on port {self.port}, but: {error}. Its log:\n{said}"
                    raise ServerError(message) from None
                time.sleep(_POLL_SECONDS)
            else:
                return
