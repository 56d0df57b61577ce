"""A session written, read and deleted through ADK's own service: the last proof that a database serves."""

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL

from app import dsn, engine
from app.errors import VerificationError

if TYPE_CHECKING:
    from google.adk.sessions.base_session_service import BaseSessionService

APP: Final = "session-db-probe"
"""The app name that the probe writes under, and cleans up after a probe that was killed."""

_USER: Final = "probe"

_STALE_SECONDS: Final = 60.0
"""A probe takes less, even where each of its writes waits for a lock; a younger session is of one that runs now."""


def try_session(url: URL) -> None:
    """Create a session, append an event with state, read it back and delete it; nothing is left.

    Args:
        url: A URL from `dsn.parse`, its schema in place.

    Raises:
        VerificationError: ADK cannot use the database, or reads something else than it wrote.
        DatabaseUnavailableError: The database cannot be written, or stays locked.
    """
    # Imported late: the bootstrapper runs without ADK, and importing it takes longer than everything else here.
    from google.adk.sessions.sqlite_session_service import SqliteSessionService  # noqa: PLC0415

    path = dsn.database_path(url)
    try:
        asyncio.run(_try(SqliteSessionService(str(path))))
    except VerificationError:
        raise
    except Exception as error:
        if isinstance(error, sqlite3.Error) and (ours := engine.translated(error, path)) is not None:
            raise ours from error
        # Whatever ADK raises here, it would raise for an agent too.
        message = f"ADK itself: expected to write and read a session, got {type(error).__name__}: {error}"
        raise VerificationError(message) from error


async def _try(service: "BaseSessionService") -> None:
    from google.adk.events import Event, EventActions  # noqa: PLC0415  # As above.

    await _clean_stale(service)
    session = await service.create_session(app_name=APP, user_id=_USER, state={"created": True})
    event = Event(author="probe", invocation_id="probe", actions=EventActions(state_delta={"appended": 1}))
    try:
        await service.append_event(session, event)
        read = await service.get_session(app_name=APP, user_id=_USER, session_id=session.id)
    finally:
        await service.delete_session(app_name=APP, user_id=_USER, session_id=session.id)
    expected = ({"created": True, "appended": 1}, [event.id])
    actual = (dict(read.state), [found.id for found in read.events]) if read else None
    if actual != expected:
        message = f"ADK itself: expected to read {expected} back, read {actual}"
        raise VerificationError(message)


async def _clean_stale(service: "BaseSessionService") -> None:
    """Remove what killed probes left, and nothing of the probes that run beside this one."""
    left = await service.list_sessions(app_name=APP, user_id=_USER)
    for session in left.sessions:
        if session.last_update_time > time.time() - _STALE_SECONDS:
            continue
        await service.delete_session(app_name=APP, user_id=_USER, session_id=session.id)
