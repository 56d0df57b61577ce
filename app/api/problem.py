"""An error as every client can read it: problem details as JSON (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from asgi_correlation_id import correlation_id
from starlette.responses import JSONResponse, Response


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, *, retry: bool | None = None, **more: Any
) -> Response:
    """An answer, for HTTP and for a websocket that is not accepted.

    Args:
        status: The HTTP status, for example 413.
        detail: What was expected and what to do, in one line without secrets.
        headers: More headers, for example `Retry-After`.
        retry: Whether the request can succeed when it is sent again; where None, what the status says by itself.
        more: More members of the document.

    Returns:
        An ASGI application that answers so.
    """
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "retry": status in (429, 503, 504) if retry is None else retry,
        "request_id": correlation_id.get(),
    }
    return JSONResponse(content | more, status, headers, "application/problem+json")
