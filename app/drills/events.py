"""The events that a load appends: numbered, with ids that the client chooses, and a content that can be told again."""

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from google.adk.events import Event

APP: Final = "session-db-drill"
"""The app name of all drills; ADK keeps one row of state for it, and none for each drill."""

USER: Final = "drill"

COUNT: Final = "number"
"""The state's key that holds the number of the session's last event: an event and its state are stored together."""

_AUTHOR: Final = "user"

_NUMBER: Final = "drill_number"

_FILLER: Final = "The quick brown fox jumps over the lazy dog. " * 10
"""About as much as a short answer of a model."""


def session_id(run: str, writer: int) -> str:
    """The session of a writer.

    Args:
        run: The load's id.
        writer: The writer, from 0 on.
    """
    return f"{run}-{writer:03}"


def event(run: str, writer: int, number: int) -> "Event":
    """An event to append; the same one for every attempt.

    Its id is the client's choice, so that an attempt which is repeated after a lost answer finds the first one in its
    way instead of storing a second (google-adk 2.13 `StorageEvent`: the id is in the primary key).

    Args:
        run: The load's id.
        writer: The writer, from 0 on.
        number: The event in the writer's session, from 1 on.
    """
    from google.adk.events import Event, EventActions  # noqa: PLC0415  # Keeps --help quick.
    from google.genai.types import Content, Part  # noqa: PLC0415  # As above.

    return Event(
        id=f"{session_id(run, writer)}-{number:08}",
        author=_AUTHOR,
        invocation_id=run,
        timestamp=time.time(),
        content=Content(role=_AUTHOR, parts=[Part(text=text(number))]),
        custom_metadata={_NUMBER: number},
        actions=EventActions(state_delta={COUNT: number}),
    )


def text(number: int) -> str:
    """What an event says.

    Args:
        number: Which one.
    """
    return f"{number}. {_FILLER}"


def number_of(stored: "Event") -> int | None:
    """The number of a stored event, whatever its id; None where it is none of ours."""
    number = (stored.custom_metadata or {}).get(_NUMBER)
    return number if isinstance(number, int) else None


def is_unaltered(stored: "Event", number: int) -> bool:
    """Whether a stored event says what it said when it was sent, by whom, and what it did to the state."""
    if stored.content is None or stored.author != _AUTHOR or stored.content.role != _AUTHOR:
        return False
    said = [part.text for part in stored.content.parts or []]
    return said == [text(number)] and stored.actions.state_delta == {COUNT: number}
