"""Our layout against what the installed ADK says of its own, and against the tables that it makes by itself."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.schemas.v1 import Base
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, Column, Table
from sqlalchemy.schema import CreateIndex, CreateTable

from app import verbs
from app.backends import choice
from app.backends.interface import Target
from app.backends.postgresql import history
from app.schema.comparison import ddl
from app.schema.postgresql import DIALECT, METADATA
from rehearsal.cluster import Cluster
from rehearsal.leftovers import swept

ADK = Base.metadata

VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)

COLUMNS = """
SELECT table_name || '.' || column_name, ordinal_position, column_default, is_nullable, data_type,
  character_maximum_length, datetime_precision, udt_name, collation_name, is_identity, is_generated
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'session_db_history'
"""

CONSTRAINTS = """
SELECT conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'session_db_history'
"""

INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
  AND indrelid::regclass::text <> 'session_db_history'
"""

RELATIONS = """
SELECT relname, relkind::text, relpersistence::text, reloptions, relrowsecurity FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'S')
"""


@pytest.fixture
def databases(postgresql: Cluster) -> Iterator[tuple[URL, URL]]:
    """Two that a superuser owns: ADK has made its tables in the first, we have bootstrapped the second."""
    with swept(postgresql):
        mark = secrets.token_hex(4)
        adks, ours = (postgresql.superuser_uri(f"{maker}_{mark}") for maker in ("adk", "ours"))
        for url in (adks, ours):
            postgresql.execute(SQL("CREATE DATABASE {}").format(Identifier(str(url.database))))
        asyncio.run(prepare(adks))
        verbs.bootstrap(Target.of(ours))
        yield adks, ours


async def prepare(url: URL) -> None:
    """Let ADK make its tables."""
    async with DatabaseSessionService(choice.of(url).adk_uri(url)) as service:
        await service.prepare_tables()


def by_name(cluster: Cluster, url: URL, query: str) -> dict[str, Any]:
    """The rows of a catalog by their first column, so that a difference has a name."""
    return {row[0]: row[1:] for row in cluster.execute(query, str(url.database))}


@VERSIONS
@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS], ids=["columns", "constraints"])
def test_columns_and_constraints_are_adks(postgresql: Cluster, databases: tuple[URL, URL], query: str) -> None:
    """Name, order, type, length, NULL, default; keys and the cascade by which ADK deletes a session's events."""
    adks, ours = (by_name(postgresql, url, query) for url in databases)

    assert adks
    assert ours == adks


@VERSIONS
def test_the_indexes_are_adks_and_one_of_ours(postgresql: Cluster, databases: tuple[URL, URL]) -> None:
    """ADK looks for its own by name, and leaves others alone."""
    adks, ours = (by_name(postgresql, url, INDEXES) for url in databases)

    definition = "CREATE INDEX session_db_sessions_update_time ON public.sessions USING btree (update_time)"
    assert ours.pop("session_db_sessions_update_time") == (definition, True)
    assert "idx_events_app_user_session_ts_id" in adks
    assert ours == adks


@VERSIONS
def test_the_tables_are_adks_and_one_of_ours(postgresql: Cluster, databases: tuple[URL, URL]) -> None:
    """No view, no type, no option either."""
    adks, ours = (by_name(postgresql, url, RELATIONS) for url in databases)

    assert ours.pop("session_db_history") == ("r", "p", None, False)
    assert set(adks) == set(METADATA.tables)
    assert ours == adks


@VERSIONS
def test_the_metadata_row_is_adks(postgresql: Cluster, databases: tuple[URL, URL]) -> None:
    """Any other value would make ADK read its older layout."""
    adks, ours = (by_name(postgresql, url, "SELECT * FROM adk_internal_metadata") for url in databases)

    assert ours == adks == {"schema_version": ("1",)}


def test_the_tables_are_those_of_adks_metadata() -> None:
    """A table that a later ADK adds is missing here."""
    assert sorted(METADATA.tables) == sorted(ADK.tables)


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_the_columns_are_those_of_adks_metadata(table: str) -> None:
    """Spelt for PostgreSQL, in their order; a failure names table and column."""

    def told(columns: Table) -> list[str]:
        return [describe(column) for column in columns.columns]

    assert told(METADATA.tables[table]) == told(ADK.tables[table])


def describe(column: Column[Any]) -> str:
    """For example `events.id VARCHAR(128) NOT NULL, key`."""
    null = "" if column.nullable else " NOT NULL"
    key = ", key" if column.primary_key else ""
    default = f", default {column.server_default}" if column.server_default is not None else ""
    return f"{column.table.name}.{column.name} {column.type.compile(dialect=DIALECT)}{null}{key}{default}"


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_the_ddl_is_that_of_adks_metadata(table: str) -> None:
    """To the letter, keys and cascade included; of the indexes, one is ours."""
    ours, adks = METADATA.tables[table], ADK.tables[table]

    assert ddl(CreateTable(ours), DIALECT) == ddl(CreateTable(adks), DIALECT)
    extra = {"CREATE INDEX session_db_sessions_update_time ON sessions (update_time)"} if table == "sessions" else set()
    assert indexes(ours) == indexes(adks) | extra


def indexes(table: Table) -> set[str]:
    """Their DDL."""
    return {ddl(CreateIndex(index), DIALECT) for index in table.indexes}


def test_a_layout_that_changes_needs_a_new_number() -> None:
    """A database that carries number and checksum is taken as finished: raise `history.LAYOUT`, then pin this anew."""
    pinned = {1: "6d760ea5f88c8eb2c72d50c88c847268a59d5542b364f0ffbd327d3c468bc336"}

    assert history.checksum() == pinned[history.LAYOUT]
