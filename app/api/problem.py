"""An error as every client can read it: problem details as JSON (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse, Response


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer, for HTTP and for a websocket that is not accepted.

    Args:
        status: The HTTP status, for example 413.
        detail: What was expected and what to do, in one line without secrets.
        headers: More headers, for example `Retry-After`.

    Returns:
        An ASGI application that answers so.
    """
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, "application/problem+json")
