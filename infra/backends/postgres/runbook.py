"""The exact commands for an existing server, for whoever is on call."""

import shlex
from collections.abc import Mapping
from typing import Final

import pulumi

from infra.contract import Runbook
from infra.settings.postgres import PostgresSettings

_FIRST: Final = "  # first the new SESSION_DB_PASSWORD where it is set: .env, .env.local or the environment"
"""Not in the command alone: the next one would take the old one from there."""


def runbook(settings: PostgresSettings, options: Mapping[str, str]) -> Runbook:
    """The commands; passwords are asked for, or come from PGPASSWORD. Read-only.

    Args:
        settings: The `postgres` section.
        options: libpq's further words, for example `{"sslmode": "verify-full"}`.
    """
    stack = pulumi.get_stack()
    admin = _conninfo(settings, settings.administrator, options)
    up = f".venv/bin/python -m infra up --stack {stack}"
    return Runbook(
        connect=f"psql {_conninfo(settings, settings.user, options)}",
        restore=(
            f"pg_restore --clean --if-exists --single-transaction --dbname={admin} sessions.dump"
            "  # the server's own backups are its operator's; to take one: "
            f"pg_dump --format=custom --file=sessions.dump {admin}"
        ),
        failover=f"by the server's operator; a new name goes into Pulumi.{stack}.yaml, postgres.host, then: {up}",
        rotate=_rotate(settings, admin, up, stack),
    )


def _rotate(settings: PostgresSettings, admin: str, up: str, stack: str) -> str:
    """A new password for the app role, where it is kept first; the last command gives it to the server."""
    kept = f"pulumi config set --secret --path {pulumi.get_project()}:postgres.password --stack {stack}"
    up, first = (up, _FIRST) if settings.password is None else (f"{kept} && {up}", "")
    if settings.one_role:
        return f"psql {admin} --command='\\password'  # then: {up}{first}"
    return f"{up} --no-bootstrap && .venv/bin/session-db bootstrap --stack {stack} --set-password{first}"


def _conninfo(settings: PostgresSettings, user: str, options: Mapping[str, str]) -> str:
    """The keyword form of libpq, which takes any name (PostgreSQL, "Connection Strings"), quoted for the shell."""
    words = {"host": settings.host, "port": str(settings.port), "dbname": settings.database, "user": user, **options}
    return shlex.quote(" ".join(f"{word}={_value(value)}" for word, value in words.items()))


def _value(value: str) -> str:
    if value and not any(letter in value for letter in " '\\"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
