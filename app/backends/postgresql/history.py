"""What was done to a database, when and by whom: a table of our own, appended to and never changed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.schema import CreateIndex, CreateTable

from app.backends.postgresql.connection import rows
from app.backends.postgresql.names import quoted
from app.schema.comparison import Found, ddl
from app.schema.postgresql import DIALECT, METADATA

TABLE: Final = "session_db_history"

LAYOUT: Final = 1
"""The number of the layout that this release makes; a change of its definition needs the next number."""

CREATE: Final = f"""CREATE TABLE {TABLE} (
\tid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
\tlayout INTEGER NOT NULL,
\tchecksum CHAR(64) NOT NULL,
\tstep TEXT NOT NULL,
\trelease TEXT NOT NULL,
\tapplied_by TEXT NOT NULL DEFAULT current_user,
\tapplied_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp()
)"""


@dataclass(frozen=True)
class Entry:
    """One line of the history.

    Attributes:
        layout: The number of the layout that the release worked towards.
        checksum: SHA-256 of that layout's definition, in hexadecimal.
        step: What was done.
        release: The version of this package.
    """

    layout: int
    checksum: str
    step: str
    release: str


@cache
def checksum() -> str:
    """SHA-256 of the layout's definition, as the DDL that makes it on an empty database."""
    statements = [CREATE]
    for table in METADATA.sorted_tables:
        statements.append(ddl(CreateTable(table), DIALECT))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [ddl(CreateIndex(index), DIALECT) for index in indexes]
    # Without line breaks: SQLAlchemy's releases lay DDL out differently.
    return hashlib.sha256(" ".join(" ".join(statements).split()).encode()).hexdigest()


def is_ours(found: Found) -> bool:
    """Whether the table of that name is there and has our columns."""
    return {"layout", "checksum", "step", "release"} <= {column["name"] for column in found.columns.get(TABLE, [])}


def entries(connection: Connection, schema: str) -> tuple[Entry, ...]:
    """The history, oldest first; read-only.

    Args:
        connection: Any connection that may read the table.
        schema: Where the table is.
    """
    place = f"{quoted(connection, schema)}.{TABLE}"
    found = rows(connection, f"SELECT layout, checksum, step, release FROM {place} ORDER BY id")  # noqa: S608  # Quoted.
    return tuple(Entry(int(str(row[0])), str(row[1]), str(row[2]), str(row[3])) for row in found)


def has_layout(recorded: Iterable[Entry]) -> bool:
    """Whether one of the lines is of the layout that this release makes.

    Args:
        recorded: From `entries`.
    """
    return any((entry.layout, entry.checksum) == (LAYOUT, checksum()) for entry in recorded)


def record(step: str) -> str:
    """The statement that adds one line.

    Args:
        step: What was done; text of ours, without a secret.
    """
    values = (str(LAYOUT), *(_quoted(value) for value in (checksum(), step, version("session-database"))))
    return f"INSERT INTO {TABLE} (layout, checksum, step, release) VALUES ({', '.join(values)})"  # noqa: S608  # Quoted.


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
