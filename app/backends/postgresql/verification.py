"""Holds a PostgreSQL database against what ADK needs, then has ADK try it as the role that it works as."""

import asyncio
import ipaddress
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError

from app import probe
from app.backends.interface import Target, Verified
from app.backends.postgresql import catalog, failures, history, rights, roles
from app.backends.postgresql.catalog import Catalog
from app.backends.postgresql.connection import changing, opened, reading, rows, scalar
from app.backends.postgresql.layouts import Layout, recognise
from app.backends.postgresql.uri import adk_uri, with_options
from app.errors import (
    DatabaseUnavailableError,
    InsufficientRightsError,
    OlderLayoutError,
    VerificationError,
)
from app.schema.comparison import table_differences
from app.schema.model import STATE_TABLES
from app.schema.postgresql import METADATA, SCHEMA_VERSION

_COUNTED: Final = 64 * 1024 * 1024
"""Bytes of a table up to which its rows are counted one by one."""

_BESIDE: Final = re.compile(r"[a-z][\w-]*", re.ASCII | re.IGNORECASE)
"""A name of one label; without its letter in front it may be an address in one number."""

_CLEAN: Final = """
DELETE FROM {place} WHERE app_name = :app
  OR app_name LIKE :stale AND update_time < now() AT TIME ZONE 'UTC' - make_interval(secs => :seconds)
RETURNING 1
"""
"""What a probe leaves: its own, and what killed ones left."""


def differences(target: Target) -> tuple[str, ...]:
    """How tables, keys, indexes, metadata, history, roles and time zone differ from what they should be; read-only.

    Args:
        target: A PostgreSQL database.

    Returns:
        One sentence for each difference.

    Raises:
        ForeignDatabaseError: The names are taken by something else.
        IncompatibleLayoutError: ADK's layout v0 is there, or a later one.
        DatabaseUnavailableError: The database cannot be read; the kind of the error says why.
    """
    with opened(target.owner, target.waits) as connection, reading(connection, target.waits):
        found = catalog.read(connection, target)
        _refuse_pickled(found)
        return (*_schema(connection, found), *_surroundings(connection, found, target))


def verify(target: Target) -> Verified:
    """Hold the database against what it should be; then ADK's own preparation and a session, as the app role.

    Args:
        target: A PostgreSQL database.

    Returns:
        What was found, with the server's estimates of rows. Nothing is left, unless the app role is the only one told
        of and may not delete states: then ADK's rows of state for the probe's own app and user.

    Raises:
        VerificationError: One sentence for each difference.
        ForeignDatabaseError: The names are taken by something else.
        IncompatibleLayoutError: ADK's layout v0 is there, or a later one.
        DatabaseUnavailableError: The database cannot be used as one of the roles; the kind says why.
    """
    if unlike := (*differences(target), *_as_app(target)):
        raise VerificationError(*unlike)
    may_clean = _clean(target, probe.APP)
    app = f"{probe.APP}-{uuid.uuid4()}" if may_clean else probe.APP
    try:
        _probe(target, app)
    except DatabaseUnavailableError:
        raise  # Nothing more can be done there now; the next verification removes what is left.
    except BaseException:
        if may_clean:
            _clean(target, app)
        raise
    if may_clean:
        _clean(target, app)
    with opened(target.owner, target.waits) as connection, reading(connection, target.waits):
        found = catalog.read(connection, target)
        counted = {table.name: _rows(connection, found, table.name) for table in METADATA.sorted_tables}
        return Verified(counted, left=() if may_clean else STATE_TABLES)


def _refuse_pickled(found: Catalog) -> None:
    if recognise(found) is Layout.PICKLED:
        message = (
            f"expected ADK's layout v1 in {found.facts['database']}, found v0, whose events are pickled. "
            "To migrate it in place: session-db bootstrap"
        )
        raise OlderLayoutError(message)


def _schema(connection: Connection, found: Catalog) -> Iterator[str]:
    for table in METADATA.sorted_tables:
        yield from table_differences(connection, table, found.found)
    for name in sorted(found.invalid):
        yield f"index {name}: expected a valid one, found what a killed build left. To rebuild it: session-db bootstrap"
    if found.adk_version != SCHEMA_VERSION[1]:
        yield "adk_internal_metadata: expected the row schema_version 1, found none. To add it: session-db bootstrap"
    if not history.has_layout(found.recorded):
        yield f"{history.TABLE}: expected a record of this layout, found none. To add it: session-db bootstrap"


def _surroundings(connection: Connection, found: Catalog, target: Target) -> Iterator[str]:
    if not catalog.is_utc(found.facts):
        yield f"time zone: expected UTC, found {found.facts['timezone']}. To set it: session-db bootstrap"
    steps = [
        *roles.preparations(connection, found, target),
        *roles.ownership(connection, found, target, []),
        *rights.grants(connection, found, target),
    ]
    for step in steps:
        for sql in step.shown:
            yield f"roles: expected this to have been done, found it missing: {sql}. To do it: session-db bootstrap"


def _as_app(target: Target) -> Iterator[str]:
    """What only the app role's own connection can tell."""
    with opened(target.app, target.waits) as connection:
        zone, tls = rows(
            connection,
            "SELECT (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'), "
            "(SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())",
        )[0]
    if str(zone).lower() not in catalog.UTC:
        yield f"time zone: expected UTC for {target.app.username}, found {zone}. To set it: session-db bootstrap"
    if not tls and not _is_local(target.app) and not _is_beside(target.app):
        yield "TLS: expected an encrypted connection, found a plain one. Add ?sslmode=verify-full to SESSION_DB_URI"


def _is_beside(url: URL) -> bool:
    """Whether the URI says that it is plain on purpose, to a container or a service of the same private network.

    Their names have no dot, as those of docker-compose.yml; the name or the address of a cloud's server has.
    """
    return url.query.get("sslmode") == "disable" and all(_BESIDE.fullmatch(name) for name in _hosts(url))


def _is_local(url: URL) -> bool:
    """Whether nobody can listen in: a socket, or an address of this machine."""
    return all(name.startswith("/") or name.split(":")[0] == "localhost" or _is_loopback(name) for name in _hosts(url))


def _hosts(url: URL) -> list[str]:
    named = url.query.get("host") or url.host or "localhost"
    return [named] if isinstance(named, str) else list(named)


def _is_loopback(name: str) -> bool:
    bare = name.strip("[]")
    for address in (bare.rpartition(":")[0] or name, bare):
        with suppress(ValueError):
            return ipaddress.ip_address(address).is_loopback
    return False


def _rows(connection: Connection, found: Catalog, table: str) -> int:
    """Counted where that is quick, else the server's estimate."""
    place = catalog.qualified(connection, found.schema, table)
    small = scalar(
        connection, "SELECT pg_relation_size(CAST(:place AS regclass)) < :bytes", place=place, bytes=_COUNTED
    )
    if small or found.estimates[table] < 0:
        return int(str(scalar(connection, f"SELECT count(*) FROM {place}")))  # noqa: S608  # Quoted.
    return round(found.estimates[table])


def _probe(target: Target, app: str) -> None:
    """A session through ADK, which knows no bounds of its own: it gets ours."""
    # Imported late: the bootstrapper runs without ADK, and importing it takes longer than everything else here.
    from google.adk.sessions.database_session_service import DatabaseSessionService  # noqa: PLC0415

    async def try_it() -> None:
        async with DatabaseSessionService(_bounded(target)) as service:
            await service.prepare_tables()
            await probe.try_session(service, app)

    with probe.judged(lambda error: _meaning(error, target.app)):
        asyncio.run(try_it())


def _bounded(target: Target) -> str:
    lock, statement = (round(seconds * 1000) for seconds in (target.waits.lock, target.waits.statement))
    return adk_uri(with_options(target.app, f"-clock_timeout={lock} -cstatement_timeout={statement}"))


def _clean(target: Target, app: str) -> bool:
    """Remove the states that ADK never removes, and what killed probes left; whether that is allowed."""
    try:
        with opened(target.owner, target.waits) as connection, changing(connection, target.waits):
            schema = catalog.schema_of(connection, target)
            for table in ("sessions", *STATE_TABLES):
                place = catalog.qualified(connection, schema, table)
                rows(
                    connection, _CLEAN.format(place=place), app=app, stale=f"{probe.APP}-%", seconds=probe.STALE_SECONDS
                )
    except InsufficientRightsError:
        return False
    return True


def _meaning(error: Exception, url: URL) -> Exception | None:
    return failures.meaning(error, url) if isinstance(error, DBAPIError) else None
