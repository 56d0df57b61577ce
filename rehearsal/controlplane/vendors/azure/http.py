"""The HTTP of Azure Resource Manager, for Microsoft's management SDK with `base_url=<control plane>/azure`."""

from typing import Any

from starlette.routing import BaseRoute

from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.vendors.azure.actions import Actions
from rehearsal.controlplane.vendors.rest import Asked, mount
from rehearsal.errors import CloudRefusalError


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """All calls."""

    def before(name: str, asked: Asked) -> None:
        if "api-version" not in asked.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise CloudRefusalError(code="MissingApiVersionParameter", message=message)
        if plane.faults.take("azure", "api", name) is not None:
            message = "The request is being throttled as the limit has been reached for the operation."
            raise CloudRefusalError(code="TooManyRequests", message=message, status=429)

    return [mount("/azure", Actions(plane.servers).calls, _refused, before)]


def _refused(error: CloudRefusalError) -> dict[str, Any]:
    """Azure Resource Manager's JSON of an error."""
    return {"error": {"code": error.code, "message": error.message}}
