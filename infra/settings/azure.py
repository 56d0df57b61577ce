"""The `azure` section."""

from infra.settings.managed import ManagedSettings


class AzureSettings(ManagedSettings):
    """Azure Database for PostgreSQL, Flexible Server."""
