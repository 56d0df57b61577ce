"""A database as managed clouds hand it out: its administrator is no superuser."""

import secrets
from dataclasses import dataclass
from typing import Final

from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import URL

from rehearsal.cluster import Cluster

RESERVED: Final = "rds_iam"
"""The role whose members log in with an IAM token on Amazon RDS; its password login stops working.

Source: Amazon RDS User Guide, "Creating a database account using IAM authentication".
"""

_NARROW_CREATEROLE: Final = 160000
"""From PostgreSQL 16 on, CREATEROLE alone grants no role that somebody else made. Source: its release notes."""


@dataclass(frozen=True)
class ManagedDatabase:
    """A database and who may reach it.

    Attributes:
        cluster: The server that it is on.
        name: Its name.
        admin: Its URL for the master: the administrator that a cloud hands out.
        superuser: Its URL for the superuser, whom a cloud keeps to itself.
    """

    cluster: Cluster
    name: str
    admin: URL
    superuser: URL


def managed(
    cluster: Cluster, database: str, *, master: str = "master", password: str | None = None, owner: str | None = None
) -> ManagedDatabase:
    """Make a database and its master on a running server, with the rights that Amazon RDS gives.

    The master may log in, create roles and databases, and owns the database, but is no superuser.
    Source: Amazon RDS User Guide, "Understanding the rds_superuser role".

    Args:
        cluster: The server.
        database: The name of the database; not there yet.
        master: The name of the master; not there yet.
        password: The master's; None makes a new one.
        owner: A role that owns the database in the master's place, who is its member then; made where it is not
            there. For example "cloudsqlsuperuser" as on Cloud SQL, "azure_pg_admin" as on Azure.

    Raises:
        psycopg.Error: A name is taken.
    """
    password = password or secrets.token_urlsafe(24)
    with cluster.superuser.connect(cluster.address, "postgres") as connection:
        connection.execute(
            SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}").format(Identifier(master), Literal(password))
        )
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role, rights in ((RESERVED, "NOLOGIN"), (owner, "NOLOGIN CREATEROLE CREATEDB")):
            if role is not None and role not in there:
                connection.execute(SQL("CREATE ROLE {} " + rights).format(Identifier(role)))
        if owner is not None:
            connection.execute(SQL("GRANT {} TO {}").format(Identifier(owner), Identifier(master)))
        if connection.info.server_version >= _NARROW_CREATEROLE:  # The master of RDS grants it there too.
            connection.execute(
                SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").format(
                    Identifier(RESERVED), Identifier(master)
                )
            )
        connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner or master)))
    return ManagedDatabase(cluster, database, cluster.uri(master, password, database), cluster.superuser_uri(database))
