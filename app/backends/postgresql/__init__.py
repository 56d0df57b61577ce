"""Sessions in PostgreSQL, for ADK's `DatabaseSessionService`."""

from app.backends.postgresql.bootstrap import bootstrap, plan
from app.backends.postgresql.connection import in_use
from app.backends.postgresql.uri import adk_uri
from app.backends.postgresql.verification import differences, verify

__all__ = ["adk_uri", "bootstrap", "differences", "in_use", "plan", "verify"]
