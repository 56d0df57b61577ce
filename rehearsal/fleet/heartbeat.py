"""Makes the last moments of a server restorable: a commit to stop at, and all before it in the archive."""

import datetime as dt
import time
from typing import Final

from rehearsal.cluster import Cluster
from rehearsal.errors import ServerError
from rehearsal.fleet.archive import Archive

_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01


def archived(primary: Cluster, archive: Archive) -> dt.datetime:
    """Commit, and wait until the archive has everything up to that.

    PostgreSQL ends a recovery with an error where no later commit tells it that the moment has come; hence the commit.
    Source: PostgreSQL's documentation, `recovery_target_time`, and xlogrecovery.c, `recoveryStopsBefore`.

    Args:
        primary: The server, which runs.
        archive: Its archive.

    Returns:
        The last moment that can be restored, UTC: every commit acknowledged by then is in the archive.

    Raises:
        ServerError: The archive did not get it in time.
    """
    beat = "SELECT pg_current_xact_id()::text, clock_timestamp() - interval '1 microsecond'"
    ((_, moment),) = primary.execute(beat)  # Its commit is later than this clock, so that the moment is before it.
    ((segment,),) = primary.execute("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + _SECONDS
    while not archive.holds(segment):
        if time.monotonic() > deadline:
            message = (
                f"expected {segment} in {archive.wal} within {_SECONDS:.0f} s. The log of {primary.folder} says why"
            )
            raise ServerError(message)
        time.sleep(_POLL_SECONDS)
    return moment.astimezone(dt.UTC)  # type: ignore[no-any-return]
