"""The HTTP of Amazon RDS, for boto3 with `endpoint_url=<control plane>/aws` and any credentials."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.vendors.aws import query
from rehearsal.controlplane.vendors.aws.actions import Actions
from rehearsal.controlplane.vendors.mishaps import Mishaps, Words
from rehearsal.errors import CloudRefusalError

_MISHAPS: Final = Mishaps(
    cloud="aws",
    throttled=Words("Throttling", "Rate exceeded", 400),
    failed=Words("InternalFailure", "An internal error has occurred.", 500),
    late=Words("ServiceUnavailable", "The request has timed out.", 503),
)
"""Source: Amazon RDS API Reference, "Common Errors"."""


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """The one path that all actions are posted to."""
    actions = Actions(plane.servers).actions

    def act(form: dict[str, str], authorization: str) -> bytes:
        name = form.get("Action", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 "):
            message = "Request is missing Authentication Token"
            raise CloudRefusalError(code="MissingAuthenticationToken", message=message, status=403)
        asked = query.parameters(name, form)
        if name not in actions:
            message = f"The rehearsal does not know the action {name}."
            raise CloudRefusalError(code="InvalidAction", message=message)
        return query.answer(name, _MISHAPS.through(plane.faults, name, lambda: actions[name](asked)))

    async def post(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            body = await run_in_threadpool(act, form, request.headers.get("authorization", ""))
        except CloudRefusalError as error:
            return Response(query.refusal(error), error.status, media_type="text/xml")
        return Response(body, media_type="text/xml")

    return [Route(path, post, methods=["POST"]) for path in ("/aws", "/aws/")]
