"""Leaves a server as it was: what a test made on it goes with the test."""

import contextlib
from collections.abc import Iterator

from psycopg.sql import SQL, Identifier

from rehearsal.cluster import Cluster


@contextlib.contextmanager
def swept(cluster: Cluster) -> Iterator[None]:
    """Drop the databases and roles made inside, whoever made them and whoever still uses them.

    Args:
        cluster: A running server that nobody else changes meanwhile; it is started again if it was left stopped.
    """
    databases, roles = _databases(cluster), _roles(cluster)
    yield
    if not cluster.running:
        cluster.start()
    for database in sorted(_databases(cluster) - databases):
        cluster.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database)))
    if made := sorted(_roles(cluster) - roles):
        names = SQL(", ").join(map(Identifier, made))
        cluster.execute(SQL("DROP OWNED BY {} CASCADE").format(names))  # What they were granted and granted themselves.
        cluster.execute(SQL("DROP ROLE {}").format(names))


def _databases(cluster: Cluster) -> set[str]:
    return {name for (name,) in cluster.execute("SELECT datname FROM pg_database")}


def _roles(cluster: Cluster) -> set[str]:
    return {name for (name,) in cluster.execute("SELECT rolname FROM pg_roles")}
