"""A session written, read and deleted through ADK's own service: the last proof that a database serves."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from app.errors import VerificationError

if TYPE_CHECKING:
    from google.adk.sessions.base_session_service import BaseSessionService

APP: Final = "session-db-probe"
"""The app name that the probe writes under, and cleans up after a probe that was killed."""

_USER: Final = "probe"

STALE_SECONDS: Final = 60.0
"""A probe takes less, even where each of its writes waits for a lock; a younger session is of one that runs now."""


@contextmanager
def judged(ours: Callable[[Exception], Exception | None]) -> Iterator[None]:
    """Turn what ADK raises in the body into our errors: whatever it raises here, it would raise for an agent too.

    Args:
        ours: Gives the error that a database's error stands for; None where it says nothing about the database.

    Raises:
        VerificationError: ADK cannot use the database.
    """
    try:
        yield
    except VerificationError:
        raise
    except Exception as error:  # noqa: BLE001  # Of whatever kind: an agent would get it too.
        if (told := ours(error)) is not None:
            raise told from None
        message = f"ADK itself: expected to write and read a session, got {type(error).__name__}: {_brief(error)}"
        raise VerificationError(message) from None


async def try_session(service: "BaseSessionService", app: str) -> None:
    """Create a session, append an event with state, read it back and delete it.

    Args:
        service: ADK's, on a database with its schema in place.
        app: The app name to write under. Sessions of killed probes under it are deleted first.

    Raises:
        VerificationError: ADK reads something else than it wrote.
    """
    from google.adk.events import Event, EventActions  # noqa: PLC0415  # The bootstrapper runs without ADK.

    await _clean_stale(service, app)
    session = await service.create_session(app_name=app, user_id=_USER, state={"created": True})
    event = Event(author="probe", invocation_id="probe", actions=EventActions(state_delta={"appended": 1}))
    try:
        await service.append_event(session, event)
        read = await service.get_session(app_name=app, user_id=_USER, session_id=session.id)
    finally:
        await service.delete_session(app_name=app, user_id=_USER, session_id=session.id)
    expected = ({"created": True, "appended": 1}, [event.id])
    actual = (dict(read.state), [found.id for found in read.events]) if read else None
    if actual != expected:
        message = f"ADK itself: expected to read {expected} back, read {actual}"
        raise VerificationError(message)


async def _clean_stale(service: "BaseSessionService", app: str) -> None:
    """Remove what killed probes left, and nothing of the probes that run beside this one."""
    left = await service.list_sessions(app_name=app, user_id=_USER)
    for session in left.sessions:
        if session.last_update_time > time.time() - STALE_SECONDS:
            continue
        await service.delete_session(app_name=app, user_id=_USER, session_id=session.id)


def _brief(error: Exception) -> str:
    """SQLAlchemy's messages go on with the statement and its parameters."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0] if str(error).strip() else "no words"
