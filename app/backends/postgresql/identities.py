"""How the app role proves who it is: by a password or by its cloud, with the SQL for each."""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from app.backends.interface import Step, Target
from app.backends.postgresql.connection import opened, scalar
from app.backends.postgresql.names import quoted
from app.backends.postgresql.reasons import PASSWORD_REFUSED
from app.errors import AuthenticationError, InsufficientRightsError, InvalidSettingError


class Identity(StrEnum):
    """How the app role proves who it is."""

    PASSWORD = "password"  # noqa: S105  # A word, no password.
    RDS_IAM = "rds_iam"
    CLOUDSQL_IAM = "cloudsql_iam"
    ENTRA = "entra"


_RDS_ROLE: Final = "rds_iam"
"""Its members log in with a token (AWS, "Creating a database account using IAM authentication")."""

_ENTRA_FUNCTION: Final = "pg_catalog.pgaadauth_create_principal"
"""Makes a role for a principal of that name: (roleName text, isAdmin boolean, isMfa boolean) returns text (Microsoft,
"Manage Microsoft Entra roles in Azure Database for PostgreSQL")."""


def app_role(connection: Connection, target: Target, there: set[str]) -> list[Step]:
    """The steps that make the app role and let it log in; read-only. With `set_password` the app role's login is tried.

    Args:
        connection: As the administrator.
        target: What is wanted; a password is sent as its SCRAM verifier, never in clear.
        there: The names of all roles.

    Raises:
        InvalidSettingError: There is no password, or none is asked for, or the role has to be made outside of this
            database.
        DatabaseUnavailableError: Whether the app role can log in cannot be told; the kind says why.
    """
    name = str(target.app.username)
    if target.roles.set_password:
        _expect_a_password(target)
        if name in there:
            return _renewed(connection, target)
    match Identity(target.roles.identity):
        case Identity.RDS_IAM:
            sql = _rds_iam(connection, name, there)
        case _ if name in there:
            sql = []  # Whether its password is the one of the URI shows when it logs in.
        case Identity.PASSWORD:
            sql = [f"CREATE ROLE {quoted(connection, name)} LOGIN PASSWORD '{_verifier(connection, target)}'"]
        case Identity.ENTRA:
            sql = [_entra(connection, name)]
        case Identity.CLOUDSQL_IAM:
            raise _only_by_cloud_sql(name)
    what = f"let {name} log in by IAM" if name in there else f"create role {name}"
    return [Step(what, tuple(sql))] if sql else []


def _expect_a_password(target: Target) -> None:
    if target.roles.identity != Identity.PASSWORD:
        message = (
            f"expected an app role that logs in by password with --set-password, not by {target.roles.identity}. "
            "Leave --set-password away, or --app-identity"
        )
        raise InvalidSettingError(message)


def _renewed(connection: Connection, target: Target) -> list[Step]:
    """Nothing where the role gets in, so that a finished database is not written to."""
    verifier = _verifier(connection, target)
    if _gets_in(target):
        return []
    name = str(target.app.username)
    return [Step(f"set the password of {name}", (f"ALTER ROLE {quoted(connection, name)} PASSWORD '{verifier}'",))]


def _gets_in(target: Target) -> bool:
    """Whether the server takes the password, whatever the role may do afterwards.

    Raises:
        DatabaseUnavailableError: Something else is in the way, which no other password would move.
    """
    try:
        with opened(target.app, target.waits):
            return True
    except InsufficientRightsError:
        return True
    except AuthenticationError as error:
        if PASSWORD_REFUSED not in str(error):
            raise
        return False


def _only_by_cloud_sql(name: str) -> InvalidSettingError:
    kind = "cloud_iam_service_account" if name.endswith(".iam") else "cloud_iam_user"
    return InvalidSettingError(
        f"expected the Cloud SQL IAM user {name} to be there already: only Cloud SQL itself can make one. "
        f"For example: gcloud sql users create {name} --instance=INSTANCE --type={kind}"
    )


def _rds_iam(connection: Connection, name: str, there: set[str]) -> list[str]:
    if _RDS_ROLE not in there:
        message = (
            f"expected a server of Amazon RDS or Aurora for the IAM role {name}: this one has no role {_RDS_ROLE}. "
            "Leave --app-identity away, or name another server in ADMIN_DB_URI"
        )
        raise InvalidSettingError(message)
    role = quoted(connection, name)
    made = [] if name in there else [f"CREATE ROLE {role} LOGIN"]
    query = "SELECT pg_has_role(r.oid, :group, 'MEMBER') FROM pg_roles r WHERE r.rolname = :role"
    if not scalar(connection, query, group=_RDS_ROLE, role=name):
        made.append(f"GRANT {_RDS_ROLE} TO {role}")
    return made


def _entra(connection: Connection, name: str) -> str:
    literal = "'" + name.replace("'", "''") + "'"
    sql = f"SELECT * FROM {_ENTRA_FUNCTION}({literal}, false, false)"  # noqa: S608  # Quoted.
    if scalar(connection, f"SELECT to_regprocedure('{_ENTRA_FUNCTION}(text,boolean,boolean)')::text") is None:
        message = (
            f"expected the Entra principal {name} to be there already: this database cannot make one. In the database "
            f"postgres of an Azure server, as its Entra administrator: {sql}"
        )
        raise InvalidSettingError(message)
    return sql


def _verifier(connection: Connection, target: Target) -> str:
    """What the server would keep of the password, so that no log of statements ever holds it in clear."""
    name, password = str(target.app.username), str(target.app.password or "")
    if not password:
        message = f"expected a password for the new role {name} in SESSION_DB_URI: postgresql://{name}:change-me@…"
        raise InvalidSettingError(message)
    driver: Any = connection.connection.driver_connection
    return bytes(driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")).decode()
