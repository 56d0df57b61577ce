"""PostgreSQL URIs: every spelling that users paste, as the one that psycopg and ADK read."""

import re
from typing import Final, NoReturn
from urllib.parse import parse_qsl, unquote

from psycopg import pq
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import InvalidUriError

SCHEMES: Final = ("postgres", "postgresql")

DRIVER: Final = "postgresql+psycopg"
"""The one driver that serves the synchronous bootstrapper and ADK's asynchronous engine alike."""

EXAMPLE: Final = "postgresql://adk_user:change-me@db.example.org:5432/adk_sessions?sslmode=verify-full"

_DRIVERS: Final = ("", "psycopg", "psycopg_async", "psycopg2", "asyncpg", "pg8000")
"""Those whose URIs say nothing that psycopg cannot do."""

_TLS_WORDS: Final = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable"}
"""What asyncpg's users write for `ssl`, besides libpq's own words."""

_SOCKET: Final = re.compile(r"/\.s\.PGSQL\.(\d+)$")
"""The end of a socket's full path, as pg8000 and asyncpg take it; libpq takes the folder."""

_HEAD: Final = r"(?P<head>[^:]+://(?:[^:/@]*(?::[^@]*)?@)?)"
"""Scheme, user and password, as SQLAlchemy finds them."""

_HOSTS: Final = re.compile(rf"{_HEAD}(?P<hosts>[^/?@]*,[^/?@]*)(?P<rest>[/?].*)?", re.DOTALL)
"""Several hosts with commas, libpq's way (PostgreSQL, "Connection URIs"), which SQLAlchemy does not read."""


AMBIGUOUS: Final = re.compile(r"[^:]+://[^:/@]*:\d*[/?][^@]*@", re.DOTALL)
"""Host, port and a password in the query to libpq, user and password to SQLAlchemy."""


def parse(text: str, where: str) -> URL:
    """Read a PostgreSQL URI.

    Args:
        text: For example `postgres://user:password@host/database?sslmode=require`; any of the drivers psycopg,
            asyncpg, psycopg2 and pg8000; a socket's folder as `?host=/cloudsql/p:r:i`; several hosts with commas.
        where: The sentence that names the place to change.

    Returns:
        The same for psycopg: drivername `postgresql+psycopg`, TLS as `sslmode`, several hosts with
        `target_session_attrs=read-write`, so that a failover finds the primary.

    Raises:
        InvalidUriError: A part cannot be understood; the message never shows the password.
    """
    try:
        if not text.isprintable() or "\0" in unquote(text, errors="strict"):
            _expected("no control characters")
        url = _normal(_read(text))
        url.get_dialect()().create_connect_args(url)  # So that hosts and ports that do not match are told here.
    except _MisspeltError as error:
        msg = f"expected {error}. For example {EXAMPLE}. {where}"
    except (ArgumentError, ValueError):
        # Without the cause, which may quote a part of the password.
        msg = f"expected a PostgreSQL URI. For example {EXAMPLE}. {where}"
    else:
        return url
    raise InvalidUriError(msg)


def adk_uri(url: URL) -> str:
    """The form that ADK's service registry reads, the password in clear."""
    return url.render_as_string(hide_password=False)


def options(url: URL) -> str:
    """What the URL tells the server to set for each connection, as `-cname=value`; empty where it tells nothing."""
    told = url.query.get("options")
    return told if isinstance(told, str) else ""


def with_options(url: URL, more: str) -> URL:
    """The same URL with settings after its own, so that they win.

    Args:
        url: A URL from `parse`.
        more: For example `-clock_timeout=1000`.
    """
    return url.update_query_dict({"options": f"{options(url)} {more}".strip()})


def hosts(url: URL) -> str:
    """Where a URL leads, for messages: `host:port`, several of them with commas, or the socket's folder."""
    named = url.query.get("host")
    if named is None:
        return f"{url.host or 'localhost'}:{url.port or url.query.get('port', 5432)}"
    return named if isinstance(named, str) else ",".join(named)


class _MisspeltError(Exception):
    """What was expected instead; it never leaves this module."""


def _expected(what: str) -> NoReturn:
    raise _MisspeltError(what)


def _read(text: str) -> URL:
    """SQLAlchemy's reading, after what it cannot read is put into the query."""
    scheme, colon, rest = text.partition("://")
    dialect, _, driver = scheme.lower().partition("+")
    if dialect not in SCHEMES or driver not in _DRIVERS:
        _expected(f"one of the drivers {', '.join(filter(None, _DRIVERS))}, or none, not {driver}")
    if match := _HOSTS.fullmatch(text):
        if "[" in match["hosts"]:
            _expected("several hosts by name or IPv4 address")
        listed = "&".join(f"host={host}" for host in match["hosts"].split(","))
        path, _, query = (match["rest"] or "").partition("?")
        rest = f"{match['head'].partition('://')[2]}{path}?{listed}{'&' if query else ''}{query}"
    spelt = f"{DRIVER}{colon}{rest}"
    # Read with a letter for each %40: what is left of @ then was not escaped, and no part is what was meant.
    parts = make_url(spelt.replace("%40", "_"))
    torn = text.count("@") > 1 or "@" in f"{parts.username}{parts.host}{parts.database}"
    if torn or AMBIGUOUS.match(text):
        _expected("an @ in the user or the password to be written as %40")
    _refuse_unclear_parameters(text)
    return make_url(spelt)


def _refuse_unclear_parameters(text: str) -> None:
    """SQLAlchemy drops a parameter without a value, and gives two values to one that comes twice."""
    pairs = parse_qsl(re.sub(_HEAD, "", text, count=1).partition("?")[2], keep_blank_values=True)
    if not all(value for _, value in pairs):
        _expected("a value for every parameter, as in ?sslmode=require")
    names = [name for name, _ in pairs if name != "host"]
    if twice := sorted({_short(name) for name in names if names.count(name) > 1}):
        _expected(f"every parameter once, but for host, not {', '.join(twice)} twice")


def _normal(url: URL) -> URL:
    query = dict(url.query)
    host = unquote(url.host or "")
    if "@" in host:
        _expected("the @ between the password and the host as it is, not as %40")
    if host.startswith("/"):
        query["host"] = host
        url = URL.create(**{**url._asdict(), "host": None})
    elif ":" in host:  # IPv6 with a zone, whose % is written as %25.
        url = url.set(host=host)
    url = _with_credentials(url, query)
    query = dict(_sockets(query) | _tls(query))
    if not isinstance(query.get("host", ""), str) or "," in str(query.get("host", "")):
        query.setdefault("target_session_attrs", "read-write")
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    if unknown := sorted(query.keys() - known):
        _expected(f"only parameters that libpq knows, not {', '.join(map(_short, unknown))}")
    if not url.database:
        _expected("the name of a database after the host")
    return url.set(query=query)


def _with_credentials(url: URL, query: dict[str, str | tuple[str, ...]]) -> URL:
    """Move user, password and database from the query to their places, where they are masked."""
    for name, place in (("user", "username"), ("password", "password"), ("dbname", "database")):
        value = query.pop(name, None)
        if isinstance(value, str):
            url = URL.create(**{**url._asdict(), place: value})
    return url


def _sockets(query: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """A socket as libpq takes it: its folder, and its number as the port."""
    path = query.pop("unix_sock", None) or query.get("host")
    if isinstance(path, str) and path.startswith("/"):
        query["host"] = _SOCKET.sub("", path)
        if match := _SOCKET.search(path):
            query.setdefault("port", match[1])
    return query


def _tls(query: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """TLS in libpq's words."""
    word = query.pop("ssl", None)
    if isinstance(word, str):
        query.setdefault("sslmode", _TLS_WORDS.get(word.lower(), word))
    mode = query.get("sslmode")
    words = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
    if mode is not None and mode not in words:
        _expected(f"sslmode to be one of {', '.join(words)}")
    return query


def _short(name: str) -> str:
    """A parameter's name, unless it is so odd that a secret may have ended up in it."""
    return name if re.fullmatch(r"[a-z_]{1,40}", name) else "one that is no word"
