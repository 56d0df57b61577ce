"""A session database on a PostgreSQL server that somebody else runs: a record of it, and nothing more."""

import os
from pathlib import Path

import pulumi

from infra.backends.postgres import passwords
from infra.backends.postgres.runbook import runbook
from infra.contract import BackupPolicy, SessionDatabase
from infra.errors import SettingsError
from infra.layout import ROOT
from infra.managed.uri import uri
from infra.settings.postgres import SYSTEM, PostgresSettings
from infra.settings.refusals import Refusal

_UNKNOWN = "unknown"
"""What only the server's own people can say; a preview asks no server."""


class PostgresDatabase(pulumi.ComponentResource):
    """The record of an existing server.

    Args:
        name: The component's name in the stack.
        settings: The `postgres` section of the stack file; a relative path starts at the repository.
        opts: The usual resource options.

    Attributes:
        password: The app role's (secret).
        admin_password: The administrator's (secret); the same one where one role does both.
        record: What is exported.
    """

    def __init__(self, name: str, settings: PostgresSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component; there are no resources below it."""
        super().__init__("sessiondb:postgres:Database", name, None, opts)
        self._settings = settings
        self._options = {"sslmode": settings.sslmode} | _root_certificate(settings)
        self.password = passwords.password("password", settings.password, passwords.APP, settings.user)
        self.admin_password = self._admin_password()
        self.record = self._record()
        self.register_outputs({})

    def _admin_password(self) -> pulumi.Output[str]:
        if self._settings.one_role:
            return self.password
        given, role = self._settings.admin_password, self._settings.administrator
        return passwords.password("admin_password", given, passwords.ADMIN, role)

    def _uri(self, user: str, password: pulumi.Output[str]) -> pulumi.Output[str]:
        host = self._settings.host
        return uri(
            user=user,
            password=password,
            host=f"[{host}]" if ":" in host else host,
            port=self._settings.port,
            database=self._settings.database,
            options=self._options,
        )

    def _record(self) -> SessionDatabase:
        settings = self._settings
        return SessionDatabase(
            session_db_uri=self._uri(settings.user, self.password),
            admin_db_uri=self._uri(settings.administrator, self.admin_password),
            backend="postgres",
            engine_version=_UNKNOWN,
            region="local" if settings.on_this_machine else _UNKNOWN,
            host=settings.host,
            port=settings.port,
            database=settings.database,
            user=settings.user,
            instance=f"{settings.host}:{settings.port}",
            auth="password",
            ca_certificate=_authority(settings),
            availability=_UNKNOWN,
            backup_policy=BackupPolicy(final_backup="none: destroy leaves the server and its data as they are"),
            runbook=runbook(settings, self._options),
        )


def _root_certificate(settings: PostgresSettings) -> dict[str, str]:
    """The CA as libpq is told of it, a path absolute, so that the URI works from whichever folder."""
    if settings.sslrootcert in (None, SYSTEM):
        return {"sslrootcert": SYSTEM} if settings.sslrootcert else {}
    return {"sslrootcert": str(_path(settings.sslrootcert))}


def _authority(settings: PostgresSettings) -> str:
    """The CA for the record, for machines that do not have the file.

    Raises:
        SettingsError: There is no certificate at the path.
    """
    if settings.sslrootcert in (None, SYSTEM):
        return settings.sslrootcert or ""
    try:
        text = _path(settings.sslrootcert).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        text = ""
    if "-----BEGIN CERTIFICATE-----" not in text:
        refusal = Refusal(
            "postgres.sslrootcert",
            f"a PEM file with the CA's certificate at {_path(settings.sslrootcert)}",
            "{sslrootcert: certificates/ca.pem}",
        )
        raise SettingsError(refusal.line(pulumi.get_project(), pulumi.get_stack()))
    return text


def _path(given: str) -> Path:
    return Path(os.path.normpath(ROOT / Path(given).expanduser()))
