"""Any accepted database URI as a `sqlalchemy.URL`, and the form of it that people may see."""

import re
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.backends.postgresql import uri as postgresql
from app.backends.sqlite import uri as sqlite
from app.errors import InvalidUriError, UnsupportedBackendError

WHERE: Final = "It is set by SESSION_DB_URI in the environment, .env.local or .env, or by the stack."

_SCHEME: Final = re.compile(r"([A-Za-z][\w+.-]*)://")


def parse(text: str, where: str = WHERE) -> URL:
    """Read a database URI in any spelling that users paste.

    Args:
        text: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://user:password@host/database`, or what
            another driver or a cloud's console makes of the latter.
        where: The sentence that names the place to change, for the message of a refusal.

    Returns:
        The URL, of drivername `sqlite` or `postgresql+psycopg`; `str()` of it never shows a password.

    Raises:
        InvalidUriError: The text is no URI, or one that ADK would read as something else.
        UnsupportedBackendError: The URI is of a database that this project does not serve.
    """
    text = text.strip()
    scheme = match[1] if (match := _SCHEME.match(text)) else ""
    backend = scheme.split("+")[0].lower()
    if backend in postgresql.SCHEMES:
        return postgresql.parse(text, where)
    if backend == "sqlite":
        return sqlite.parse(text, where)
    examples = f"{sqlite.EXAMPLES} Or {postgresql.EXAMPLE}. {where}"
    if scheme:
        msg = f"expected a URI of SQLite or PostgreSQL, not of {scheme}://. {examples}"
        raise UnsupportedBackendError(msg)
    msg = f"expected a database URI. {examples}"
    raise InvalidUriError(msg)


def masked(uri: URL | str) -> str:
    """The URI as people may see it: no secret, no query but its hosts; a text that is no URI is not shown at all.

    Args:
        uri: A URL from `parse`, or any text that may be one.
    """
    try:
        url = make_url(uri)
        # Read with a letter for each %40, so that only an @ that was not escaped counts.
        literal = make_url(uri.replace("%40", "_")) if isinstance(uri, str) else None
    except (ArgumentError, ValueError):
        return "[not a URI]"
    # An unescaped `@` in a password puts the password's rest into the host (SQLAlchemy's rule, RFC 3986's too).
    torn = literal and "@" in f"{literal.username}{literal.host}{literal.database if literal.host else ''}"
    if torn or "%40" in (url.host or "") or postgresql.AMBIGUOUS.match(str(uri)):
        return f"{url.drivername}://***"
    hosts = {name: value for name, value in url.query.items() if name == "host" and "@" not in str(value)}
    shown = url.set(query=hosts)
    if literal and shown.username and shown.password is None:
        # It may be the password, its colon forgotten. Of a URL that was read, errors name the role as well.
        shown = shown.set(username="", password="hidden")  # noqa: S106  # Nobody's; shown as ***.
    if shown.drivername == "sqlite" and shown.database and not shown.host and not shown.username:
        return f"sqlite:///{shown.database}"  # As it is written: SQLAlchemy would percent-encode spaces.
    return shown.render_as_string(hide_password=True)
