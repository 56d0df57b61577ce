"""One sub-package for each backend, all in the same shape; nothing outside knows which one it got."""

from infra.backends.sqlite import SqliteDatabase
from infra.contract import SessionDatabase
from infra.settings import Settings


def provision(settings: Settings) -> SessionDatabase:
    """Register the resources of the chosen backend and return its record."""
    return SqliteDatabase("adk-sessions", settings.sqlite).record
