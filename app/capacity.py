"""Whether all replicas together fit into the server's connections, in one line where they do not."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.engine import Pool

_LIMITS: Final = text("""
SELECT current_setting('max_connections')::int AS most,
  current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
  rolconnlimit AS of_role, datconnlimit AS of_database, rolname AS role, datname AS database
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
""")
"""Source: PostgreSQL, "Connections and Authentication": both are kept for other roles, the second one from 16 on."""

_PROBES: Final = 1
"""Of each process, for `/readyz`."""


async def shortage(connection: AsyncConnection, pool: Pool) -> str | None:
    """What to tell where the pools of all replicas could ask for more connections than there are; read-only.

    Args:
        connection: To the server.
        pool: The settings of this process, which all replicas share.

    Returns:
        One line; None where all fit, and behind a pooler, which has limits of its own.
    """
    if pool.pooler == "transaction":
        return None
    found = (await connection.execute(_LIMITS)).one()
    kept = f"max_connections {found.most}, less {found.reserved} that the server keeps for others"
    limits = [(found.most - found.reserved, kept)]
    if found.of_role >= 0:
        limits.append((found.of_role, f"the CONNECTION LIMIT of the role {found.role}"))
    if found.of_database >= 0:
        limits.append((found.of_database, f"the CONNECTION LIMIT of the database {found.database}"))
    left, why = min(limits)
    wanted = pool.replicas * (pool.size + pool.overflow + _PROBES)
    if wanted <= left:
        return None
    return (
        f"expected at least {wanted} connections for {pool.replicas} replicas with {pool.size} + {pool.overflow} each "
        f"and one for probes, but there are {left} ({why}). "
        "Lower SESSION_DB_POOL_SIZE or SESSION_DB_POOL_OVERFLOW, raise that limit, or put a pooler in between"
    )
