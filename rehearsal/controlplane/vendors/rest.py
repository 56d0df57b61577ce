"""JSON over HTTP, as Google and Microsoft have it: a method and a path, an answer with a status and headers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from rehearsal.errors import CloudRefusalError


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        path: The variable parts of its path.
        query: Its query.
        body: Its JSON; an empty object where it has none.
        root: Where the vendor's endpoint is, for links in answers.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]
    root: str


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        body: Its JSON; None where it has none.
        status: Of HTTP.
        headers: What it says besides.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Asked], Answer]


@dataclass(frozen=True)
class Call:
    """One call of a vendor's API.

    Attributes:
        name: As its reference has it, for example "instances.failover".
        method: Of HTTP.
        path: With variable parts in braces.
        act: What it does.
    """

    name: str
    method: str
    path: str
    act: Action


def mount(
    prefix: str,
    calls: list[Call],
    refused: Callable[[CloudRefusalError], Any],
    around: Callable[[str, Asked, Callable[[], Answer]], Answer],
) -> BaseRoute:
    """A vendor's API below a prefix.

    Args:
        prefix: For example "/gcp".
        calls: Its calls.
        refused: The body of an error.
        around: Runs every call, which it is given with its name; refuses what is not well-formed, or meant to fail.
    """

    def endpoint(call: Call) -> Callable[[Request], Any]:
        def act(asked: Asked) -> Answer:
            return around(call.name, asked, lambda: call.act(asked))

        async def answer(request: Request) -> Response:
            body = json.loads(await request.body() or b"{}")
            root = f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"
            try:
                given = await run_in_threadpool(act, Asked(request.path_params, request.query_params, body, root))
            except CloudRefusalError as error:
                return JSONResponse(refused(error), error.status)
            if given.body is None:
                return Response(status_code=given.status, headers=given.headers)
            return JSONResponse(given.body, given.status, given.headers)

        return answer

    return Mount(prefix, routes=[Route(each.path, endpoint(each), methods=[each.method]) for each in calls])
