"""Whether a PostgreSQL table has the columns that a promotion reads and writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import DateTime, Table
from sqlalchemy.dialects.postgresql import JSON, JSONB


def lacking(table: Table, columns: Mapping[str, Any]) -> Iterator[str]:
    """What a table lacks for a promotion; what ADK tolerates, such as TEXT for VARCHAR or JSON for JSONB, is nothing.

    Args:
        table: The table as it should be.
        columns: The columns of every table that is there, as the inspector tells them.

    Yields:
        One sentence for each difference.
    """
    if table.name not in columns:
        yield f"{table.name}: expected this table, found none"
        return
    there = {each["name"]: each["type"] for each in columns[table.name]}
    for wanted in table.columns:
        found = there.get(wanted.name)
        if found is None:
            yield f"{table.name}.{wanted.name}: expected this column, found none"
        elif not _serves(wanted.type, found):
            yield f"{table.name}.{wanted.name}: expected {wanted.type}, found {found}"


def _serves(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, DateTime):
        return isinstance(found, DateTime) and not found.timezone
    return isinstance(found, JSON) if isinstance(wanted, JSONB) else True
