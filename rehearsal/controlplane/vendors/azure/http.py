"""The HTTP of Azure Resource Manager, for Microsoft's management SDK with `base_url=<control plane>/azure`."""

from collections.abc import Callable
from typing import Any, Final

from starlette.routing import BaseRoute

from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.vendors.azure.actions import Actions
from rehearsal.controlplane.vendors.mishaps import Mishaps, Words
from rehearsal.controlplane.vendors.rest import Answer, Asked, mount
from rehearsal.errors import CloudRefusalError

_MISHAPS: Final = Mishaps(
    cloud="azure",
    throttled=Words(
        "TooManyRequests", "The request is being throttled as the limit has been reached for the operation.", 429
    ),
    failed=Words("InternalServerError", "An unexpected error occurred while processing the request.", 500),
    late=Words("GatewayTimeout", "The gateway did not receive a response within the specified time period.", 504),
)
"""Source: Azure Resource Manager, "Common errors"."""


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """All calls."""

    def around(name: str, asked: Asked, act: Callable[[], Answer]) -> Answer:
        if "api-version" not in asked.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise CloudRefusalError(code="MissingApiVersionParameter", message=message)
        return _MISHAPS.through(plane.faults, name, act)

    return [mount("/azure", Actions(plane.servers).calls, _refused, around)]


def _refused(error: CloudRefusalError) -> dict[str, Any]:
    """Azure Resource Manager's JSON of an error."""
    return {"error": {"code": error.code, "message": error.message}}
