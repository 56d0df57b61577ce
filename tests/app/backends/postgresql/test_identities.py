"""App roles that log in without a password of ours: by the IAM of Amazon RDS and Cloud SQL, and by Microsoft Entra."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app import verbs
from app.backends.interface import Roles, Target
from app.errors import InvalidSettingError

pytestmark = pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)

Sql = Callable[[str], list[tuple[Any, ...]]]

ENTRA = """
CREATE FUNCTION pg_catalog.pgaadauth_create_principal("roleName" text, "isAdmin" boolean, "isMfa" boolean)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format('CREATE ROLE %I LOGIN', $1);
  EXECUTE format('COMMENT ON ROLE %I IS %L', $1, format('admin %s, mfa %s', $2, $3));
  RETURN format('Created role for "%s"', $1);
END $$
"""
"""A stand-in with the signature, the place and the answer that Microsoft documents: "Manage Microsoft Entra roles in
Azure Database for PostgreSQL". A superuser of Azure's makes the role, not the administrator."""


@pytest.fixture
def passwordless(target: Target) -> Target:
    """The app role's URI as a cloud's token helper takes it."""
    return replace(target, app=target.app.set(username="sa@project.iam", password=""))


def settled(target: Target) -> bool:
    """Whether neither another bootstrap nor a plan finds anything, with or without the identity."""
    again = (target, replace(target, roles=Roles()))
    return not any(verbs.plan(each).steps or verbs.bootstrap(each).changed for each in again)


def may_write(sql: Sql, role: str) -> bool:
    """Whether a role has its rights."""
    return sql(f"SELECT has_table_privilege('{role}', 'sessions', 'SELECT, INSERT, UPDATE, DELETE')") == [(True,)]


def test_an_iam_role_of_amazon_rds_is_made(passwordless: Target, sql: Sql) -> None:
    """It logs in by a token, being a member of rds_iam; the administrator, who has a password, is none by it."""
    target = replace(passwordless, roles=Roles("rds_iam"))

    verbs.bootstrap(target)

    assert settled(target)
    assert may_write(sql, "sa@project.iam")
    assert sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'sa@project.iam'") == [(True,)]
    asked = "SELECT pg_has_role('{}', 'rds_iam', 'USAGE')"
    assert [sql(asked.format(role)) for role in ("sa@project.iam", target.owner.username)] == [[(True,)], [(False,)]]


def test_a_role_that_is_there_is_let_in_by_iam(passwordless: Target, sql: Sql) -> None:
    """Someone has made it; rds_iam is all that it lacks."""
    target = replace(passwordless, roles=Roles("rds_iam"))
    sql('CREATE ROLE "sa@project.iam" LOGIN')

    verbs.bootstrap(target)

    assert settled(target)
    assert sql("SELECT pg_has_role('sa@project.iam', 'rds_iam', 'MEMBER')") == [(True,)]


def test_another_server_knows_no_iam_of_amazon(passwordless: Target, sql: Sql) -> None:
    """The name is missing there, which no SQL error has to say."""
    sql("ALTER ROLE rds_iam RENAME TO another")
    try:
        with pytest.raises(InvalidSettingError, match="expected a server of Amazon RDS or Aurora"):
            verbs.plan(replace(passwordless, roles=Roles("rds_iam")))
    finally:
        sql("ALTER ROLE another RENAME TO rds_iam")


@pytest.mark.parametrize(
    ("name", "kind"), [("sa@project.iam", "cloud_iam_service_account"), ("ann@example.org", "cloud_iam_user")]
)
def test_an_iam_user_of_cloud_sql_is_asked_for(passwordless: Target, sql: Sql, name: str, kind: str) -> None:
    """Only Cloud SQL makes one: the command is told, and nothing is changed."""
    target = replace(passwordless, app=passwordless.app.set(username=name), roles=Roles("cloudsql_iam"))

    with pytest.raises(InvalidSettingError, match=f"gcloud sql users create {name} --instance=INSTANCE --type={kind}"):
        verbs.bootstrap(target)
    assert sql("SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []

    sql(f'CREATE ROLE "{name}" LOGIN')
    verbs.bootstrap(target)
    assert settled(target)
    assert may_write(sql, name)


def test_an_entra_principal_is_made(passwordless: Target, sql: Sql) -> None:
    """Neither an administrator nor one with enforced MFA, and a quote in its name is data."""
    target = replace(passwordless, app=passwordless.app.set(username="o'hara@example.org"), roles=Roles("entra"))
    sql(ENTRA)

    verbs.bootstrap(target)

    assert settled(target)
    assert may_write(sql, "o''hara@example.org")
    comments = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'o''hara@example.org'"
    assert sql(comments) == [("admin f, mfa f",)]


def test_the_stand_in_has_microsofts_signature(sql: Sql) -> None:
    """What is tried against it would else say nothing about Azure."""
    sql(ENTRA)

    query = "SELECT proargnames, pg_get_function_identity_arguments(oid), prorettype::regtype::text FROM pg_proc"
    assert sql(f"{query} WHERE proname = 'pgaadauth_create_principal'") == [
        (
            ["roleName", "isAdmin", "isMfa"],
            '"roleName" text, "isAdmin" boolean, "isMfa" boolean',
            "text",
        )
    ]


def test_an_entra_principal_is_asked_for_where_none_can_be_made(passwordless: Target, sql: Sql) -> None:
    """Azure has its function in the database postgres; a principal that is there already gets its rights."""
    target = replace(passwordless, roles=Roles("entra"))

    with pytest.raises(
        InvalidSettingError, match=r"In the database postgres .*pgaadauth_create_principal\('sa@project"
    ):
        verbs.bootstrap(target)

    sql('CREATE ROLE "sa@project.iam" LOGIN')
    verbs.bootstrap(target)
    assert settled(target)
    assert may_write(sql, "sa@project.iam")
