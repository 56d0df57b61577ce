"""SQLite URIs as `sqlalchemy.URL`, and the one form that ADK reads as we do."""

import os
import re
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import InvalidUriError

EXAMPLES: Final = (
    "For example sqlite:///data/sessions.db (relative to the working directory) or sqlite:////srv/sessions.db "
    "(absolute)."
)

_UNSAFE: Final = re.compile(r"[?#%\x00-\x1f\x7f]")
"""What ADK's registry drops (`?`, `#`, control characters) or keeps undecoded (`%`) in a path: it would open another
file than we do. Source: google-adk 2.13 `service_registry.sqlite_session_factory`, which uses `urlparse().path`."""


def parse(text: str, where: str) -> URL:
    """Read a SQLite URI.

    Args:
        text: `sqlite:///relative.db` (relative to the working directory) or `sqlite:////absolute.db`.
        where: The sentence that names the place to change.

    Returns:
        The URL.

    Raises:
        InvalidUriError: The text is no URI, or one that ADK would read as something else.
    """
    try:
        url = make_url(text)
        reason = _refusal(url, text)
    except (ArgumentError, ValueError):
        reason = "expected a database URI."
    if reason is not None:
        msg = f"{reason} {EXAMPLES} {where}"
        raise InvalidUriError(msg)
    return url


def database_path(url: URL) -> Path:
    """The database file of a SQLite URL, absolute and with links resolved; it need not exist."""
    return Path(os.path.realpath(url.database or ""))  # `Path.resolve` raises where links lead in a circle.


def adk_uri(url: URL) -> str:
    """The form that ADK's service registry reads: the path absolute and as it is, `sqlite:////absolute.db`."""
    return f"sqlite:///{database_path(url)}"


def _refusal(url: URL, text: str) -> str | None:
    """Why a SQLite URL cannot be served, or None where it can."""
    if url.drivername != "sqlite":
        return (
            "expected the scheme sqlite, in lower case and without a driver: under sqlite+aiosqlite ADK keeps "
            "another layout, which its SqliteSessionService cannot read."
        )
    if url.username is not None or url.password is not None:
        return "expected no user and no password: a SQLite database is a file."
    if url.host:
        path = "/".join(part for part in (url.host, url.database) if part)
        meant = "" if _UNSAFE.search(path) or url.query or "@" in path else f" For this file write sqlite:///{path}."
        return f"expected three slashes or four, not two: ADK reads sqlite:// as a database in memory.{meant}"
    return _path_refusal(url, text)


def _path_refusal(url: URL, text: str) -> str | None:
    if not url.database or url.database == ":memory:":
        return "expected a file: nothing in a database in memory would survive the process."
    if url.database.endswith("/"):
        return f"expected a file, not a folder. Add a file name: sqlite:///{url.database}sessions.db."
    if url.query or _UNSAFE.search(text.strip()) or _UNSAFE.search(str(database_path(url))):
        return "expected a plain path without ?, #, % or control characters: ADK would open another file."
    return None
