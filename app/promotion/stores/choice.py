"""How to open a database to promote from or to."""

from contextlib import AbstractContextManager

from sqlalchemy import URL

from app.backends.interface import Target, Waits
from app.promotion.stores.interface import Store
from app.promotion.stores.postgresql import PostgresqlStore
from app.promotion.stores.sqlite import SqliteStore


def source(url: URL, waits: Waits) -> AbstractContextManager[Store]:
    """Open a database to read from.

    Args:
        url: A URL from `dsn.parse`.
        waits: The bounds of every wait.
    """
    return SqliteStore.opened(url, read_only=True) if _is_sqlite(url) else PostgresqlStore.source(url, waits)


def target(there: Target) -> AbstractContextManager[Store]:
    """Open a database to write to, as its owner.

    Args:
        there: The database.
    """
    if _is_sqlite(there.owner):
        return SqliteStore.opened(there.owner, read_only=False)
    return PostgresqlStore.target(there)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"
