"""What a PostgreSQL database holds under our names, read in one go from its catalogs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import URL, Connection, text

from app.backends.interface import Target
from app.backends.postgresql import history
from app.backends.postgresql.connection import rows, scalar
from app.backends.postgresql.names import quoted
from app.backends.postgresql.uri import options
from app.errors import InsufficientRightsError, InvalidSettingError, ReadOnlyDatabaseError
from app.schema.comparison import Found, look
from app.schema.postgresql import ADK_METADATA, METADATA

KEPT: Final = "session_db_events_v0"
"""What the old table is called afterwards; to be dropped by hand once nobody misses it."""

REFUSED: Final = "session_db_refused_events"

NAMES: Final = [*METADATA.tables, history.TABLE, KEPT, REFUSED]
"""The tables that are ours or ADK's."""

UTC: Final = frozenset({"utc", "etc/utc", "uct", "etc/uct", "zulu", "etc/zulu", "universal", "etc/universal"})

_FACTS: Final = """
SELECT current_database() AS database, current_user::text AS user,
  current_setting('server_version_num')::int AS version,
  pg_is_in_recovery() AS standby, me.rolsuper AS superuser,
  pg_has_role(current_user, d.datdba, 'MEMBER') AS owns_database,
  (SELECT array_agg(setting) FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setdatabase = d.oid AND setrole = 0) AS database_settings,
  (SELECT array_agg(setting ORDER BY setdatabase) FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setrole = app.oid AND setdatabase IN (0, d.oid)) AS app_settings,
  (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS timezone,
  (SELECT array_agg(setting ORDER BY setdatabase) FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setrole = me.oid AND setdatabase IN (0, d.oid)) AS own_settings,
  (SELECT array_agg(nspname::text) FROM pg_namespace) AS schemas,
  (SELECT array_agg(rolname::text) FROM pg_roles) AS roles
FROM pg_database d JOIN pg_roles me ON me.rolname = current_user LEFT JOIN pg_roles app ON app.rolname = :app
WHERE d.datname = current_database()
"""

_RELATIONS: Final = """
SELECT c.relname, CASE WHEN i.indexrelid IS NULL THEN c.relkind::text ELSE 'invalid' END,
  pg_get_userbyid(c.relowner)::text, c.reltuples, has_table_privilege(c.oid, 'SELECT'),
  c.relrowsecurity OR c.relhasrules OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
    OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c')
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid AND NOT i.indisvalid
WHERE c.relnamespace = to_regnamespace(quote_ident(:schema)) AND (c.relname = ANY(:names) OR i.indexrelid IS NOT NULL)
"""


@dataclass(frozen=True)
class Catalog:
    """What is there.

    Attributes:
        facts: Of the server, the database and the role that asks; see the query.
        schema: Where the tables are, or are to be.
        schema_exists: Whether that schema is there.
        found: The tables under our names.
        kinds: `relkind` of everything under our names: `r` for a table.
        owners: Who owns it.
        estimates: Rows by table, the server's own estimate; below 0 where it has none yet.
        scripted: Tables with a trigger, rule, policy or check, each of which runs code of whoever made it.
        invalid: The names of indexes that a killed CREATE INDEX CONCURRENTLY left.
        adk_version: The value of `schema_version` in ADK's metadata; None without the row.
        recorded: Our own history, oldest first.
    """

    facts: Mapping[str, Any]
    schema: str
    schema_exists: bool
    found: Found
    kinds: Mapping[str, str]
    owners: Mapping[str, str]
    estimates: Mapping[str, float]
    scripted: frozenset[str]
    invalid: frozenset[str]
    adk_version: str | None
    recorded: tuple[history.Entry, ...]

    @property
    def one_role(self) -> bool:
        """Whether ADK and the bootstrapper work as the same role."""
        return bool(self.facts["one_role"])


def read(connection: Connection, target: Target) -> Catalog:
    """Read what is there; read-only, inside the caller's transaction.

    Args:
        connection: From `connection.opened`, as the owner.
        target: The database and its roles.

    Raises:
        ReadOnlyDatabaseError: The server is a standby.
        InsufficientRightsError: The role may not read the tables, and no administrator is told of.
        InvalidSettingError: There is no schema to work in, or the app role has its tables in another one.
    """
    facts = _facts(connection, target)
    if facts["standby"]:
        message = (
            f"expected to write to the database {facts['database']}, but that server is a standby. "
            "Name the primary in the URI, or several hosts: postgresql://…@host1,host2/…"
        )
        raise ReadOnlyDatabaseError(message)
    schema = _schema(facts, target)
    _refuse_second_set(connection, facts, target)
    relations = rows(connection, _RELATIONS, schema=schema, names=NAMES)
    named = [row for row in relations if row[1] != "invalid"]
    readable = {str(row[0]) for row in named if row[4]}  # Another role's tables only as its member.
    if facts["one_role"] and (hidden := sorted(str(row[0]) for row in named if not row[4])):
        message = (
            f"expected to use the database {facts['database']} as {facts['user']}, but this role may not: permission "
            f"denied for table {', '.join(hidden)}. As the administrator, with ADMIN_DB_URI set: session-db bootstrap"
        )
        raise InsufficientRightsError(message)
    found = look(connection, NAMES, schema)
    return Catalog(
        facts,
        schema,
        schema in facts["schemas"],
        found,
        {str(row[0]): str(row[1]) for row in named},
        {str(row[0]): str(row[2]) for row in named},
        {str(row[0]): float(str(row[3])) for row in named},
        frozenset(str(row[0]) for row in named if row[5]),
        frozenset(str(row[0]) for row in relations if row[1] == "invalid"),
        _adk_version(connection, schema, found) if ADK_METADATA.name in readable else None,
        history.entries(connection, schema) if history.is_ours(found) and history.TABLE in readable else (),
    )


def schema_of(connection: Connection, target: Target) -> str:
    """The schema of the tables alone; read-only, on a standby too.

    Args:
        connection: From `connection.opened`, as the owner.
        target: The database and its roles.

    Raises:
        InvalidSettingError: There is none.
    """
    return _schema(_facts(connection, target), target)


def qualified(connection: Connection, schema: str, table: str) -> str:
    """A table's name with its schema, quoted where it must be."""
    return f"{quoted(connection, schema)}.{quoted(connection, table)}"


def _facts(connection: Connection, target: Target) -> dict[str, Any]:
    bound: Any = {"no_parameters": False}
    found = connection.execute(text(_FACTS), {"app": target.app.username}, execution_options=bound)
    facts = dict(found.mappings().one())
    facts["one_role"] = target.app.username in (None, facts["user"], target.owner.username)
    return facts


def _schema(facts: Mapping[str, Any], target: Target) -> str:
    """What was asked for, else what the app role sees first; our own connections are pinned to PostgreSQL's schema."""
    if target.roles.schema:
        return target.roles.schema
    role = str(facts["user"] if facts["one_role"] else target.app.username)
    kept = facts["own_settings" if facts["one_role"] else "app_settings"]
    paths = [
        *_values(facts["database_settings"], "search_path"),
        *_values(kept, "search_path"),
        *(path for url in (target.owner, target.app) for path in _in_options(url)),
    ]
    names = [role if name == "$user" else name for name in _schemas(paths[-1] if paths else '"$user", public')]
    for name in names:
        if name in facts["schemas"]:
            return name
    if paths and names:
        return names[0]
    message = (
        "expected a schema to work in, but the search_path of this role names none that exists. "
        "For example: session-db bootstrap --schema public"
    )
    raise InvalidSettingError(message)


def _refuse_second_set(connection: Connection, facts: Mapping[str, Any], target: Target) -> None:
    """The app role would be led from its sessions to an empty schema."""
    if target.roles.schema is None:
        return
    now = _schema(facts, replace(target, roles=replace(target.roles, schema=None)))
    query = (
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'sessions' AND relkind IN ('r', 'p') "
        "AND relnamespace = to_regnamespace(quote_ident(:schema)))"
    )
    if now == target.roles.schema or not scalar(connection, query, schema=now):
        return
    if not scalar(connection, query, schema=target.roles.schema):
        message = (
            f"expected the session tables in schema {target.roles.schema}, but {target.app.username} has them in "
            f"schema {now}. Leave --schema out, or move them first: ALTER TABLE … SET SCHEMA …"
        )
        raise InvalidSettingError(message)


def _in_options(url: URL) -> list[str]:
    return re.findall(r"search_path=(\S+)", options(url))


def _schemas(path: str) -> list[str]:
    """The names in a search_path, as PostgreSQL reads them: quoted ones as they are, the others in lower case."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^,\s"]+)', path)
    return [name.replace('""', '"') if name else plain.lower() for name, plain in found]


def _values(settings: list[str] | None, name: str) -> list[str]:
    pairs = [setting.partition("=") for setting in settings or []]
    return [value for key, _, value in pairs if key.lower() == name.lower()]


def is_utc(facts: Mapping[str, Any]) -> bool:
    """Whether a new connection of the app role has the time zone UTC, as far as database and role say."""
    return database_is_utc(facts) and role_is_utc(facts)


def database_is_utc(facts: Mapping[str, Any]) -> bool:
    """Whether the database says UTC, or the server where it says nothing."""
    return [facts["timezone"], *_values(facts["database_settings"], "TimeZone")][-1].lower() in UTC


def role_is_utc(facts: Mapping[str, Any]) -> bool:
    """Whether the app role says UTC, or nothing."""
    return ["UTC", *_values(facts["app_settings"], "TimeZone")][-1].lower() in UTC


def _adk_version(connection: Connection, schema: str, found: Found) -> str | None:
    columns = {column["name"] for column in found.columns.get(ADK_METADATA.name, [])}
    if {"key", "value"} <= columns:
        place = qualified(connection, schema, ADK_METADATA.name)
        values = rows(connection, f"SELECT value::text FROM {place} WHERE key::text = 'schema_version'")  # noqa: S608  # Quoted.
        return str(values[0][0]) if values else None
    return None
