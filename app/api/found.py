"""What the layers in front of ADK have found out about one request, each for those behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Scope

from app.api.tokens import Caller

_KEY: Final = "session_db.found"


@dataclass
class Found:
    """What is known so far.

    Attributes:
        caller: Who asks; None where nobody is known.
        refusal: What a caller who is not known is answered.
        template: The path of the route that it meets as the app declares it, for example `/list-apps`.
        params: The parts of the path that the route names.
        body: The whole body; empty once it has been handed on.
        document: The JSON of the body, objects as `Pairs`; None where there is no body.
    """

    caller: Caller | None = None
    refusal: Response | None = None
    template: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    document: Any = None


class Pairs(list[tuple[str, Any]]):
    """A JSON object with every name as often as it was written: parsers differ in which of two they take."""

    def values_of(self, *names: str) -> list[Any]:
        """All values under any of the names."""
        return [value for name, value in self if name in names]


def of(scope: Scope) -> Found:
    """What is known about the request of an ASGI scope; it is kept there."""
    found: Found = scope.setdefault(_KEY, Found())
    return found
