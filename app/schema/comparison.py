"""How a table in the database differs from the table in the metadata, in words."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Inspector, Table, inspect


def differences(connection: Connection, table: Table) -> tuple[str, ...]:
    """Compare a table that exists with the one that is wanted; read-only.

    Args:
        connection: An open connection.
        table: The table as it should be.

    Returns:
        One sentence for each difference in columns, types, NULL, key order and foreign keys, for example
        `sessions.update_time: expected REAL, found DATETIME`.
    """
    inspector = inspect(connection)
    return (*_columns(inspector, table), *_primary_key(inspector, table), *_foreign_keys(inspector, table))


def _columns(inspector: Inspector, table: Table) -> Iterator[str]:
    found = {column["name"]: column for column in inspector.get_columns(table.name)}
    for column in table.columns:
        place = f"{table.name}.{column.name}"
        wanted = _described(column.type, nullable=bool(column.nullable))
        if column.name not in found:
            yield f"{place}: expected {wanted}, found no such column"
            continue
        actual = _described(found[column.name]["type"], nullable=found[column.name]["nullable"])
        if wanted != actual:
            yield f"{place}: expected {wanted}, found {actual}"
    for name in found.keys() - table.columns.keys():
        yield f"{table.name}.{name}: expected no such column, found {found[name]['type']}"


def _primary_key(inspector: Inspector, table: Table) -> Iterator[str]:
    wanted = _names(table.primary_key.columns)
    actual = ", ".join(inspector.get_pk_constraint(table.name)["constrained_columns"])
    if wanted != actual:
        yield f"{table.name}: expected the primary key ({wanted}), found ({actual})"


def _foreign_keys(inspector: Inspector, table: Table) -> Iterator[str]:
    wanted = {
        f"({_names(key.columns)}) to {key.referred_table.name} ({_names(e.column for e in key.elements)}) "
        f"ON DELETE {key.ondelete}"
        for key in table.foreign_key_constraints
    }
    actual = {
        f"({', '.join(key['constrained_columns'])}) to {key['referred_table']} ({', '.join(key['referred_columns'])}) "
        f"ON DELETE {key.get('options', {}).get('ondelete', 'NO ACTION')}"
        for key in inspector.get_foreign_keys(table.name)
    }
    if wanted != actual:
        yield f"{table.name}: expected the foreign keys {sorted(wanted) or 'none'}, found {sorted(actual) or 'none'}"


def _described(kind: Any, *, nullable: bool) -> str:
    return f"{kind}" if nullable else f"{kind} NOT NULL"


def _names(columns: Any) -> str:
    names: Iterator[Column[Any]] = iter(columns)
    return ", ".join(column.name for column in names)
