"""Any accepted database URI as a `sqlalchemy.URL`, and the forms that other programs and people read."""

import os
import re
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import InvalidUriError, UnsupportedBackendError

_EXAMPLES: Final = (
    "For example sqlite:///data/sessions.db (relative to the working directory) or sqlite:////srv/sessions.db "
    "(absolute). It is set by SESSION_DB_URI in the environment, .env.local or .env, or by the stack."
)

_UNSAFE: Final = re.compile(r"[?#%\x00-\x1f\x7f]")
"""What ADK's registry drops (`?`, `#`, control characters) or keeps undecoded (`%`) in a path: it would open another
file than we do. Source: google-adk 2.13 `service_registry.sqlite_session_factory`, which uses `urlparse().path`."""


def parse(text: str) -> URL:
    """Read a database URI.

    Args:
        text: `sqlite:///relative.db` (relative to the working directory) or `sqlite:////absolute.db`.

    Returns:
        The URL; `str()` of it never shows a password.

    Raises:
        InvalidUriError: The text is no URI, or one that ADK would read as something else.
        UnsupportedBackendError: The URI is of a database that this version does not serve.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # Without the cause, which may quote a part of the password.
        msg = f"expected a database URI. {_EXAMPLES}"
        raise InvalidUriError(msg) from None
    if url.get_backend_name().lower() != "sqlite":
        msg = f"expected a SQLite URI: this version serves SQLite only, not {_backend(url)}. {_EXAMPLES}"
        raise UnsupportedBackendError(msg)
    if (reason := _refusal(url, text)) is not None:
        msg = f"{reason} {_EXAMPLES}"
        raise InvalidUriError(msg)
    return url


def masked(uri: URL | str) -> str:
    """The URI as people may see it: no secret, no query; a text that is no URI is not shown at all.

    Args:
        uri: A URL, or any text that may be one.
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        return "[not a URI]"
    # An unescaped `@` in a password puts the password's rest into the host (SQLAlchemy's rule, RFC 3986's too).
    # A user without a password may be the password, its colon forgotten.
    lone_user = url.username is not None and url.password is None
    if lone_user or "@" in f"{url.host}{url.username}" or (url.host and "@" in (url.database or "")):
        return f"{url.drivername}://***"
    shown = url.set(query={})
    if shown.drivername == "sqlite" and shown.database and not shown.host and not shown.username:
        return f"sqlite:///{shown.database}"  # As it is written: SQLAlchemy would percent-encode spaces.
    return shown.render_as_string(hide_password=True)


def database_path(url: URL) -> Path:
    """The database file of a SQLite URL, absolute and with links resolved; it need not exist."""
    return Path(os.path.realpath(url.database or ""))  # `Path.resolve` raises where links lead in a circle.


def adk_uri(url: URL) -> str:
    """The form that ADK's service registry reads: the path absolute and as it is, `sqlite:////absolute.db`."""
    return f"sqlite:///{database_path(url)}"


def _backend(url: URL) -> str:
    """The scheme, unless the text is so malformed that a secret may have ended up in it."""
    return "PostgreSQL" if url.drivername.startswith("postgres") else f"{url.drivername}://"


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
