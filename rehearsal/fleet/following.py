"""Waiting until a standby follows its primary, and until it has all that the primary has."""

import time
from typing import Final

from psycopg.sql import SQL, Literal

from rehearsal.cluster import Cluster
from rehearsal.errors import ServerError

_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01


def wait_until_streaming(primary: Cluster, name: str) -> None:
    """Wait until a standby receives what the primary writes.

    Args:
        primary: The primary, which runs.
        name: What the standby calls itself.

    Raises:
        ServerError: It did not in time.
    """
    query = SQL("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = {}")
    _wait(primary, query.format(Literal(name)).as_string(), f"{name} that streams")


def wait_until_equal(primary: Cluster, name: str) -> None:
    """Wait until a standby has on its disk what the primary has on its own in this moment; the same errors."""
    ((position,),) = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    query = SQL("SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= {}::pg_lsn AND application_name = {}")
    _wait(primary, query.format(Literal(position), Literal(name)).as_string(), f"{name} that is at {position}")


def _wait(primary: Cluster, query: str, what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    with primary.superuser.connect(primary.address, "postgres") as connection:
        while connection.execute(SQL(query)).fetchone() == (0,):
            if time.monotonic() > deadline:
                message = f"expected {what} within {_SECONDS:.0f} s of the server in {primary.folder}"
                raise ServerError(message)
            time.sleep(_POLL_SECONDS)
