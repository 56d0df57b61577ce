"""Sessions in a SQLite file, for ADK's `SqliteSessionService`."""

from app.backends.sqlite.bootstrap import bootstrap, plan
from app.backends.sqlite.connection import in_use
from app.backends.sqlite.uri import adk_uri
from app.backends.sqlite.verification import differences, verify

__all__ = ["adk_uri", "bootstrap", "differences", "in_use", "plan", "verify"]
