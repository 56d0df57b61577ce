"""The `aws` section."""

from infra.settings.managed import ManagedSettings


class AwsSettings(ManagedSettings):
    """Amazon RDS for PostgreSQL."""
