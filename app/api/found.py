"""What the layers in front of ADK have found out about one request, each for those behind it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Scope

_KEY: Final = "session_db.found"

_IDENTIFIERS: Final = (("app_name", "appName"), ("user_id", "userId"), ("session_id", "sessionId"))
"""Of either spelling, as ADK takes them in bodies; who checks a caller in front of the server may look at the other."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Attributes:
        name: For limits and logs; never a token.
        user: Whose sessions alone it may touch; anybody's where None.
        operator: Whether it may use the routes that are no user's, for example `/metrics`.
        until: When its token has expired, in seconds since 1970; never where None.
    """

    name: str
    user: str | None = None
    operator: bool = True
    until: float | None = field(default=None, compare=False)


class Pairs(list[tuple[str, Any]]):
    """A JSON object or a query with every name as often as it was written: parsers differ in which of two they take."""

    def values_of(self, *names: str) -> list[Any]:
        """All values under any of the names."""
        return [value for name, value in self if name in names]

    def identifiers(self) -> Iterator[tuple[str, Any]]:
        """What names an app, a user or a session, under the name of a path's part."""
        for names in _IDENTIFIERS:
            for value in self.values_of(*names):
                yield names[0], value

    def repeated(self) -> str | None:
        """Why an app, a user or a session is named twice, by one name or by both; None where none is."""
        count = Counter(name for name, _ in self.identifiers())
        return next((f"expected {name} once" for name, times in count.items() if times > 1), None)


async def _uncounted() -> None:
    """Where nobody counts."""


@dataclass
class Found:
    """What is known so far.

    Attributes:
        caller: Who asks; None where nobody is known.
        refusal: What a caller who is not known is answered.
        counted: Whether the request is counted already, by its address.
        count: Counts one more request, which a websocket brings as a message; raises as `Rates.count`.
        path: The path as it was sent, percent-encoded; None where the server does not tell.
        template: The path of the route that it meets as the app declares it, for example `/list-apps`.
        params: The parts of the path that the route names.
        query: The query as it is written, each name as often as it stands there.
        body: The whole body; empty once it has been read as JSON.
        document: The JSON of the body, objects as `Pairs`; None where there is no body, and once it has been judged.
    """

    caller: Caller | None = None
    refusal: Response | None = None
    counted: bool = False
    count: Callable[[], Awaitable[None]] = _uncounted
    path: bytes | None = None
    template: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    query: Pairs = field(default_factory=Pairs)
    body: bytes = b""
    document: Any = None


def of(scope: Scope) -> Found:
    """What is known about the request of an ASGI scope; it is kept there."""
    found: Found = scope.setdefault(_KEY, Found())
    return found
