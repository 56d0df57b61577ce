"""Which backend a URL is for."""

from sqlalchemy import URL

from app.backends import postgresql, sqlite
from app.backends.interface import Backend


def of(url: URL) -> Backend:
    """The backend of a database.

    Args:
        url: A URL from `dsn.parse`.
    """
    return sqlite if url.get_backend_name() == "sqlite" else postgresql
