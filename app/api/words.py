"""What a request may say: names and texts that every database keeps, refused before they become its errors.

Left alone, each of these is a 500 of ADK's: identifiers longer than its columns (128), NUL in PostgreSQL's text and
jsonb, lone surrogates that no UTF-8 can write, numbers that JSON has no words for, nesting that exhausts a stack.
"""

import email.message
import json
import traceback
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.found import Found, Pairs, of
from app.api.problem import problem
from app.api.targets import fault_of_names

LONGEST: Final = 128
"""Characters of an app's name, a user, a session and an event (google-adk 2.13 `DEFAULT_MAX_KEY_LENGTH`)."""

_LONGEST_TEXT: Final = 256
"""Characters of an invocation (google-adk 2.13 `DEFAULT_MAX_VARCHAR_LENGTH`)."""

_DEEPEST: Final = 100
"""Objects and lists within one another; pydantic gives up at about 255."""

_YEAR_10000: Final = 253402300800
"""Seconds since 1970: neither Python nor PostgreSQL's text form has a later year of four digits."""

_JUDGES: Final = ("google.adk.runners", "google.adk.artifacts.artifact_util")
"""Modules of google-adk 2.13 that raise ValueError for what a request says: a message without parts, a name C:x."""

_ENUMS: Final = "google.genai._common"
"""Where google-genai raises AttributeError for a word of a list that is no text (`CaseInSensitiveEnum`)."""

_TIME: Final = TypeAdapter(float)
"""What pydantic makes of a timestamp, a text too."""

_INVOCATIONS: Final = ("invocationId", "invocation_id", "functionCallEventId", "function_call_event_id")
_STATE_ROUTE: Final = "/apps/{app_name}/users/{user_id}/sessions/{session_id}"


class _FaultError(Exception):
    """Why a request is refused, with its status. For example, its body is no JSON."""

    def __init__(self, detail: str, status: int = 422) -> None:
        super().__init__(detail)
        self.status = status


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

    def __init__(self, app: ASGIApp, *, nul: bool) -> None:
        """Stand in front of `app`.

        Args:
            app: Whom to pass good requests on to.
            nul: Whether texts may have the character NUL: SQLite keeps it, PostgreSQL's jsonb refuses it
                (PostgreSQL, "JSON Types").
        """
        self._app, self._nul = app, nul

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] in ("http", "websocket"):
            try:
                self._judge(scope)
            except _FaultError as fault:
                await problem(fault.status, str(fault))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _judge(self, scope: Scope) -> None:
        found = of(scope)
        if fault := fault_of_names(scope):
            raise _FaultError(fault, 400)
        for name, value in (*Pairs(found.params.items()).identifiers(), *found.query.identifiers()):
            _require_id(name, value)
        if found.body:
            found.document = _document(found.body, Headers(scope=scope).get("content-type", ""))
            _require_texts(found.document, nul=self._nul)
            _require_names(found)


def _require_id(name: str, value: Any) -> None:
    """What is no text at all is pydantic's to refuse."""
    if isinstance(value, str) and (fault := fault_of_id(value)):
        message = f"{name}: {fault}"
        raise _FaultError(message)


def _document(body: bytes, kind: str) -> Any:
    message = email.message.Message()
    message["content-type"] = kind  # Read as FastAPI reads it, so that both see JSON or neither does.
    subtype = message.get_content_subtype()
    if message.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        detail = "expected a JSON body with the header Content-Type: application/json"
        raise _FaultError(detail, 415)
    try:
        return json.loads(body.decode(), object_pairs_hook=Pairs, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        detail = f"expected JSON with at most {_DEEPEST} levels"
        raise _FaultError(detail) from None
    except ValueError as error:
        detail = f"expected a body of JSON in UTF-8: {getattr(error, 'msg', None) or 'it cannot be read'}"
        raise _FaultError(detail, 400) from None


def _no_number(constant: str) -> float:
    message = f"expected numbers that JSON has words for, got {constant}"
    raise _FaultError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        message = "expected numbers that fit into 64 bits, up to about 1.8e308"
        raise _FaultError(message)
    return number


def _require_texts(document: Any, *, nul: bool) -> None:
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            message = f"expected JSON with at most {_DEEPEST} levels"
            raise _FaultError(message)
        if isinstance(value, str):
            _require_text(value, nul=nul)
        elif isinstance(value, Pairs):
            waiting.extend((part, depth + 1) for pair in value for part in pair)
        elif isinstance(value, list):
            waiting.extend((part, depth + 1) for part in value)


def _require_text(text: str, *, nul: bool) -> None:
    if not nul and "\0" in text:
        message = "expected texts without the character NUL (\\u0000), which PostgreSQL does not keep"
        raise _FaultError(message)
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "expected texts without a half of a surrogate pair (\\ud800 to \\udfff), which UTF-8 cannot write"
        raise _FaultError(message) from None


def _require_names(found: Found) -> None:
    if not isinstance(found.document, Pairs) or found.template == _STATE_ROUTE:  # Its body is a state: any names.
        return
    if fault := found.document.repeated():
        raise _FaultError(fault)
    for name, value in found.document.identifiers():
        _require_id(name, value)
    for event in (found.document, *_events(found.document)):
        _require_event(event)


def _events(document: Pairs) -> Iterator[Pairs]:
    for events in document.values_of("events"):
        if isinstance(events, list):
            yield from (event for event in events if isinstance(event, Pairs))


def _require_event(event: Pairs) -> None:
    if any(isinstance(value, str) and (len(value) > LONGEST or "\0" in value) for value in event.values_of("id")):
        message = f"expected the id of an event to have at most {LONGEST} characters and no NUL"
        raise _FaultError(message)
    invocations = event.values_of(*_INVOCATIONS)
    if any(isinstance(value, str) and (len(value) > _LONGEST_TEXT or "\0" in value) for value in invocations):
        message = f"expected the invocation of an event to have at most {_LONGEST_TEXT} characters and no NUL"
        raise _FaultError(message)
    if not all(_within_years(time) for time in event.values_of("timestamp")):
        message = "expected the timestamp of an event in seconds since 1970, before the year 10000"
        raise _FaultError(message)


def _within_years(time: Any) -> bool:
    """What is no time at all is pydantic's to refuse."""
    try:
        return 0 <= _TIME.validate_python(time) < _YEAR_10000
    except ValidationError:
        return True
