"""A session database on a real server, as a managed cloud gives it, and eyes apart from the code under test."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import URL

from app.backends.interface import Target
from rehearsal.managed import ManagedDatabase

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def app_url(server_database: ManagedDatabase) -> URL:
    """Of the app role, which nobody has made yet; its password has what has to be percent-encoded."""
    mark = server_database.name.rpartition("_")[2]
    return server_database.admin.set(username=f"adk_{mark}", password=f"p@ss:w/or%d?#&{secrets.token_hex(8)}")


@pytest.fixture
def target(server_database: ManagedDatabase, app_url: URL) -> Target:
    """An empty database with an administrator who is no superuser, and the app role to be made."""
    return Target(app_url, server_database.admin)


@pytest.fixture
def sql(server_database: ManagedDatabase) -> Sql:
    """Runs a statement as the superuser on the test's database and returns its rows."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        return server_database.cluster.execute(statement, server_database.name)

    return run


@pytest.fixture
def shape(sql: Sql) -> Callable[[], str]:
    """Tells everything that a schema is made of, to be compared with itself later."""

    def tell() -> str:
        return json.dumps([sql(statement) for statement in _SHAPE], default=str)

    return tell


_SHAPE = (
    """
    SELECT n.nspname, c.relname, c.relkind::text, c.relacl::text, pg_get_userbyid(c.relowner)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
    """,
    """
    SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
    """,
    """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index
    WHERE indexrelid >= 16384 ORDER BY 1
    """,
    "SELECT rolname FROM pg_roles ORDER BY 1",
    "SELECT setdatabase, setrole::regrole::text, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
)
