"""Others have been here with bad intent: an administrator who bootstraps runs none of their code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app import verbs
from app.backends.interface import Target
from app.errors import DatabaseUnavailableError, ForeignDatabaseError, InsufficientRightsError, SessionDatabaseError
from app.promotion import promote
from rehearsal.managed import ManagedDatabase

Sql = Callable[[str], list[tuple[Any, ...]]]

PAYLOAD = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$"
"""Code that cannot be run without being noticed: whatever runs it fails in its words."""

METADATA = "CREATE TABLE adk_internal_metadata (key VARCHAR(128) PRIMARY KEY, value VARCHAR(256) NOT NULL)"
TRAP = f"CREATE FUNCTION trap() RETURNS trigger {PAYLOAD}"
STATES = (
    "CREATE TABLE app_states (app_name VARCHAR(128) PRIMARY KEY, state JSONB NOT NULL, update_time TIMESTAMP NOT NULL"
)
HISTORY = "CREATE TABLE session_db_history (layout INT, checksum TEXT, step TEXT, release TEXT)"


@pytest.fixture
def guest(target: Target, sql: Sql) -> str:
    """The app role, which is there already and may create in `public`, as everybody could up to PostgreSQL 14."""
    sql("GRANT CREATE ON SCHEMA public TO PUBLIC")
    role = f'"{target.app.username}"'
    password = str(target.app.password)
    sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    return role


def test_functions_of_others_are_not_found(target: Target, guest: str, sql: Sql) -> None:
    """Though they fit better than PostgreSQL's own (CVE-2018-1058)."""
    sql(f"SET ROLE {guest}; CREATE FUNCTION public.sf(text[], text) RETURNS text[] {PAYLOAD}")
    sql(f"SET ROLE {guest}; CREATE AGGREGATE public.array_agg(text) (SFUNC = public.sf, STYPE = text[])")

    verbs.plan(target)
    verbs.bootstrap(target)

    assert verbs.differences(target) == ()
    assert verbs.bootstrap(target).steps == ()


def test_a_search_path_of_the_database_is_not_followed(
    server_database: ManagedDatabase, target: Target, guest: str, sql: Sql
) -> None:
    """Not even by what SQLAlchemy asks when it connects."""
    sql(f"CREATE SCHEMA evil; CREATE FUNCTION evil.current_schema() RETURNS name {PAYLOAD}")
    sql(f"ALTER DATABASE {server_database.name} SET search_path = evil, public, pg_catalog")
    sql(f"GRANT USAGE ON SCHEMA evil TO {guest}")
    superuser = replace(target, owner=server_database.superuser)

    verbs.plan(superuser)
    verbs.bootstrap(replace(superuser, roles=replace(target.roles, schema="public")))

    assert sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'events'") == [(1,)]


CODE = {
    "trigger": f"{METADATA}; {TRAP}; CREATE TRIGGER t BEFORE INSERT ON adk_internal_metadata EXECUTE FUNCTION trap()",
    "rule": f"{METADATA}; CREATE RULE r AS ON INSERT TO adk_internal_metadata DO ALSO SELECT 1",
    "policy": (
        f"{METADATA}; ALTER TABLE adk_internal_metadata ENABLE ROW LEVEL SECURITY; "
        "CREATE POLICY p ON adk_internal_metadata USING (true); GRANT SELECT ON adk_internal_metadata TO PUBLIC"
    ),
    "check": f"{STATES}, CHECK (length(app_name) > 0))",
    "history": f"{HISTORY}; {TRAP}; CREATE TRIGGER t BEFORE INSERT ON session_db_history EXECUTE FUNCTION trap()",
}


@pytest.mark.parametrize("trap", CODE.values(), ids=CODE)
def test_tables_of_others_that_run_code_are_refused(
    trap: str, target: Target, guest: str, sql: Sql, shape: Callable[[], str]
) -> None:
    """Before anything is written to them or read from them."""
    sql(f"SET ROLE {guest}; {trap}")
    before = shape()

    for verb in (verbs.plan, verbs.bootstrap):
        with pytest.raises(SessionDatabaseError) as caught:
            verb(target)
        assert isinstance(caught.value, ForeignDatabaseError | InsufficientRightsError)
        assert "run as" not in str(caught.value)
    assert shape() == before


def test_nobody_may_create_beside_our_tables(target: Target, guest: str, sql: Sql) -> None:
    """As PostgreSQL 15 has it by itself."""
    verbs.bootstrap(target)

    assert sql(f"SELECT has_schema_privilege('{guest}'::text, 'public', 'CREATE')".replace('"', "")) == [(False,)]
    sql("GRANT CREATE ON SCHEMA public TO PUBLIC")
    assert "REVOKE CREATE ON SCHEMA public FROM PUBLIC" in "\n".join(verbs.differences(target))
    assert verbs.bootstrap(target).steps == ("take the rights that everybody has", "record it in the history")


def test_a_time_zone_of_the_app_role_is_mended(target: Target, sql: Sql) -> None:
    """It wins over the database's."""
    verbs.bootstrap(target)
    sql(f"ALTER ROLE {target.app.username} SET timezone = 'Europe/Berlin'")

    assert "time zone" in verbs.differences(target)[0]
    assert f"set the time zone UTC for {target.app.username}" in verbs.bootstrap(target).steps
    assert verbs.verify(target).tables["events"] == 0


def test_no_row_reaches_a_message(target: Target, sql: Sql) -> None:
    """A server quotes the row that a constraint refuses."""
    verbs.bootstrap(target)
    sql("ALTER TABLE session_db_history ADD CHECK (step NOT LIKE '%index%') NOT VALID")
    sql("DROP INDEX session_db_sessions_update_time")

    with pytest.raises(DatabaseUnavailableError, match=r"SQLSTATE 23514") as caught:
        verbs.bootstrap(target)

    assert "Failing row" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_source_whose_rows_are_hidden_is_not_promoted_in_part(target: Target, sql: Sql, url: Any) -> None:
    """A policy would have filtered them without a word."""
    verbs.bootstrap(target)
    verbs.bootstrap(Target.of(url))
    sql("INSERT INTO sessions VALUES ('a', 'u', 's', '{}', now(), now())")
    sql("ALTER TABLE sessions ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON sessions USING (false)")

    with pytest.raises(InsufficientRightsError):
        promote(target.app, Target.of(url), lambda *_: None)
