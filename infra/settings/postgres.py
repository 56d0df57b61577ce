"""The `postgres` section."""

from infra.settings.section import Section


class PostgresSettings(Section):
    """A PostgreSQL server that somebody else runs."""
