"""The HTTP of Cloud SQL, for google-api-python-client with `api_endpoint=<control plane>/gcp/`."""

from collections.abc import Callable
from typing import Any, Final

from starlette.routing import BaseRoute

from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.vendors.gcp.actions import Actions
from rehearsal.controlplane.vendors.mishaps import Mishaps, Words
from rehearsal.controlplane.vendors.rest import Answer, Asked, mount
from rehearsal.errors import CloudRefusalError

_MISHAPS: Final = Mishaps(
    cloud="gcp",
    throttled=Words(
        "rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'.", 429
    ),
    failed=Words("INTERNAL_ERROR", "An internal error has occurred.", 500),
    late=Words("backendError", "The request has timed out.", 504),
)
"""Source: Cloud SQL for PostgreSQL, "Error messages"."""


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """All calls."""

    def around(name: str, asked: Asked, act: Callable[[], Answer]) -> Answer:
        del asked
        return _MISHAPS.through(plane.faults, name, act)

    return [mount("/gcp", Actions(plane.servers).calls, _refused, around)]


def _refused(error: CloudRefusalError) -> dict[str, Any]:
    """Google's JSON of an error."""
    each = {"message": error.message, "domain": "global", "reason": error.code}
    return {"error": {"code": error.status, "message": error.message, "errors": [each]}}
