"""Rights on the tables: exactly the ones that ADK uses, each of them needed, and repaired when they are not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy.exc import ProgrammingError

from app import verbs
from app.backends import choice
from app.backends.interface import Roles, Target
from app.backends.postgresql.rights import APP_RIGHTS, READ_ONLY_RIGHTS
from app.errors import InsufficientRightsError

VERSIONS = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)

Sql = Callable[[str], list[tuple[Any, ...]]]

FAILING = {
    ("adk_internal_metadata", "SELECT"): "prepare_tables",
    ("app_states", "SELECT"): "create_session",
    ("app_states", "INSERT"): "create_session",
    ("app_states", "UPDATE"): "create_session",
    ("user_states", "SELECT"): "create_session",
    ("user_states", "INSERT"): "create_session",
    ("user_states", "UPDATE"): "create_session",
    ("sessions", "SELECT"): "create_session",
    ("sessions", "INSERT"): "create_session",
    ("sessions", "UPDATE"): "append_event",
    ("sessions", "DELETE"): "delete_session",
    ("events", "SELECT"): "get_session",
    ("events", "INSERT"): "append_event",
    ("events", "DELETE"): "delete_session",
    ("session_db_history", "SELECT"): "make_ready",
}
"""The call that fails without each right: all of ADK's but the last, which is a server's before it starts."""

GRANTED = """
SELECT c.relname, g.rolname, array_agg(a.privilege_type::text ORDER BY a.privilege_type)
FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner GROUP BY 1, 2
"""


@pytest.fixture
def reading(target: Target) -> Target:
    """The database, bootstrapped, with a role that only reads."""
    made = replace(target, roles=Roles(read_only="adk_reader"))
    verbs.bootstrap(made)
    return made


def granted(sql: Sql) -> dict[tuple[str, str | None], list[str]]:
    """What others than the owner may do, by table and role; the role of everybody is None."""
    return {(table, role): rights for table, role, rights in sql(GRANTED)}


def exact(target: Target) -> dict[tuple[str, str | None], list[str]]:
    """What they should be able to do."""
    both = ((target.app.username, APP_RIGHTS), (target.roles.read_only, READ_ONLY_RIGHTS))
    return {(table, role): sorted(each[table]) for role, each in both if role for table in each}


async def every_call(service: DatabaseSessionService, calls: list[str]) -> None:
    """All that ADK does with sessions and states of all kinds; each call is noted before it is tried."""
    calls.append("prepare_tables")
    await service.prepare_tables()
    calls.append("create_session")
    state = {"app:a": 1, "user:b": 2, "c": 3, "temp:d": 4}
    session = await service.create_session(app_name="app", user_id="user", session_id="1", state=state)
    calls.append("append_event")
    delta = EventActions(state_delta=dict.fromkeys(state, 5))
    await service.append_event(session, Event(author="user", invocation_id="1", actions=delta))
    calls.append("get_session")
    await service.get_session(app_name="app", user_id="user", session_id="1")
    calls.append("list_sessions")
    await service.list_sessions(app_name="app", user_id="user")
    calls.append("delete_session")
    await service.delete_session(app_name="app", user_id="user", session_id="1")


def with_adk(target: Target, work: Callable[[DatabaseSessionService], Awaitable[None]]) -> None:
    """Work with ADK's service as the app role."""

    async def main() -> None:
        async with DatabaseSessionService(choice.of(target.app).adk_uri(target.app)) as service:
            await work(service)

    asyncio.run(main())


def serve(target: Target) -> str:
    """Start as a server does, then call all of ADK; the name of the call that failed for want of a right, else none."""
    calls = ["make_ready"]
    with contextlib.suppress(ProgrammingError, InsufficientRightsError):
        with_adk(target, lambda service: every_call(service, calls))
        calls.append("make_ready")
        verbs.make_ready(target.app)
        calls.append("none")
    return calls[-1]


@VERSIONS
def test_the_rights_are_exactly_those_of_the_table(reading: Target, sql: Sql) -> None:
    """For the app role and for the reader, and nobody else has any."""
    assert granted(sql) == exact(reading)


@VERSIONS
def test_the_rights_suffice(reading: Target) -> None:
    """Every call of ADK's works with them, and so does the start of a server; each of them is in the table below."""
    assert serve(reading) == "none"
    assert set(FAILING) == {(table, right) for table, rights in APP_RIGHTS.items() for right in rights}


@pytest.mark.parametrize(("table", "right"), FAILING)
def test_each_right_is_needed_missed_and_restored(reading: Target, sql: Sql, table: str, right: str) -> None:
    """Without it a call of ADK's, or a server's start, fails; drift names it and a bootstrap brings it back."""
    sql(f"REVOKE {right} ON {table} FROM {reading.app.username}")

    assert serve(reading) == FAILING[table, right]
    missed = f"GRANT {right} ON {table} TO {reading.app.username}."
    assert [missed in said for said in verbs.differences(reading)] == [True]

    assert "grant" in verbs.bootstrap(reading).steps[0]
    assert granted(sql) == exact(reading)
    assert not verbs.bootstrap(reading).changed


@VERSIONS
@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        ("UPDATE ON events TO {app}", "UPDATE ON events FROM {app}"),
        ("TRUNCATE, TRIGGER ON sessions TO {app}", "TRIGGER, TRUNCATE ON sessions FROM {app}"),
        ("UPDATE (event_data) ON events TO {app}", "UPDATE ON events FROM {app}"),
        ("INSERT ON session_db_history TO {app}", "INSERT ON session_db_history FROM {app}"),
        ("DELETE ON sessions TO adk_reader", "DELETE ON sessions FROM adk_reader"),
        ("SELECT ON events TO PUBLIC", "SELECT ON events FROM PUBLIC"),
        ("SELECT (state) ON app_states TO PUBLIC", "SELECT ON app_states FROM PUBLIC"),
        ("CREATE ON SCHEMA public TO {app}", "CREATE ON SCHEMA public FROM {app}"),
    ],
)
def test_a_right_too_many_is_found_and_taken_away(reading: Target, sql: Sql, grant: str, revoke: str) -> None:
    """From the app role, the reader and everybody; of a table, of a column and of the schema."""
    sql(f"GRANT {grant.format(app=reading.app.username)}")
    columns = "SELECT 1 FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384"

    said = verbs.differences(reading)

    assert [f"REVOKE {revoke.format(app=reading.app.username)}." in each for each in said] == [True]
    verbs.bootstrap(reading)
    assert granted(sql) == exact(reading)
    assert sql(columns) == []
    assert not verbs.bootstrap(reading).changed


@VERSIONS
def test_default_rights_of_somebody_elses_making_are_corrected_at_once(target: Target, sql: Sql) -> None:
    """Tables come with them from the start; the first bootstrap leaves nothing to the second one."""
    sql(f"CREATE ROLE {target.app.username} LOGIN PASSWORD '{target.app.password}'")
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {target.owner.username} GRANT ALL ON TABLES TO"
    sql(f"{defaults} {target.app.username}")
    sql(f"{defaults} PUBLIC")

    verbs.bootstrap(target)

    assert granted(sql) == exact(target)
    assert not verbs.bootstrap(target).changed


@VERSIONS
def test_a_third_role_keeps_what_somebody_gave_it(reading: Target, sql: Sql) -> None:
    """A report, a backup: not ours to take."""
    sql("CREATE ROLE report")
    sql("GRANT SELECT ON sessions TO report")

    assert not verbs.bootstrap(reading).changed


@VERSIONS
def test_the_reader_reads_and_no_more(reading: Target, sql: Sql) -> None:
    """ADK's get and list work as a member of it; create does not."""
    sql("CREATE ROLE analyst LOGIN PASSWORD 'change-me' IN ROLE adk_reader")
    analyst = replace(reading, app=reading.app.set(username="analyst", password="change-me"))

    async def write(service: DatabaseSessionService) -> None:
        await service.create_session(app_name="app", user_id="user", state={"user:a": 1})

    async def read(service: DatabaseSessionService) -> None:
        (listed,) = (await service.list_sessions(app_name="app", user_id="user")).sessions
        found = await service.get_session(app_name="app", user_id="user", session_id=listed.id)
        assert found is not None
        assert found.state == {"user:a": 1}

    with_adk(reading, write)
    with_adk(analyst, read)
    with pytest.raises(ProgrammingError, match="permission denied"):
        with_adk(analyst, write)


@VERSIONS
@pytest.mark.parametrize("owner", [None, "adk_owner"])
def test_the_reader_reads_what_the_owner_makes_later(target: Target, sql: Sql, owner: str | None) -> None:
    """By default rights, which the administrator sets for the owner as its member."""
    reading = replace(target, roles=Roles(owner=owner, read_only="adk_reader"))
    verbs.bootstrap(reading)

    text = reading.owner.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(text, autocommit=True) as connection:
        connection.execute(f"SET ROLE {owner or 'NONE'}")
        connection.execute("CREATE TABLE adk_tomorrow ()")

    assert sql("SELECT has_table_privilege('adk_reader', 'adk_tomorrow', 'SELECT')") == [(True,)]
    assert not verbs.bootstrap(reading).changed
