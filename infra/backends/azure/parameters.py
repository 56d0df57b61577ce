"""Server parameters."""

from collections.abc import Mapping
from typing import Final

from infra.preflight.azure.machines import MACHINES
from infra.settings.azure import AzureSettings

ALWAYS: Final[Mapping[str, str]] = {
    "require_secure_transport": "on",
    "ssl_min_protocol_version": "TLSv1.2",
    # ADK writes timestamps without a zone.
    "TimeZone": "UTC",
    "log_connections": "on",
    "log_disconnections": "on",
    # A client that died inside a transaction keeps its locks for a minute, not for ever.
    "idle_in_transaction_session_timeout": "60000",
    "statement_timeout": "60000",
}
"""What every server has, as Azure spells it; times in milliseconds.

`max_connections` is not in here: a server keeps the one of the size that it was made with, and setting it to the
default of its new size is silently ignored (pulumi/pulumi-azure-native#4736).
"""

INSIGHTS: Final[Mapping[str, str]] = {
    "pg_qs.query_capture_mode": "top",
    "pgms_wait_sampling.query_capture_mode": "all",
    "track_io_timing": "on",
}
"""The query store (Microsoft, "Query store"); burstable machines are too small for it."""


def parameters(settings: AzureSettings) -> dict[str, str]:
    """All parameters by name, in the order in which they are set; read-only."""
    small = MACHINES[settings.sku].tier == "Burstable"
    insights = INSIGHTS if settings.query_insights and not small else {}
    return dict(sorted({**ALWAYS, **insights, **settings.parameters}.items()))
