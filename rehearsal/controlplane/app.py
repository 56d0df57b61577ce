"""The HTTP of a control plane: everything below its token, the plugins' API and the vendors' own."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from rehearsal.controlplane.clouds import ROUTES
from rehearsal.controlplane.internal import Internal
from rehearsal.controlplane.plane import ControlPlane
from rehearsal.errors import CloudRefusalError, RehearsalError


def application(plane: ControlPlane, token: str, stop: Callable[[], None]) -> Starlette:
    """The application.

    Args:
        plane: What is asked.
        token: The first part of every path; whoever does not know it finds nothing.
        stop: Ends the control plane.
    """
    internal = Internal(plane, stop)

    async def ask(request: Request) -> Response:
        asked = json.loads(await request.body() or b"{}")
        try:
            return JSONResponse(await run_in_threadpool(internal.answer, request.path_params["verb"], asked))
        except RehearsalError as error:
            return _refused(error)

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(plane.stop)

    vendors = [route for make in ROUTES for route in make(plane)]
    below = [Route("/internal/{verb}", ask, methods=["POST"]), *vendors]
    return Starlette(routes=[Mount(f"/{token}", routes=below)], lifespan=life)


def _refused(error: RehearsalError) -> Response:
    if isinstance(error, CloudRefusalError):
        return JSONResponse({"code": error.code, "message": error.message}, error.status)
    return JSONResponse({"code": "InternalError", "message": str(error)}, 400)
