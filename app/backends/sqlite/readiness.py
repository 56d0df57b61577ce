"""Whether a server may send its clients to a SQLite file now, by one short read."""

import os

from sqlalchemy import URL, inspect

from app.backends.sqlite import connection as engine
from app.backends.sqlite.uri import database_path
from app.errors import InsufficientRightsError, VerificationError
from app.schema.comparison import look, table_differences
from app.schema.sqlite import METADATA


def expect_ready(url: URL) -> None:
    """Look whether ADK can work there; read-only, and no lock is waited for that a writer holds.

    Args:
        url: A URL from `dsn.parse`.

    Raises:
        VerificationError: A table is not there, or differs.
        DatabaseUnavailableError: The file cannot be read or written; the kind says why.
        ForeignDatabaseError: It is no SQLite database.
    """
    if not os.access(database_path(url), os.R_OK | os.W_OK) and database_path(url).exists():
        message = "this process may not write to the file"
        raise InsufficientRightsError(message)
    with engine.opened(url) as connection, engine.transaction(connection, "BEGIN"):
        there = set(inspect(connection).get_table_names())
        missing = sorted(set(METADATA.tables) - there)
        found = look(connection, list(METADATA.tables))
        unlike = [said for table in METADATA.sorted_tables for said in table_differences(connection, table, found)]
    if missing:
        message = f"tables are missing: {', '.join(missing)}"
        raise VerificationError(message)
    if unlike:
        raise VerificationError(*unlike)
