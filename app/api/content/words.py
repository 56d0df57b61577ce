"""What a request may say: names that every database keeps, refused before they become its errors.

Left alone, a name longer than ADK's columns is a 500 on PostgreSQL, and so is a time that no year has.
"""

import email.message
import math
import traceback
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.content.documents import FaultError, Reader
from app.api.content.targets import fault_of_names
from app.api.found import Found, Pairs, of
from app.api.problem import problem

LONGEST: Final = 128
"""Characters of an app's name, a user, a session and an event (google-adk 2.13 `DEFAULT_MAX_KEY_LENGTH`)."""

_LONGEST_TEXT: Final = 256
"""Characters of an invocation (google-adk 2.13 `DEFAULT_MAX_VARCHAR_LENGTH`)."""

_YEAR_10000: Final = 253402300800
"""Seconds since 1970: neither Python nor PostgreSQL's text form has a later year of four digits."""

_JUDGES: Final = ("google.adk.runners", "google.adk.artifacts.artifact_util")
"""Modules of google-adk 2.13 that raise ValueError for what a request says: a message without parts, a name C:x."""

_ENUMS: Final = "google.genai._common"
"""Where google-genai raises AttributeError for a word of a list that is no text (`CaseInSensitiveEnum`)."""

_NUMBER: Final = TypeAdapter(float)
"""What pydantic makes of a number, a text too."""

NUMBERS: Final = frozenset(
    spelling
    for name in (
        "avg_logprobs",
        "created_at",
        "end_timestamp",
        "expire_time",
        "fps",
        "google_search_dynamic_retrieval_score",
        "log_probability",
        "log_probability_sum",
        "number_value",
        "numeric_value",
        "start_timestamp",
        "timestamp",
    )
    for spelling in (name, to_camel(name))
)
"""What is a floating-point number anywhere in an event of google-adk 2.13, which pydantic reads from a text as well."""

_INVOCATIONS: Final = ("invocationId", "invocation_id", "functionCallEventId", "function_call_event_id")
_STATES: Final = ("state", "stateDelta", "state_delta")
_STATE_ROUTE: Final = "/apps/{app_name}/users/{user_id}/sessions/{session_id}"


def install(app: FastAPI) -> None:
    """Answer 422 where ADK refuses a request by an exception that it does not catch, which is a 500 of its own.

    Args:
        app: ADK's app.
    """
    app.add_exception_handler(ValueError, _refused_by_adk)
    app.add_exception_handler(AttributeError, _refused_by_enum)


async def _refused_by_adk(_: Request, error: Exception) -> Response:
    """Judged by where it was raised: a ValueError of an agent's own is an error of the server's."""
    if _raised_in(error) not in _JUDGES:
        raise error
    return problem(422, str(error))


async def _refused_by_enum(_: Request, error: Exception) -> Response:
    if _raised_in(error) != _ENUMS:
        raise error
    return problem(422, "expected texts where the description of the route lists words, for example SILENT")


def _raised_in(error: Exception) -> str:
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__"))


def fault_of_id(value: str) -> str | None:
    """Why a text cannot name an app, a user or a session; None where it can.

    Args:
        value: For example `ada@example.com`.
    """
    if not value.strip() or len(value) > LONGEST:
        return f"expected 1 to {LONGEST} characters, not all of them blank"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        return "expected no control characters and no half of a surrogate pair"
    if "/" in value or "\\" in value or value in (".", ".."):
        return "expected no slash, no backslash and neither . nor .., which are of paths"
    return None


class Words:
    """Refuses names that ADK's tables cannot hold, and JSON that the database cannot."""

    def __init__(self, app: ASGIApp, *, read: Reader) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass good requests on to.
            read: Reads bodies.
        """
        self._app, self._read = app, read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket"):
            try:
                await self._judge(scope)
            except FaultError as fault:
                await problem(fault.status, str(fault))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _judge(self, scope: Scope) -> None:
        found = of(scope)
        if fault := fault_of_names(scope):
            raise FaultError(fault, 400)
        for name, value in (*Pairs(found.params.items()).identifiers(), *found.query.identifiers()):
            _require_id(name, value)
        if found.body:
            _require_json(Headers(scope=scope).get("content-type", ""))
            found.document, found.body = await self._read(found.body), b""
            _require_names(found)


def _require_id(name: str, value: Any) -> None:
    """What is no text at all is pydantic's to refuse."""
    if isinstance(value, str) and (fault := fault_of_id(value)):
        message = f"{name}: {fault}"
        raise FaultError(message)


def _require_json(kind: str) -> None:
    message = email.message.Message()
    message["content-type"] = kind  # Read as FastAPI reads it, so that both see JSON or neither does.
    subtype = message.get_content_subtype()
    if message.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        detail = "expected a JSON body with the header Content-Type: application/json"
        raise FaultError(detail, 415)


def _require_names(found: Found) -> None:
    if not isinstance(found.document, Pairs) or found.template == _STATE_ROUTE:  # Its body is a state: any names.
        return
    if fault := found.document.repeated():
        raise FaultError(fault)
    for name, value in found.document.identifiers():
        _require_id(name, value)
    for event in (found.document, *_events(found.document)):
        _require_event(event)
    _require_numbers(found.document)


def _events(document: Pairs) -> Iterator[Pairs]:
    for events in document.values_of("events"):
        if isinstance(events, list):
            yield from (event for event in events if isinstance(event, Pairs))


def _require_event(event: Pairs) -> None:
    if any(isinstance(value, str) and (len(value) > LONGEST or "\0" in value) for value in event.values_of("id")):
        message = f"expected the id of an event to have at most {LONGEST} characters and no NUL"
        raise FaultError(message)
    invocations = event.values_of(*_INVOCATIONS)
    if any(isinstance(value, str) and (len(value) > _LONGEST_TEXT or "\0" in value) for value in invocations):
        message = f"expected the invocation of an event to have at most {_LONGEST_TEXT} characters and no NUL"
        raise FaultError(message)
    if not all(_within_years(time) for time in event.values_of("timestamp")):
        message = "expected the timestamp of an event in seconds since 1970, before the year 10000"
        raise FaultError(message)


def _require_numbers(document: Pairs) -> None:
    if not all(_is_finite(value) for each in _objects(document) for name, value in each if name in NUMBERS):
        message = "expected finite numbers where an event has numbers, for example avgLogprobs"
        raise FaultError(message)


def _objects(document: Pairs) -> Iterator[Pairs]:
    """But for states, which may hold anything under any name."""
    waiting: list[Any] = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Pairs):
            yield found
            waiting.extend(part for name, part in found if name not in _STATES)
        elif isinstance(found, list):
            waiting.extend(found)


def _is_finite(number: Any) -> bool:
    """What is no number at all is pydantic's to refuse, or text of an agent's under the same name."""
    try:
        return not isinstance(number, str) or math.isfinite(_NUMBER.validate_python(number))
    except ValidationError:
        return True


def _within_years(time: Any) -> bool:
    """What is no time at all is pydantic's to refuse."""
    try:
        return 0 <= _NUMBER.validate_python(time) < _YEAR_10000
    except ValidationError:
        return True
