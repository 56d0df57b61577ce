"""What `/openapi.json` and `/docs` say beyond ADK's routes: which token is asked for, and how a request is refused."""

import functools
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from app.api.entry.users import OPEN

_PROBLEM: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "description": "Why a request is refused (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "retry", "request_id"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "example": "Service Unavailable"},
        "status": {"type": "integer", "example": 503},
        "detail": {"type": "string", "description": "What was expected, and what of the request is stored."},
        "retry": {"type": "boolean", "description": "Whether the request can succeed when it is sent again."},
        "request_id": {"type": ["string", "null"], "description": "What the log has the request under."},
        "errors": {
            "type": "array",
            "description": "Which values do not fit.",
            "items": {
                "type": "object",
                "properties": {"at": {"type": "string"}, "expected": {"type": "string"}},
            },
        },
    },
}

_REFUSALS: Final = {
    400: "The path, the query or the body cannot be read.",
    404: "There is no such app, session or artifact.",
    409: "Another request wrote the same: read the session first.",
    413: "The body is too large.",
    415: "The body is not called JSON.",
    422: "A value does not fit.",
    429: "Too many requests of this client.",
    500: "Nobody has foreseen it; the log has more.",
    503: "The database or this server cannot do it now.",
    504: "The database took too long.",
    507: "The database, or the place of artifacts, has no room left; or more is stored than is read at one time.",
}

_OF_TOKENS: Final = {401: "No token, or one that opens nothing.", 403: "The token does not open this."}

_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "As RFC 6750 has it.", "schema": {"type": "string"}}}
_HEADERS: Final[Mapping[int, Mapping[str, Any]]] = {401: _CHALLENGE, 429: _AFTER, 503: _AFTER}


def install(app: FastAPI, access: str) -> None:
    """Have the app describe all of that (FastAPI, "Extending OpenAPI").

    Args:
        app: ADK's app, with all its routes.
        access: API_ACCESS.
    """
    of_routes = app.openapi

    @functools.cache
    def described() -> dict[str, Any]:
        document = of_routes()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = dict(_PROBLEM)
        tokens = access in ("token", "jwt")
        if tokens:
            document["components"]["securitySchemes"] = {"token": _scheme(access)}
            document["security"] = [{"token": []}]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _describe(operation, refused=path not in OPEN, tokens=tokens)
        return document

    vars(app)["openapi"] = described


def _scheme(access: str) -> dict[str, str]:
    scheme = {"type": "http", "scheme": "bearer"}
    if access == "jwt":
        return scheme | {"bearerFormat": "JWT", "description": "Of the identity provider; opens its user's sessions."}
    return scheme | {"description": "One of the operator's tokens."}


def _describe(operation: dict[str, Any], *, refused: bool, tokens: bool) -> None:
    if not refused:
        if tokens:
            operation["security"] = []
        return
    for status, meaning in (_REFUSALS | (_OF_TOKENS if tokens else {})).items():
        operation["responses"][str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {meaning}",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "headers": dict(_HEADERS.get(status, {})),
        }
