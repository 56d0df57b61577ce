"""What the administrator of a managed cloud can do, and what it cannot."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from rehearsal.cluster import Cluster
from rehearsal.leftovers import swept
from rehearsal.managed import ManagedDatabase, managed

Ask = Callable[[URL, str], list[Any]]

VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
STOCK = {("postgres",), ("template0",), ("template1",)}


@VERSIONS
def test_the_master_rules_its_database_but_is_no_superuser(server_database: ManagedDatabase, ask: Ask) -> None:
    """It owns the database, makes roles and other databases, and grants IAM logins."""
    master = server_database.admin

    assert ask(master, "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
        (False, True, True)
    ]
    for statement in (
        "CREATE TABLE public.mine ()",
        "CREATE SCHEMA sessions",
        "CREATE ROLE app LOGIN PASSWORD 'change-me'",
        "GRANT rds_iam TO app",
        "CREATE DATABASE another",
    ):
        ask(master, statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(master, "ALTER SYSTEM SET work_mem = '8MB'")
    assert ask(server_database.superuser, "SELECT current_database()") == [(server_database.name,)]


@VERSIONS
def test_others_may_not_create_in_public(server_database: ManagedDatabase, ask: Ask) -> None:
    """As from PostgreSQL 15 on."""
    ask(server_database.admin, "CREATE ROLE app LOGIN PASSWORD 'change-me'")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema public"):
        ask(server_database.admin.set(username="app", password="change-me"), "CREATE TABLE public.mine ()")


@VERSIONS
def test_a_cloud_may_own_the_database_itself(postgresql: Cluster, ask: Ask) -> None:
    """Its master then rules as a member of the owner; a password may be given."""
    with swept(postgresql):
        made = managed(postgresql, "theirs", master="azureuser", password="change-me", owner="azure_pg_admin")
        ask(made.admin, "CREATE TABLE public.mine ()")
        owner = ask(made.admin, "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()")

        assert made.admin.password == "change-me"
        assert owner == [("azure_pg_admin",)]


@VERSIONS
def test_a_test_leaves_the_server_as_it_was(postgresql: Cluster, ask: Ask) -> None:
    """Databases, roles, grants between roles and open connections go; also after the server was stopped."""
    with swept(postgresql):
        made = managed(postgresql, "mine")
        text = made.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        still_open = psycopg.connect(text)
        ask(made.admin, "CREATE ROLE app")
        ask(made.admin, "CREATE ROLE reader")
        ask(made.admin, "GRANT reader TO app")
        ask(made.admin, "CREATE DATABASE another")
        ask(made.admin.set(database="another"), "CREATE TABLE apart ()")
        ask(made.admin.set(database="another"), "GRANT SELECT ON apart TO reader")
        ask(made.superuser.set(database="postgres"), "GRANT CREATE ON DATABASE postgres TO app")
        postgresql.stop()
    still_open.close()

    assert set(postgresql.execute("SELECT datname FROM pg_database")) == STOCK
    assert postgresql.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'") == [("postgres",)]
