"""What the superuser of a running server can do: ask, and have it read its settings again."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composed

from rehearsal.configuration import Address
from rehearsal.errors import ServerError

Query = str | SQL | Composed
"""A statement; names and values get into it by `psycopg.sql`."""

_RELOAD_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Superuser:
    """The first role of a server.

    Attributes:
        name: Its name.
        password: Its password.
    """

    name: str
    password: str = field(repr=False)

    def connect(self, address: Address, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection by the socket, each statement its own transaction; the caller closes it.

        Args:
            address: The server's.
            database: The database's name.

        Raises:
            psycopg.OperationalError: The server cannot be reached.
        """
        return psycopg.connect(
            host=str(address.folder),
            port=address.port,
            user=self.name,
            password=self.password,
            dbname=database,
            sslmode="disable",  # A socket has no TLS, whatever the developer has exported as PGSSLMODE.
            connect_timeout=5,
            autocommit=True,
        )

    def execute(self, address: Address, database: str, statement: Query) -> list[tuple[Any, ...]]:
        """Run one statement; returns its rows, none where it gives none."""
        with self.connect(address, database) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def reload(self, address: Address) -> None:
        """Have the server read its files again, and wait until new sessions see them.

        Args:
            address: The server's.

        Raises:
            ServerError: It did not in time.
        """
        ((before, _),) = self.execute(address, "postgres", "SELECT pg_conf_load_time(), pg_reload_conf()")
        deadline = time.monotonic() + _RELOAD_SECONDS
        while self.execute(address, "postgres", "SELECT pg_conf_load_time()")[0][0] <= before:
            if time.monotonic() > deadline:
                message = f"expected the server in {address.folder} to read its settings within {_RELOAD_SECONDS:.0f} s"
                raise ServerError(message)
            time.sleep(_POLL_SECONDS)
