"""The statements that turn text and epoch columns, made by hand after SQLite's layout, into ADK's layout v1."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, DateTime, Table
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.backends.interface import Step
from app.backends.postgresql.catalog import Catalog
from app.backends.postgresql.names import quoted
from app.schema.model import TABLES
from app.schema.postgresql import METADATA

_STATE: Final = (
    "INSERT INTO {table} SELECT DISTINCT {key}, '{{}}'::jsonb, now() AT TIME ZONE 'UTC' FROM sessions "
    "ON CONFLICT DO NOTHING"
)
_STATES: Final = (
    _STATE.format(table="app_states", key="app_name"),
    _STATE.format(table="user_states", key="app_name, user_id"),
)
"""ADK cannot append to a session whose app or user has no row of state (google-adk 2.13 `append_event`)."""


def steps(connection: Connection, catalog: Catalog) -> list[Step]:
    """One step for each table that is to change, then the rows that ADK expects; read-only.

    Every statement keeps all rows or fails as a whole: text that is no JSON, or an id that is too long, undoes all.

    Args:
        connection: Whose dialect spells the types.
        catalog: What is there, in the layout `Layout.TEXT`.
    """
    made = []
    for name in TABLES:
        if name in catalog.found.tables:
            changes = list(_changes(connection, METADATA.tables[name], catalog))
            if changes:
                sql = f"ALTER TABLE {name}\n\t" + ",\n\t".join(changes)
                made.append(Step(f"convert table {name}", (sql,)))
    return made


def missing_states() -> Step:
    """The step that gives every session's app and user their rows of state; to run once all tables are there."""
    return Step("add missing rows of state", _STATES)


def _changes(connection: Connection, table: Table, catalog: Catalog) -> Iterator[str]:
    there = {column["name"]: column for column in catalog.found.columns[table.name]}
    for column in table.columns:
        found = there[column.name]
        wanted = column.type.compile(connection.dialect)
        if found.get("default") is not None:
            yield f"ALTER COLUMN {column.name} DROP DEFAULT"
        if wanted != found["type"].compile(connection.dialect):
            yield f"ALTER COLUMN {column.name} TYPE {wanted}{_using(column.name, column.type, found['type'])}"
        if found["nullable"] and not column.nullable:
            yield f"ALTER COLUMN {column.name} SET NOT NULL"
        if not found["nullable"] and column.nullable:
            yield f"ALTER COLUMN {column.name} DROP NOT NULL"
    yield from _keys(connection, table, catalog)


def _keys(connection: Connection, table: Table, catalog: Catalog) -> Iterator[str]:
    wanted = [column.name for column in table.primary_key.columns]
    if catalog.found.keys[table.name] != wanted:
        yield f"DROP CONSTRAINT {quoted(connection, catalog.found.key_names[table.name])}"
        yield f"ADD PRIMARY KEY ({', '.join(wanted)})"
    if not catalog.found.references.get(table.name):
        for key in table.foreign_key_constraints:
            columns = ", ".join(key.column_keys)
            elements = ", ".join(element.column.name for element in key.elements)
            there = f"{key.referred_table.name} ({elements}) ON DELETE {key.ondelete}"
            yield f"ADD FOREIGN KEY ({columns}) REFERENCES {there}"


def _using(name: str, wanted: Any, found: Any) -> str:
    if isinstance(wanted, JSONB) and not isinstance(found, JSON):
        return f" USING {name}::jsonb"
    if isinstance(wanted, DateTime):
        moment = name if isinstance(found, DateTime) else f"to_timestamp({name}::double precision)"
        return f" USING {moment} AT TIME ZONE 'UTC'"
    return ""
