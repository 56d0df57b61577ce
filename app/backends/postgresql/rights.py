"""What each role may do with the tables: exactly what ADK uses, and nothing else.

Privileges are read from the catalogs and compared; only what is missing is granted and what is too much revoked.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from app.backends.interface import Step, Target
from app.backends.postgresql import history
from app.backends.postgresql.catalog import Catalog
from app.backends.postgresql.connection import rows
from app.backends.postgresql.names import quoted
from app.backends.postgresql.roles import is_guest, owner
from app.backends.postgresql.uri import options
from app.schema.postgresql import ADK_METADATA

APP_RIGHTS: Final = {
    ADK_METADATA.name: ("SELECT",),
    "app_states": ("SELECT", "INSERT", "UPDATE"),
    "user_states": ("SELECT", "INSERT", "UPDATE"),
    "sessions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "events": ("SELECT", "INSERT", "DELETE"),
    history.TABLE: ("SELECT",),
}
"""What ADK 2.13 uses, table by table: each was taken away once to see which call fails. UPDATE is also what
`SELECT … FOR UPDATE` asks for; events are never updated. A server reads the history before it starts."""

READ_ONLY_RIGHTS: Final = dict.fromkeys(APP_RIGHTS, ("SELECT",))

_ACL: Final = """
SELECT name, role.rolname, part, array_agg(a.privilege_type::text) FROM (
  SELECT relname AS name, relowner AS owner, false AS part, relacl AS acl FROM pg_class
    WHERE relnamespace = to_regnamespace(quote_ident(:schema)) AND relname = ANY(:names)
  UNION ALL SELECT relname, relowner, true, attacl FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = to_regnamespace(quote_ident(:schema)) AND relname = ANY(:names) AND attacl IS NOT NULL
  UNION ALL SELECT '', defaclrole, false, defaclacl FROM pg_default_acl
    WHERE pg_get_userbyid(defaclrole) = current_user AND defaclobjtype = 'r'
      AND defaclnamespace IN (0, to_regnamespace(quote_ident(:schema)))
) AS found CROSS JOIN aclexplode(acl) AS a LEFT JOIN pg_roles role ON role.oid = a.grantee
WHERE a.grantee <> owner GROUP BY 1, 2, 3
"""

_Acl = Mapping[tuple[str, str | None, bool], frozenset[str]]
"""Who may do what now, by table, role (None is everybody) and whether it is with single columns only. A table that does
not exist yet is named ''."""


def grants(connection: Connection, catalog: Catalog, target: Target) -> list[Step]:
    """The steps after the tables are made: exact rights, search_path and default rights; read-only.

    Args:
        connection: As the administrator.
        catalog: What was there before the first step.
        target: What is wanted.
    """
    wanted = owner(catalog, target)
    if is_guest(catalog, wanted):
        return []
    acl = _acl(connection, catalog)
    nobody = (*_closed(connection, catalog), *_exact(catalog, acl, None, "PUBLIC", {}))
    made = _step("take the rights that everybody has", iter(nobody))
    if not catalog.one_role:
        made += _granted(connection, catalog, acl, str(target.app.username), APP_RIGHTS)
        made += _search_path(connection, catalog, target)
    if target.roles.read_only:
        made += _granted(connection, catalog, acl, target.roles.read_only, READ_ONLY_RIGHTS)
        made += _default_rights(connection, catalog, wanted, target.roles.read_only)
    return made


def _acl(connection: Connection, catalog: Catalog) -> _Acl:
    found: list[Any] = rows(connection, _ACL, schema=catalog.schema, names=list(APP_RIGHTS))
    return {(table, role, part): frozenset(rights) for table, role, part, rights in found}


def _step(name: str, sql: Iterator[str]) -> list[Step]:
    return [Step(name, statements)] if (statements := tuple(sql)) else []


def _granted(
    connection: Connection, catalog: Catalog, acl: _Acl, role: str, rights: Mapping[str, tuple[str, ...]]
) -> list[Step]:
    name = quoted(connection, role)
    sql = (*_entrance(connection, catalog, role), *_exact(catalog, acl, role, name, rights))
    return _step(f"grant {role} its rights", iter(sql))


def _exact(
    catalog: Catalog, acl: _Acl, role: str | None, name: str, rights: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Exactly these rights: what is missing is granted, what is too much revoked, from columns with their table."""
    for table in APP_RIGHTS:
        place = table if table in catalog.owners else ""
        wanted, actual = rights.get(table, ()), acl.get((place, role, False), frozenset())
        if missing := [right for right in wanted if right not in actual]:
            yield f"GRANT {', '.join(missing)} ON {table} TO {name}"
        if surplus := sorted((actual | acl.get((place, role, True), frozenset())) - set(wanted)):
            yield f"REVOKE {', '.join(surplus)} ON {table} FROM {name}"


def _closed(connection: Connection, catalog: Catalog) -> Iterator[str]:
    """No role may make tables or functions beside ours, as everybody may in `public` up to PostgreSQL 14."""
    query = (
        "SELECT EXISTS (SELECT FROM aclexplode(nspacl) WHERE grantee = 0 AND privilege_type = 'CREATE') "
        "AND pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = :schema"
    )
    found = rows(connection, query, schema=catalog.schema)
    if found and found[0][0]:
        yield f"REVOKE CREATE ON SCHEMA {quoted(connection, catalog.schema)} FROM PUBLIC"


def _entrance(connection: Connection, catalog: Catalog, role: str) -> Iterator[str]:
    """The way in: the database and the schema, in which nothing is to be made; a new role has what everybody has."""
    query = (
        "SELECT has_database_privilege(coalesce(r.rolname, 'public'), d.oid, 'CONNECT'), "
        "has_schema_privilege(coalesce(r.rolname, 'public'), n.oid, 'USAGE'), "
        "EXISTS (SELECT FROM aclexplode(n.nspacl) WHERE grantee = r.oid AND privilege_type = 'CREATE') "
        "FROM pg_database d LEFT JOIN pg_roles r ON r.rolname = :role LEFT JOIN pg_namespace n ON n.nspname = :schema "
        "WHERE d.datname = current_database()"
    )
    connect, usage, create = rows(connection, query, role=role, schema=catalog.schema)[0]
    name, schema = quoted(connection, role), quoted(connection, catalog.schema)
    if not connect:
        yield f"GRANT CONNECT ON DATABASE {quoted(connection, str(catalog.facts['database']))} TO {name}"
    if not usage:
        yield f"GRANT USAGE ON SCHEMA {schema} TO {name}"
    if create:
        yield f"REVOKE CREATE ON SCHEMA {schema} FROM {name}"


def _search_path(connection: Connection, catalog: Catalog, target: Target) -> list[Step]:
    """So that ADK, which names no schema, finds the tables (google/adk-python#2115)."""
    schema = quoted(connection, catalog.schema)
    told = [*(catalog.facts["database_settings"] or []), *(catalog.facts["app_settings"] or [])]
    paths = [path for name, _, path in (setting.partition("=") for setting in told) if name == "search_path"]
    first = (paths[-1] if paths else "public").removeprefix('"$user", ').partition(", ")[0]
    if "search_path" in options(target.app) or first in (schema, f'"{schema}"'):
        return []
    role, database = quoted(connection, str(target.app.username)), quoted(connection, str(catalog.facts["database"]))
    sql = f"ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema}"
    return [Step(f"let {target.app.username} find the schema {catalog.schema}", (sql,))]


def _default_rights(connection: Connection, catalog: Catalog, maker: str, reader: str) -> list[Step]:
    """So that a table which the owner makes later, for example for the next ADK, can be read at once."""
    query = (
        "SELECT 1 FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE pg_get_userbyid(d.defaclrole) = :maker "
        "AND d.defaclnamespace = to_regnamespace(quote_ident(:schema)) AND d.defaclobjtype = 'r' "
        "AND a.grantee = (SELECT oid FROM pg_roles WHERE rolname = :reader) AND a.privilege_type = 'SELECT'"
    )
    if rows(connection, query, maker=maker, schema=catalog.schema, reader=reader):
        return []
    sql = (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(connection, maker)} IN SCHEMA "
        f"{quoted(connection, catalog.schema)} GRANT SELECT ON TABLES TO {quoted(connection, reader)}"
    )
    return [Step(f"let {reader} read later tables", (sql,))]
