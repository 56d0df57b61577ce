"""The roles that a bootstrap makes with an administrator who is no superuser, whoever owns the database."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import Engine, event

from app import verbs
from app.backends import choice
from app.backends.interface import Roles, Target
from app.errors import InsufficientRightsError, InvalidSettingError
from rehearsal.cluster import Cluster

pytestmark = pytest.mark.parametrize("postgresql", [15, 18], indirect=True)  # Memberships changed once, with 16.

Sql = Callable[[str], list[tuple[Any, ...]]]

OWNERS = "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = '{}'"


@pytest.fixture(params=[None, "cloudsqlsuperuser"], ids=["owned", "member"])
def database_owner(request: pytest.FixtureRequest) -> str | None:
    """The database belongs to its administrator, as on Amazon RDS, or to a role that it is a member of."""
    owner: str | None = request.param
    return owner


def settled(target: Target) -> bool:
    """Whether neither another bootstrap nor drift finds anything, and ADK works as the app role."""
    verbs.verify(target)
    return not verbs.plan(target).steps and not verbs.bootstrap(target).changed and not verbs.differences(target)


def test_the_password_goes_over_the_wire_as_a_verifier_alone(target: Target, sql: Sql, postgresql: Cluster) -> None:
    """No log of statements holds it, and the server keeps what it would have made of it."""
    sql(f"ALTER DATABASE {target.app.database} SET log_statement = 'all'")

    verbs.bootstrap(target)

    assert settled(target)
    assert f"CREATE ROLE {target.app.username} LOGIN PASSWORD 'SCRAM-SHA-256$" in postgresql.log
    assert str(target.app.password) not in postgresql.log
    kept = sql("SELECT rolname, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid")
    assert (target.app.username, True) in kept


def test_the_plan_shows_neither_password_nor_verifier(target: Target, sql: Sql) -> None:
    """Nor does the history; a verifier can be attacked offline."""
    plan = verbs.plan(target)
    shown = "\n".join(sql for step in plan.steps for sql in step.shown)
    verbs.bootstrap(target)

    assert f"CREATE ROLE {target.app.username} LOGIN PASSWORD '***'" in shown
    told = f"{plan!r}{sql('TABLE session_db_history')}"
    assert str(target.app.password) not in shown + told
    assert "SCRAM-SHA-256" not in shown + str(sql("TABLE session_db_history"))


def test_the_app_role_may_log_in_and_nothing_else(target: Target, sql: Sql) -> None:
    """No attribute, no membership, nothing of its own."""
    verbs.bootstrap(target)

    name = str(target.app.username)
    asked = "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
    assert (name, True, False, False, False, False) in sql(asked)
    assert (name,) not in sql("SELECT member::regrole::text FROM pg_auth_members")
    assert (name,) not in sql("SELECT refobjid::regrole::text FROM pg_shdepend WHERE deptype = 'o'")


def test_adk_prepares_nothing_on_a_bootstrapped_database(target: Target) -> None:
    """A service that starts only looks: the app role may not create, nor does it have to."""
    verbs.bootstrap(target)
    seen: set[str] = set()

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.add(statement.split(maxsplit=1)[0].upper())

    async def start() -> None:
        async with DatabaseSessionService(choice.of(target.app).adk_uri(target.app)) as service:
            await service.prepare_tables()

    event.listen(Engine, "before_cursor_execute", note)
    try:
        asyncio.run(start())
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert seen == {"SELECT", "SAVEPOINT", "RELEASE"}


def test_another_role_owns_the_tables(target: Target, sql: Sql) -> None:
    """One without login, whom a later bootstrap finds without being told of it."""
    owned = replace(target, roles=Roles(owner="adk_owner"))

    verbs.bootstrap(owned)

    assert sql(OWNERS.format("public")) == [("adk_owner",)]
    assert sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'adk_owner'") == [(False,)]
    assert settled(owned)
    assert settled(target)


def test_tables_change_hands_when_asked(target: Target, sql: Sql) -> None:
    """From the role that bootstrapped to the one that is named later."""
    verbs.bootstrap(target)
    owned = replace(target, roles=Roles(owner="adk_owner"))
    sql("DROP INDEX session_db_sessions_update_time")

    assert verbs.differences(owned)
    verbs.bootstrap(owned)

    assert sql(OWNERS.format("public")) == [("adk_owner",)]
    assert settled(owned)


def test_the_tables_may_have_a_schema_of_their_own(target: Target, sql: Sql) -> None:
    """ADK, which names none, finds it by the app role's search_path, and so does a bootstrap that is not told of it."""
    verbs.bootstrap(replace(target, roles=Roles(owner="adk_owner", schema="adk_s")))

    assert settled(target)
    assert sql(OWNERS.format("public")) == []
    assert sql(OWNERS.format("adk_s")) == [("adk_owner",)]
    assert sql(f"SELECT has_schema_privilege('{target.app.username}', 'adk_s', 'CREATE')") == [(False,)]


def test_a_schema_may_be_named_where_the_app_role_looks_elsewhere(target: Target, sql: Sql) -> None:
    """What was asked for wins over a search_path that somebody has set before."""
    verbs.bootstrap(target)
    sql(f"CREATE SCHEMA elsewhere; ALTER ROLE {target.app.username} SET search_path = 'elsewhere'")
    public = replace(target, roles=Roles(schema="public"))

    verbs.bootstrap(public)

    assert settled(public)
    assert len(sql("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")) == 6


@pytest.mark.parametrize("name", ['Ädk-User "x" %s', "sa@project.iam", "UPPER; o'hara", "user"])
def test_a_role_may_have_any_name(target: Target, name: str, sql: Sql) -> None:
    """App role, owner, reader and schema are quoted where they must be; a % is no placeholder."""
    owner, reader = (f"{name}-{role}" for role in ("owner", "reader"))
    named = Target(target.app.set(username=name), target.owner, Roles(owner=owner, read_only=reader, schema="Adk-S"))

    verbs.bootstrap(named)

    assert settled(named)
    assert sql(OWNERS.format("Adk-S")) == [(owner,)]
    assert {name, owner, reader} <= {role for (role,) in sql("SELECT rolname FROM pg_roles")}


@pytest.mark.parametrize("names", [("same", "same"), (None, "app"), ("app", None)])
def test_one_role_cannot_be_two(target: Target, names: tuple[str | None, str | None]) -> None:
    """An app role that owns the tables could drop them, and a reader that is the app role could write."""
    owner, reader = (str(target.app.username) if name == "app" else name for name in names)

    with pytest.raises(InvalidSettingError, match="expected different roles"):
        verbs.bootstrap(replace(target, roles=Roles(owner=owner, read_only=reader)))


def test_only_the_owner_is_asked_for_other_roles(target: Target) -> None:
    """A server with ADK's own role alone cannot give what is not its own."""
    verbs.bootstrap(target)

    for roles in (Roles(owner="adk_owner"), Roles(read_only="adk_reader")):
        with pytest.raises(InvalidSettingError, match="expected the owner of the tables in ADMIN_DB_URI"):
            verbs.bootstrap(Target(target.app, target.app, roles))
    verbs.make_ready(target.app)


def test_a_new_role_needs_a_password(target: Target) -> None:
    """Which is in the URI that ADK is given."""
    with pytest.raises(InvalidSettingError, match="expected a password for the new role"):
        verbs.bootstrap(replace(target, app=target.app.set(password="")))


def test_an_administrator_who_may_make_no_roles_is_told_so(target: Target, sql: Sql) -> None:
    """Nothing is left of what it began; with the roles in place it does the rest."""
    sql(f"ALTER ROLE {target.owner.username} NOCREATEROLE")

    with pytest.raises(InsufficientRightsError, match=r"permission denied to create role.*ADMIN_DB_URI"):
        verbs.bootstrap(target)
    assert sql(OWNERS.format("public")) == []

    sql(f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    verbs.bootstrap(target)
    assert settled(target)


def test_a_database_that_is_closed_to_the_public_is_opened_for_the_roles(target: Target, sql: Sql) -> None:
    """CONNECT and USAGE are granted where not everybody has them."""
    sql(f"REVOKE ALL ON DATABASE {target.app.database} FROM PUBLIC")
    sql("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    reading = replace(target, roles=Roles(read_only="adk_reader"))

    verbs.bootstrap(reading)

    assert settled(reading)
    entered = f"SELECT has_database_privilege('adk_reader', '{target.app.database}', 'CONNECT')"
    assert sql(entered) == [(True,)]


def test_the_role_of_a_url_without_a_user_is_the_one_that_bootstraps(target: Target, sql: Sql) -> None:
    """As on a laptop: one role does both, and nobody else gets anything."""
    one = Target.of(target.owner)

    verbs.bootstrap(one)

    assert settled(one)
    assert sql("SELECT DISTINCT grantee FROM information_schema.table_privileges WHERE table_schema = 'public'") == [
        (target.owner.username,)
    ]
