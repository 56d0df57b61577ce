"""The roles of a database: the owner of the tables, the role that ADK works as, and one that only reads.

The administrator of a managed server is no superuser. It may give a table away only to a role that it is a member of,
and since PostgreSQL 16 only where that membership has the SET option (PostgreSQL 16, "Role Membership").
"""

from typing import Final

from sqlalchemy import Connection

from app.backends.interface import Step, Target
from app.backends.postgresql import identities
from app.backends.postgresql.catalog import Catalog
from app.backends.postgresql.connection import rows
from app.backends.postgresql.names import quoted
from app.errors import InvalidSettingError
from app.schema.postgresql import METADATA

_SET_OPTION: Final = 160000
"""`server_version_num` from which a membership has options, the creator of a role being no member of it by itself."""

_MEMBERSHIPS: Final = """
SELECT r.rolname, bool_and(pg_has_role(me.oid, r.oid, kind)),
  EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = me.oid AND m.grantor = me.oid)
FROM pg_roles r, pg_roles me, unnest(CAST(:kinds AS text[])) AS kind
WHERE r.rolname = ANY(:roles) AND me.rolname = current_user GROUP BY r.oid, r.rolname, me.oid
"""


def owner(catalog: Catalog, target: Target) -> str:
    """The role that is to own the tables: as asked for, else their owner now, else the one that bootstraps.

    Tables that ADK made as the app role go to the one that bootstraps: that role is to have no right to change them.
    """
    if target.roles.owner:
        return target.roles.owner
    owners = {catalog.owners[name] for name in METADATA.tables if name in catalog.owners}
    others = sorted(owners - {str(catalog.facts["user"])})
    if others and catalog.one_role:
        return others[0]  # Whoever it is, a server takes no tables from others.
    if len(owners) == 1 and owners != {target.app.username}:
        return owners.pop()
    return str(catalog.facts["user"])


def preparations(connection: Connection, catalog: Catalog, target: Target) -> list[Step]:
    """The steps before the tables are made: roles, schema and memberships; read-only.

    Args:
        connection: As the administrator.
        catalog: What is there.
        target: What is wanted; the app role's password is sent as a SCRAM verifier, never in clear.

    Raises:
        InvalidSettingError: The roles do not go together, or one has to be made outside of the database.
    """
    _expect_distinct_roles(catalog, target)
    _expect_an_administrator(catalog, target)
    there = set(catalog.facts["roles"])
    wanted = owner(catalog, target)
    made = _group(connection, wanted, there)
    if not catalog.one_role:
        made += identities.app_role(connection, target, there)
    if target.roles.read_only:
        made += _group(connection, target.roles.read_only, there)
    if not catalog.schema_exists:
        made.append(Step(f"create schema {catalog.schema}", (f"CREATE SCHEMA {quoted(connection, catalog.schema)}",)))
    if is_guest(catalog, wanted):
        return made
    joined = _joined(connection, catalog, {wanted, *catalog.owners.values()})
    return [*made, *joined, *_room(connection, catalog, wanted)]


def memberships(connection: Connection, catalog: Catalog, target: Target) -> list[Step]:
    """The steps without which the administrator may not even read the tables of another role; read-only.

    They are among the preparations too. Taken before, they let the rest be decided on what the tables hold.

    Args:
        connection: As the administrator.
        catalog: What is there, as far as it may be read.
        target: What is wanted.
    """
    guest = is_guest(catalog, owner(catalog, target))
    return [] if guest else _joined(connection, catalog, set(catalog.owners.values()))


def ownership(connection: Connection, catalog: Catalog, target: Target, created: list[str]) -> list[Step]:
    """The steps that give every table to the owner; read-only.

    The administrator stays a member of the owner, for the next bootstrap, but of no role that owned a table before: a
    member of the app role would log in the way that role does (Amazon RDS takes no password from members of rds_iam).

    Args:
        connection: As the administrator.
        catalog: What was there before the first step.
        target: What is wanted.
        created: The tables that earlier steps make, as the role that bootstraps.
    """
    wanted, current = owner(catalog, target), str(catalog.facts["user"])
    if is_guest(catalog, wanted):
        return []
    elsewhere = [name for name, role in sorted(catalog.owners.items()) if role != wanted]
    given = [*elsewhere, *(created if wanted != current else [])]
    sql = tuple(f"ALTER TABLE {name} OWNER TO {quoted(connection, wanted)}" for name in given)
    made = [Step(f"give the tables to {wanted}", sql)] if sql else []
    for role, (full, itself) in _memberships(connection, catalog, set(catalog.owners.values()) - {wanted}).items():
        if itself or not full:
            leave = f"REVOKE {quoted(connection, role)} FROM {quoted(connection, current)}"
            made.append(Step(f"be no member of {role} any more", (leave,)))
    return made


def _expect_distinct_roles(catalog: Catalog, target: Target) -> None:
    wanted, asked = owner(catalog, target), [target.roles.owner, target.roles.read_only]
    if is_guest(catalog, wanted) and any(asked):
        message = (
            f"expected the owner of the tables in ADMIN_DB_URI, for only {wanted} gives rights to other roles. For "
            "example: ADMIN_DB_URI=postgresql://postgres:change-me@db.example.org/adk_sessions"
        )
        raise InvalidSettingError(message)
    names = [target.roles.read_only, wanted, None if catalog.one_role else target.app.username]
    told = [name for name in names if name]
    if len(set(told)) < len(told):
        message = (
            "expected different roles to own the tables, to work with them and to read them, found "
            f"{', '.join(sorted(told))}. For example: --owner adk_owner --read-only-role adk_reader"
        )
        raise InvalidSettingError(message)


def _expect_an_administrator(catalog: Catalog, target: Target) -> None:
    """A role that cannot log in cannot give itself the password with which it could."""
    if target.roles.set_password and catalog.one_role:
        message = (
            "expected the administrator in ADMIN_DB_URI for --set-password, another role than the one of "
            "SESSION_DB_URI. For example: ADMIN_DB_URI=postgresql://postgres:change-me@db.example.org/adk_sessions"
        )
        raise InvalidSettingError(message)


def is_guest(catalog: Catalog, wanted: str) -> bool:
    """Whether a server bootstraps with ADK's own role on tables of somebody else, who alone may change them."""
    return catalog.one_role and wanted != catalog.facts["user"]


def _group(connection: Connection, name: str, there: set[str]) -> list[Step]:
    """A role without login."""
    return [] if name in there else [Step(f"create role {name}", (f"CREATE ROLE {quoted(connection, name)} NOLOGIN",))]


def _memberships(connection: Connection, catalog: Catalog, roles: set[str]) -> dict[str, tuple[bool, bool]]:
    """By role that the administrator may need: whether it is a full member, and whether it made itself one."""
    needed = [] if catalog.facts["superuser"] else sorted(roles - {str(catalog.facts["user"])})
    kinds = ["USAGE", "SET"] if _has_options(catalog) else ["USAGE"]
    found = rows(connection, _MEMBERSHIPS, kinds=kinds, roles=needed) if needed else []
    there = {str(role): (bool(full), bool(itself)) for role, full, itself in found}
    return {role: there.get(role, (False, False)) for role in needed}


def _has_options(catalog: Catalog) -> bool:
    return int(catalog.facts["version"]) >= _SET_OPTION


def _joined(connection: Connection, catalog: Catalog, roles: set[str]) -> list[Step]:
    option = " WITH INHERIT TRUE, SET TRUE" if _has_options(catalog) else ""
    current = quoted(connection, str(catalog.facts["user"]))
    return [
        Step(f"become a member of {role}", (f"GRANT {quoted(connection, role)} TO {current}{option}",))
        for role, (full, _) in _memberships(connection, catalog, roles).items()
        if not full
    ]


def _room(connection: Connection, catalog: Catalog, wanted: str) -> list[Step]:
    """An owner of tables has to have the right to create them."""
    query = (
        "SELECT has_schema_privilege(r.oid, n.oid, 'CREATE') FROM pg_roles r, pg_namespace n "
        "WHERE r.rolname = :role AND n.nspname = :schema"
    )
    if wanted == catalog.facts["user"] or (True,) in rows(connection, query, role=wanted, schema=catalog.schema):
        return []
    sql = f"GRANT USAGE, CREATE ON SCHEMA {quoted(connection, catalog.schema)} TO {quoted(connection, wanted)}"
    return [Step(f"let {wanted} own tables", (sql,))]
