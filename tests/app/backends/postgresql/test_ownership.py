"""Tables that ADK made as its own role go to another one, by an administrator who is no superuser."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.schemas import v0
from sqlalchemy import URL, NullPool, create_engine

from app import verbs
from app.backends import choice
from app.backends.interface import Roles, Target
from app.errors import InsufficientRightsError
from rehearsal.cluster import Cluster

pytestmark = pytest.mark.parametrize("postgresql", [15, 18], indirect=True)  # Memberships changed once, with 16.

Sql = Callable[[str], list[tuple[Any, ...]]]

OWNERS = "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'"
KEPT = "SELECT app_name, user_id, id, state FROM sessions"


@pytest.fixture(params=[None, "azure_pg_admin"], ids=["owned", "member"])
def database_owner(request: pytest.FixtureRequest) -> str | None:
    """The database belongs to its administrator, as on Amazon RDS, or to a role that it is a member of."""
    owner: str | None = request.param
    return owner


def ask(url: URL, statement: str) -> None:
    """Run a statement as the role of a URL."""
    text = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(text, autocommit=True) as connection:
        connection.execute(statement)


def adk_makes_its_tables(target: Target) -> None:
    """ADK makes its tables as its own role at the first session, as it does wherever nobody bootstraps."""

    async def run() -> None:
        async with DatabaseSessionService(choice.of(target.app).adk_uri(target.app)) as service:
            await service.create_session(app_name="app", user_id="user", session_id="1", state={"kept": True})

    asyncio.run(run())


@pytest.fixture
def made_by_adk(target: Target) -> Target:
    """The administrator has made the app role and let it create in public; ADK has done the rest."""
    ask(target.owner, f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    ask(target.owner, f"GRANT CREATE ON SCHEMA public TO {target.app.username}")
    adk_makes_its_tables(target)
    return target


def is_15(sql: Sql) -> bool:
    """Whether CREATEROLE still makes one a member of every role."""
    return sql("SELECT current_setting('server_version_num')::int < 160000") == [(True,)]


def settled(target: Target) -> bool:
    """Whether neither another bootstrap nor drift finds anything, and ADK works as the app role."""
    verbs.verify(target)
    return not verbs.plan(target).steps and not verbs.bootstrap(target).changed


@pytest.mark.parametrize("owner", [None, "adk_owner"])
def test_adks_own_tables_are_given_to_another_role(made_by_adk: Target, sql: Sql, owner: str | None) -> None:
    """With their data; the app role, which needed CREATE for them, has it no longer."""
    target = replace(made_by_adk, roles=Roles(owner=owner))

    verbs.bootstrap(target)

    assert sql(OWNERS) == [(owner or target.owner.username,)]
    assert sql(KEPT) == [("app", "user", "1", {"kept": True})]
    assert sql(f"SELECT has_schema_privilege('{target.app.username}', 'public', 'CREATE')") == [(False,)]
    assert settled(target)


def test_the_administrator_leaves_the_app_role(made_by_adk: Target, sql: Sql) -> None:
    """As whose member it would log in the way that role does; of the owner it stays one, for the next bootstrap."""
    target = replace(made_by_adk, roles=Roles(owner="adk_owner"))
    may = "SELECT pg_has_role('{}', '{}', 'USAGE')".format

    verbs.bootstrap(target)

    assert sql(may(target.owner.username, target.app.username)) == [(False,)]
    assert sql(may(target.owner.username, "adk_owner")) == [(True,)]
    assert sql(may(target.app.username, "adk_owner")) == [(False,)]


def test_a_membership_that_was_there_stays(made_by_adk: Target, sql: Sql) -> None:
    """Somebody gave it on purpose; nothing is taken away that this bootstrap did not give."""
    options = "" if is_15(sql) else " WITH INHERIT TRUE, SET TRUE"
    sql(f"GRANT {made_by_adk.app.username} TO {made_by_adk.owner.username}{options}")

    verbs.bootstrap(made_by_adk)

    asked = f"SELECT pg_has_role('{made_by_adk.owner.username}', '{made_by_adk.app.username}', 'USAGE')"
    assert sql(asked) == [(True,)]
    assert settled(made_by_adk)


def test_a_membership_in_part_is_completed(made_by_adk: Target, sql: Sql) -> None:
    """Since PostgreSQL 16 a member may lack the right to act as the role, or to give it tables."""
    target = replace(made_by_adk, roles=Roles(owner="adk_owner"))
    ask(target.owner, "CREATE ROLE adk_owner NOLOGIN")
    for role, options in ((target.app.username, "INHERIT FALSE, SET TRUE"), ("adk_owner", "INHERIT TRUE, SET FALSE")):
        ask(target.owner, f"GRANT {role} TO {target.owner.username}{'' if is_15(sql) else f' WITH {options}'}")

    verbs.bootstrap(target)

    assert sql(OWNERS) == [("adk_owner",)]
    assert settled(target)


def test_what_a_server_made_with_its_own_role_alone_is_taken_over(target: Target, sql: Sql) -> None:
    """As after a beginning with one URI; the history changes hands too."""
    ask(target.owner, f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    ask(target.owner, f"GRANT CREATE ON SCHEMA public TO {target.app.username}")
    verbs.make_ready(target.app)

    assert verbs.plan(target).steps[0].name == f"become a member of {target.app.username}"
    verbs.bootstrap(target)

    assert sql(OWNERS) == [(target.owner.username,)]
    assert sql("SELECT count(*) FROM session_db_history") == [(2,)]
    assert settled(target)


def test_events_of_layout_v0_are_migrated_by_an_administrator_who_owns_none(target: Target, sql: Sql) -> None:
    """An ADK of two years ago made them as its own role."""
    ask(target.owner, f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    ask(target.owner, f"GRANT CREATE ON SCHEMA public TO {target.app.username}")
    engine = create_engine(target.app, poolclass=NullPool)
    v0.Base.metadata.create_all(engine)

    verbs.bootstrap(target)

    assert sql(OWNERS) == [(target.owner.username,)]
    assert settled(target)


def test_the_tables_of_a_third_role_stay_its_own(made_by_adk: Target, sql: Sql) -> None:
    """Whoever owned them before goes on to, unless another owner is asked for."""
    ask(made_by_adk.owner, "CREATE ROLE third NOLOGIN")
    for (table,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        sql(f"ALTER TABLE {table} OWNER TO third")

    verbs.bootstrap(made_by_adk)

    assert sql(OWNERS) == [("third",)]
    assert settled(made_by_adk)


def test_another_administrator_takes_over(made_by_adk: Target, sql: Sql, postgresql: Cluster) -> None:
    """With the owner's membership, which the clouds' administrators give to one another."""
    target = replace(made_by_adk, roles=Roles(owner="adk_owner"))
    verbs.bootstrap(target)
    ask(target.owner, "CREATE ROLE second LOGIN CREATEROLE PASSWORD 'change-me'")
    ask(target.owner, "GRANT adk_owner TO second")
    sql("DROP INDEX session_db_sessions_update_time")
    second = replace(target, owner=postgresql.uri("second", "change-me", str(target.app.database)))

    assert verbs.bootstrap(second).steps == ("create index session_db_sessions_update_time",)
    assert settled(second)


def test_an_administrator_who_may_not_take_them_is_told_so(target: Target, sql: Sql) -> None:
    """Since PostgreSQL 16 CREATEROLE alone makes nobody a member of a role that somebody else made."""
    sql(f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    sql(f"GRANT CREATE ON SCHEMA public TO {target.app.username}")
    adk_makes_its_tables(target)

    if is_15(sql):
        verbs.bootstrap(target)
    else:
        with pytest.raises(InsufficientRightsError, match=f'permission denied to grant role "{target.app.username}"'):
            verbs.bootstrap(target)
        assert sql(OWNERS) == [(target.app.username,)]
        sql(f"GRANT {target.app.username} TO {target.owner.username}")
        verbs.bootstrap(target)
    assert settled(target)
