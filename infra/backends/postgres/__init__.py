"""An existing PostgreSQL server: `database` composes the record, `passwords` finds the passwords, `runbook` has words.

Nothing is made in a cloud, and nothing on the server either: that is the bootstrapper's part.
"""

from infra.backends.postgres.database import PostgresDatabase

__all__ = ["PostgresDatabase"]
