"""The HTTP of Azure Database for PostgreSQL."""

from starlette.routing import BaseRoute

from rehearsal.controlplane.plane import ControlPlane


def routes(plane: ControlPlane) -> list[BaseRoute]:
    """None yet."""
    del plane
    return []
