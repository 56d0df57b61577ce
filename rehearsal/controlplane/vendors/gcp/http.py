"""The HTTP of Cloud SQL, for google-api-python-client with `api_endpoint=<control plane>/gcp/`."""

from typing import Any

from starlette.routing import BaseRoute

from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.vendors.gcp.actions import Actions
from rehearsal.controlplane.vendors.rest import Asked, mount
from rehearsal.errors import CloudRefusalError


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """All calls."""

    def before(name: str, asked: Asked) -> None:
        del asked
        if plane.faults.take("gcp", "api", name) is not None:
            message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'."
            raise CloudRefusalError(code="rateLimitExceeded", message=message, status=429)

    return [mount("/gcp", Actions(plane.servers).calls, _refused, before)]


def _refused(error: CloudRefusalError) -> dict[str, Any]:
    """Google's JSON of an error."""
    each = {"message": error.message, "domain": "global", "reason": error.code}
    return {"error": {"code": error.status, "message": error.message, "errors": [each]}}
