"""The `gcp` section."""

from infra.settings.managed import ManagedSettings


class GcpSettings(ManagedSettings):
    """Cloud SQL for PostgreSQL."""
