"""A session written, read and deleted through ADK's own service: the last proof that a database serves."""

import asyncio
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL

from app import dsn
from app.errors import VerificationError

if TYPE_CHECKING:
    from google.adk.sessions.base_session_service import BaseSessionService

APP: Final = "session-db-probe"
"""The app name that the probe writes under, and cleans up after a probe that was killed."""

_USER: Final = "probe"


def try_session(url: URL) -> None:
    """Create a session, append an event with state, read it back and delete it; nothing is left.

    Args:
        url: A URL from `dsn.parse`, its schema in place.

    Raises:
        VerificationError: ADK cannot use the database, or reads something else than it wrote.
    """
    # Imported late: the bootstrapper runs without ADK, and importing it takes longer than everything else here.
    from google.adk.sessions.sqlite_session_service import SqliteSessionService  # noqa: PLC0415

    try:
        asyncio.run(_try(SqliteSessionService(str(dsn.database_path(url)))))
    except VerificationError:
        raise
    except Exception as error:
        # Whatever ADK raises here, it would raise for an agent too.
        message = f"ADK itself: expected to write and read a session, got {type(error).__name__}: {error}"
        raise VerificationError(message) from error


async def _try(service: "BaseSessionService") -> None:
    from google.adk.events import Event, EventActions  # noqa: PLC0415  # As above.

    await _clean(service)
    session = await service.create_session(app_name=APP, user_id=_USER, state={"created": True})
    event = Event(author="probe", invocation_id="probe", actions=EventActions(state_delta={"appended": 1}))
    await service.append_event(session, event)
    read = await service.get_session(app_name=APP, user_id=_USER, session_id=session.id)
    await _clean(service)
    expected = ({"created": True, "appended": 1}, [event.id])
    actual = (dict(read.state), [found.id for found in read.events]) if read else None
    if actual != expected:
        message = f"ADK itself: expected to read {expected} back, read {actual}"
        raise VerificationError(message)


async def _clean(service: "BaseSessionService") -> None:
    left = await service.list_sessions(app_name=APP, user_id=_USER)
    for session in left.sessions:
        await service.delete_session(app_name=APP, user_id=_USER, session_id=session.id)
