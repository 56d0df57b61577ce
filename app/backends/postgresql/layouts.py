"""Which layout the session tables of a PostgreSQL database have, and whether it may be worked with."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import DateTime, Table
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSON, JSONB
from sqlalchemy.types import Float, Integer, Numeric, String

from app.backends.postgresql import history
from app.backends.postgresql.catalog import Catalog
from app.errors import ForeignDatabaseError, IncompatibleLayoutError
from app.schema.model import TABLES
from app.schema.postgresql import ADK_METADATA, METADATA, SCHEMA_VERSION


class Layout(StrEnum):
    """What the tables look like; the value is for people."""

    EMPTY = "no session tables"
    CURRENT = "ADK's layout v1"
    TEXT = "text and epoch columns, made by hand"
    PICKLED = "ADK's layout v0, with pickled events"


_PICKLED_COLUMNS: Final = frozenset({"actions", "author"})
"""What layout v0 has in place of `event_data` (google-adk 2.13 `_schema_check_utils`)."""


def recognise(catalog: Catalog) -> Layout:
    """Tell the layout; read-only.

    Args:
        catalog: What is there.

    Raises:
        ForeignDatabaseError: Something else has one of the names, or a later release has been here.
        IncompatibleLayoutError: ADK's metadata names a version that nobody knows.
    """
    _refuse_other_relations(catalog)
    _refuse_code_of_others(catalog)
    _refuse_later_releases(catalog)
    there = [METADATA.tables[name] for name in TABLES if name in catalog.found.tables]
    columns = {column["name"] for column in catalog.found.columns.get("events", [])}
    if columns >= _PICKLED_COLUMNS and "event_data" not in columns:
        there = [table for table in there if table.name != "events"]
        _refuse_unusable(catalog, there, convertible=False)
        return Layout.PICKLED
    if catalog.adk_version not in (None, SCHEMA_VERSION[1]):
        message = (
            f"expected ADK's layout v1 in {catalog.facts['database']}, but adk_internal_metadata says version "
            f"{catalog.adk_version}. A later ADK made it: upgrade this package, or name another database"
        )
        raise IncompatibleLayoutError(message)
    if not there:
        return Layout.EMPTY
    if not any(list(_unusable(catalog, table, convertible=False)) for table in there):
        return Layout.CURRENT
    _refuse_unusable(catalog, there, convertible=True)
    return Layout.TEXT


def _refuse_other_relations(catalog: Catalog) -> None:
    taken = [f"{name}, which is no table" for name, kind in catalog.kinds.items() if kind not in ("r", "p")]
    if history.TABLE in catalog.found.tables and not history.is_ours(catalog.found):
        taken.append(f"another table {history.TABLE}")
    if ADK_METADATA.name in catalog.found.tables:
        taken += _unusable(catalog, ADK_METADATA, convertible=False)
    if taken:
        raise _foreign(catalog, taken)


def _refuse_code_of_others(catalog: Catalog) -> None:
    """Before the first statement that could run it: we may be the administrator, and they are not."""
    if catalog.one_role:
        return
    found = [
        f"{name} of the role {catalog.owners[name]} with a trigger, rule, policy or check of its own"
        for name in sorted(catalog.scripted)
        if catalog.owners[name] != catalog.facts["user"]
    ]
    if found:
        message = (
            f"expected session tables that run no code of other roles in {catalog.facts['database']}, but found "
            f"{', '.join(found)}. Drop it first, or give the table to the administrator"
        )
        raise ForeignDatabaseError(message)


def _refuse_later_releases(catalog: Catalog) -> None:
    later = [entry for entry in catalog.recorded if entry.layout > history.LAYOUT]
    if later:
        message = (
            f"expected layout {history.LAYOUT} or an earlier one in {catalog.facts['database']}, but release "
            f"{later[-1].release} of this package has made layout {later[-1].layout}. Upgrade this package"
        )
        raise IncompatibleLayoutError(message)


def _refuse_unusable(catalog: Catalog, tables: list[Table], *, convertible: bool) -> None:
    found = [said for table in tables for said in _unusable(catalog, table, convertible=convertible)]
    if found:
        raise _foreign(catalog, found)


def _foreign(catalog: Catalog, found: list[str]) -> ForeignDatabaseError:
    return ForeignDatabaseError(
        f"expected ADK's session tables, or none of their names, in schema {catalog.schema} of "
        f"{catalog.facts['database']}, but found {'; '.join(found)}. Name another database, or another schema with "
        "--schema; nothing was changed"
    )


def _unusable(catalog: Catalog, table: Table, *, convertible: bool) -> Iterator[str]:
    """What ADK could not work with.

    More is harmless to it: TEXT for VARCHAR, JSON for JSONB, another order of the key, columns that may stay empty.
    """
    there = {column["name"]: column for column in catalog.found.columns[table.name]}
    for column in table.columns:
        place = f"{table.name}.{column.name}"
        if column.name not in there:
            yield f"no column {place}"
        elif not _serves(column.type, there[column.name]["type"], convertible=convertible):
            yield f"{place} of type {there[column.name]['type']}"
    for name, column in there.items():
        if name not in table.columns and not column["nullable"] and not _filled(column):
            yield f"{table.name}.{name}, which may not be empty"
    wanted = {column.name for column in table.primary_key.columns}
    if set(catalog.found.keys.get(table.name, [])) != wanted:
        yield f"no primary key ({', '.join(sorted(wanted))}) on {table.name}"


def _filled(column: Any) -> bool:
    return column.get("default") is not None or bool(column.get("identity")) or bool(column.get("computed"))


def _serves(wanted: Any, found: Any, *, convertible: bool) -> bool:
    if isinstance(wanted, DateTime):
        exact = isinstance(found, DateTime) and not found.timezone
        return exact or (convertible and isinstance(found, DateTime | Float | Numeric | Integer | DOUBLE_PRECISION))
    if isinstance(wanted, JSONB):
        return isinstance(found, JSON) or (convertible and isinstance(found, String))
    return isinstance(found, String)
