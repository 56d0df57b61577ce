"""A rotated password reaches the server by the bootstrap: only where the old one is in force, and only when asked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import URL, Connection

from app import verbs
from app.backends.interface import Roles, Target, Waits
from app.backends.postgresql import connection, identities
from app.errors import AuthenticationError, ClosedPortError, InsufficientRightsError, InvalidSettingError
from rehearsal.cluster import Cluster

Sql = Callable[[str], list[tuple[Any, ...]]]

NEW = "n€w/p@ss:%d?#& '\\"


@pytest.fixture
def rotated(target: Target) -> Target:
    """A finished database whose app role has another password than the URI says now; to be given it."""
    verbs.bootstrap(target)
    return replace(target, app=target.app.set(password=NEW), roles=Roles(set_password=True))


def kept(sql: Sql, target: Target) -> str:
    """What the server keeps of the app role's password."""
    ((verifier,),) = sql(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{target.app.username}'")
    return str(verifier)


def finished(target: Target) -> bool:
    """Whether ADK works as the app role, and another bootstrap has nothing to do."""
    verbs.verify(target)
    return not verbs.plan(target).steps and not verbs.bootstrap(target).changed and not verbs.differences(target)


@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)  # From 16 on ALTER ROLE needs the ADMIN option.
def test_a_role_that_cannot_log_in_gets_the_password_of_its_uri(
    rotated: Target, target: Target, sql: Sql, postgresql: Cluster
) -> None:
    """As a verifier, so that no log of statements holds it; the old one is out."""
    sql(f"ALTER DATABASE {target.app.database} SET log_statement = 'all'")

    done = verbs.bootstrap(rotated)

    name = rotated.app.username
    assert done.steps == (f"set the password of {name}", "record it in the history")
    assert finished(rotated)
    assert f"ALTER ROLE {name} PASSWORD 'SCRAM-SHA-256$" in postgresql.log
    assert NEW not in postgresql.log
    with pytest.raises(AuthenticationError):
        verbs.verify(target)


def test_a_role_that_logs_in_is_left_alone(target: Target, sql: Sql) -> None:
    """Its verifier is the same one, and nothing is written at all."""
    verbs.bootstrap(target)
    before, history = kept(sql, target), sql("SELECT count(*) FROM session_db_history")
    asked = replace(target, roles=Roles(set_password=True))

    assert finished(asked)
    assert kept(sql, target) == before
    assert sql("SELECT count(*) FROM session_db_history") == history


def test_a_finished_database_takes_it_though_nothing_may_be_written(target: Target, sql: Sql) -> None:
    """The login is tried in a transaction that cannot write either."""
    verbs.bootstrap(target)
    sql(f"ALTER DATABASE {target.app.database} SET default_transaction_read_only = on")

    assert not verbs.bootstrap(replace(target, roles=Roles(set_password=True))).changed


def test_without_being_asked_no_password_is_changed(rotated: Target, target: Target, sql: Sql) -> None:
    """Somebody else may own the role; whether the password is right shows when it logs in."""
    before = kept(sql, rotated)

    assert not verbs.bootstrap(replace(rotated, roles=Roles())).changed
    assert kept(sql, rotated) == before
    verbs.verify(target)


def test_the_plan_and_the_drift_show_it_without_password_and_verifier(rotated: Target, sql: Sql) -> None:
    """A verifier can be attacked offline; neither changes anything."""
    before = kept(sql, rotated)
    steps = verbs.plan(rotated).steps
    drift = verbs.differences(rotated)

    shown = [sql for step in steps for sql in step.shown]
    assert shown[0] == f"ALTER ROLE {rotated.app.username} PASSWORD '***'"
    assert any(f"ALTER ROLE {rotated.app.username} PASSWORD '***'" in line for line in drift)
    assert NEW not in f"{shown}{drift}"
    assert "SCRAM" not in f"{shown}{drift}"
    assert kept(sql, rotated) == before
    verbs.bootstrap(rotated)
    assert "SCRAM" not in str(sql("TABLE session_db_history"))


def test_a_missing_role_is_made_as_ever(target: Target) -> None:
    """The option is of a role that is there."""
    done = verbs.bootstrap(replace(target, roles=Roles(set_password=True)))

    assert f"create role {target.app.username}" in done.steps
    assert f"set the password of {target.app.username}" not in done.steps


def test_of_many_at_once_one_sets_it(rotated: Target, sql: Sql) -> None:
    """The others wait for the lock, try the login again and find that it works."""
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(verbs.bootstrap, [rotated] * 8))

    assert [each.changed for each in done].count(True) == 1
    ((times,),) = sql("SELECT count(*) FROM session_db_history WHERE step LIKE '%set the password%'")
    assert times == 1


@pytest.mark.parametrize("identity", ["rds_iam", "cloudsql_iam", "entra"])
def test_a_role_without_a_password_gets_none(rotated: Target, identity: str, sql: Sql) -> None:
    """A token is what lets it in."""
    before = kept(sql, rotated)

    with pytest.raises(InvalidSettingError, match="expected an app role that logs in by password"):
        verbs.bootstrap(replace(rotated, roles=Roles(identity, set_password=True)))
    assert kept(sql, rotated) == before


def test_the_administrator_is_given_no_password(target: Target) -> None:
    """It bootstraps with the one it has."""
    verbs.bootstrap(target)
    one = Target(target.owner, target.owner, Roles(set_password=True))

    with pytest.raises(InvalidSettingError, match="expected the administrator in ADMIN_DB_URI for --set-password"):
        verbs.bootstrap(one)


def test_a_uri_without_a_password_has_none_to_give(rotated: Target) -> None:
    """An empty one would lock the role out."""
    with pytest.raises(InvalidSettingError, match="expected a password"):
        verbs.bootstrap(replace(rotated, app=rotated.app.set(password="")))


def test_a_login_that_fails_for_another_reason_changes_nothing(rotated: Target, sql: Sql) -> None:
    """A password is no help against a wrong port; the reason is told."""
    before = kept(sql, rotated)

    with pytest.raises(ClosedPortError):
        verbs.bootstrap(replace(rotated, app=rotated.app.set(port=1)))
    assert kept(sql, rotated) == before


def test_a_login_that_no_rule_allows_changes_nothing(
    rotated: Target, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server asks for no password where its pg_hba.conf has no rule; a new one would be set again and again."""
    before = kept(sql, rotated)
    really = connection.opened

    def opened(url: URL, waits: Waits) -> AbstractContextManager[Connection]:
        if url == rotated.app:
            message = "expected to use the database, but it has no rule for this user, database and address"
            raise AuthenticationError(message)
        return really(url, waits)

    monkeypatch.setattr(identities, "opened", opened)
    with pytest.raises(AuthenticationError, match="it has no rule"):
        verbs.bootstrap(rotated)
    assert kept(sql, rotated) == before


def test_a_role_that_may_not_connect_has_the_right_password(target: Target, sql: Sql) -> None:
    """The server has taken it before it looks at the rights, which the bootstrap then grants."""
    verbs.bootstrap(target)
    before = kept(sql, target)
    sql(f"REVOKE CONNECT ON DATABASE {target.app.database} FROM PUBLIC")
    asked = replace(target, roles=Roles(set_password=True))

    done = verbs.bootstrap(asked)

    assert done.steps == (f"grant {target.app.username} its rights", "record it in the history")
    assert kept(sql, target) == before
    assert finished(asked)


@pytest.mark.parametrize("postgresql", [16], indirect=True)
def test_the_role_of_somebody_else_cannot_be_given_one(target: Target, sql: Sql) -> None:
    """From PostgreSQL 16 on CREATEROLE alone is not enough; the message says who may."""
    verbs.bootstrap(target)
    asked = replace(target, app=target.app.set(password=NEW), roles=Roles(set_password=True))
    sql(f"REVOKE {target.app.username} FROM {target.owner.username} CASCADE")

    with pytest.raises(InsufficientRightsError, match=r"permission denied to alter role.*ADMIN_DB_URI"):
        verbs.bootstrap(asked)


def test_the_command_takes_the_option(rotated: Target, session_db: Any) -> None:
    """And says what it did, on the stream of the news."""
    uris = [url.render_as_string(hide_password=False) for url in (rotated.app, rotated.owner)]

    done = session_db("bootstrap", "--set-password", uri=uris[0], ADMIN_DB_URI=uris[1])

    assert done.returncode == 0, done.stderr
    assert f"set the password of {rotated.app.username}" in done.stderr
    assert NEW not in done.stderr
    assert finished(rotated)
