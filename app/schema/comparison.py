"""How the tables of a database differ from the tables in the metadata, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Index, Table, UnaryExpression, inspect
from sqlalchemy.schema import CreateIndex, CreateTable


@dataclass(frozen=True)
class Found:
    """What is there under the names of a layout.

    Attributes:
        columns: By table, each as the inspector tells it.
        keys: The columns of the primary key, by table.
        key_names: The name of its constraint, by table.
        references: The foreign keys, by table.
        indexes: By table, then by name; without those of keys.
    """

    columns: Mapping[str, list[Any]]
    keys: Mapping[str, list[str]]
    key_names: Mapping[str, str]
    references: Mapping[str, list[Any]]
    indexes: Mapping[str, Mapping[str, Any]]

    @property
    def tables(self) -> frozenset[str]:
        """The names of the tables that exist."""
        return frozenset(self.columns)


def look(connection: Connection, names: list[str], schema: str | None = None) -> Found:
    """Read what exists; read-only, a query for each kind of thing.

    Args:
        connection: An open connection.
        names: The tables of interest.
        schema: Where they are; the default schema where None.
    """
    inspector = inspect(connection)
    where: dict[str, Any] = {"schema": schema, "filter_names": names}
    keys = {name: key for (_, name), key in inspector.get_multi_pk_constraint(**where).items()}
    return Found(
        {name: list(found) for (_, name), found in inspector.get_multi_columns(**where).items()},
        {name: list(key["constrained_columns"]) for name, key in keys.items()},
        {name: str(key["name"]) for name, key in keys.items()},
        {name: list(found) for (_, name), found in inspector.get_multi_foreign_keys(**where).items()},
        {
            name: {str(index["name"]): index for index in found if not index.get("duplicates_constraint")}
            for (_, name), found in inspector.get_multi_indexes(**where).items()
        },
    )


def differences(connection: Connection, table: Table, found: Found) -> tuple[str, ...]:
    """Compare a table that exists with the one that is wanted; read-only.

    Args:
        connection: An open connection, whose dialect spells the types.
        table: The table as it should be.
        found: From `look`.

    Returns:
        One sentence for each difference in columns, types, NULL, key order and foreign keys, for example
        `sessions.update_time: expected REAL NOT NULL, found DATETIME`.
    """
    return (*_columns(connection, table, found), *_primary_key(table, found), *_foreign_keys(table, found))


def table_differences(connection: Connection, table: Table, found: Found) -> tuple[str, ...]:
    """Everything that is to be said of a table, whether or not it exists; read-only.

    Args:
        connection: An open connection.
        table: The table as it should be.
        found: From `look`.
    """
    if table.name not in found.tables:
        return (f"{table.name}: expected this table, found none. To make it: session-db bootstrap",)
    return (*differences(connection, table, found), *index_differences(table, found).values())


def index_differences(table: Table, found: Found) -> dict[str, str]:
    """The indexes of a table that are missing or of another definition; others beside them are harmless.

    Args:
        table: The table as it should be.
        found: From `look`.

    Returns:
        A sentence by the index's name.
    """
    there = found.indexes.get(table.name, {})
    said: dict[str, str] = {}
    for index in table.indexes:
        name, wanted = str(index.name), definition(index)
        actual = _found_definition(there[name]) if name in there else "no such index"
        if wanted != actual:
            said[name] = f"{table.name}: expected the index {name} on {wanted}, found {actual}"
    return said


def definition(index: Index) -> str:
    """What an index is on, for example `(app_name, timestamp DESC)`."""
    return f"({', '.join(_indexed(part) for part in index.expressions)})"


def ddl(element: CreateTable | CreateIndex, dialect: Dialect) -> str:
    """The statement that makes a table or an index, as a person would lay it out."""
    lines = str(element.compile(dialect=dialect)).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _indexed(part: Any) -> str:
    return f"{part.element.name} DESC" if isinstance(part, UnaryExpression) else str(part.name)


def _found_definition(index: Any) -> str:
    sorting = index.get("column_sorting", {})
    parts = [
        " ".join([str(name), *(word.upper().replace("_", " ") for word in sorting.get(name, ()))])
        for name in index.get("expressions") or index["column_names"]
    ]
    options = {name: value for name, value in index.get("dialect_options", {}).items() if value}
    kind = "UNIQUE " if index["unique"] else ""
    return f"{kind}({', '.join(parts)}){f' {options}' if options else ''}"


def _columns(connection: Connection, table: Table, found: Found) -> Iterator[str]:
    there = {column["name"]: column for column in found.columns[table.name]}
    for column in table.columns:
        place = f"{table.name}.{column.name}"
        wanted = _described(connection, column.type, nullable=bool(column.nullable))
        if column.name not in there:
            yield f"{place}: expected {wanted}, found no such column"
            continue
        actual = _described(connection, there[column.name]["type"], nullable=there[column.name]["nullable"])
        if wanted != actual:
            yield f"{place}: expected {wanted}, found {actual}"
    for name in there.keys() - table.columns.keys():
        yield f"{table.name}.{name}: expected no such column, found {there[name]['type']}"


def _primary_key(table: Table, found: Found) -> Iterator[str]:
    wanted = ", ".join(column.name for column in table.primary_key.columns)
    actual = ", ".join(found.keys.get(table.name, []))
    if wanted != actual:
        yield f"{table.name}: expected the primary key ({wanted}), found ({actual})"


def _foreign_keys(table: Table, found: Found) -> Iterator[str]:
    wanted = {
        f"({', '.join(key.column_keys)}) to {key.referred_table.name} "
        f"({', '.join(element.column.name for element in key.elements)}) ON DELETE {key.ondelete}"
        for key in table.foreign_key_constraints
    }
    actual = {
        f"({', '.join(key['constrained_columns'])}) to {key['referred_table']} ({', '.join(key['referred_columns'])}) "
        f"ON DELETE {key.get('options', {}).get('ondelete', 'NO ACTION')}"
        for key in found.references.get(table.name, [])
    }
    if wanted != actual:
        yield f"{table.name}: expected the foreign keys {sorted(wanted) or 'none'}, found {sorted(actual) or 'none'}"


def _described(connection: Connection, kind: Any, *, nullable: bool) -> str:
    spelt = kind.compile(connection.dialect)
    return spelt if nullable else f"{spelt} NOT NULL"
