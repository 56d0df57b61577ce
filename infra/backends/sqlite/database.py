"""A session database in one SQLite file: the backend of a laptop."""

import os
import shlex
import sqlite3
from pathlib import Path

import pulumi
from pulumi.dynamic import Resource

from infra.backends.sqlite.files import SIDECARS
from infra.backends.sqlite.provider import SqliteFileProvider
from infra.contract import BackupPolicy, Runbook, SessionDatabase
from infra.layout import AGENTS, ROOT
from infra.settings.sqlite import SqliteSettings


class SqliteFile(Resource, module="sessiondb", name="SqliteFile"):
    """The file itself, held by the dynamic provider; `path` is known once the file exists."""

    path: pulumi.Output[str]

    def __init__(self, name: str, path: Path, backups: Path, opts: pulumi.ResourceOptions) -> None:
        """Take the absolute paths of the database and of the folder that keeps it when it is destroyed."""
        props = {"path": str(path), "backups": str(backups), "agents": str(AGENTS)}
        super().__init__(SqliteFileProvider(), name, props, opts)


class SqliteDatabase(pulumi.ComponentResource):
    """The file and the record it exports.

    Args:
        name: The component's name in the stack.
        settings: The `sqlite` section of the stack file; relative paths start at the repository.
        opts: The usual resource options.
    """

    def __init__(self, name: str, settings: SqliteSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its file."""
        super().__init__("sessiondb:sqlite:Database", name, None, opts)
        self._path = _absolute(settings.path)
        self._backups = _absolute(settings.backups)
        self.file = SqliteFile(name, self._path, self._backups, pulumi.ResourceOptions(parent=self))
        self.record = self._record()
        self.register_outputs({})

    def _record(self) -> SessionDatabase:
        path = self.file.path
        uri = path.apply(lambda known: f"sqlite:///{known}")
        return SessionDatabase(
            session_db_uri=uri,
            admin_db_uri=uri,
            backend="sqlite",
            engine_version=sqlite3.sqlite_version,
            region="local",
            database=path,
            instance=path,
            auth="file",
            availability="none",
            backup_policy=BackupPolicy(final_backup=str(self._backups)),
            runbook=self._runbook(),
        )

    def _runbook(self) -> Runbook:
        path, backups = shlex.quote(str(self._path)), shlex.quote(str(self._backups))
        # A WAL left of the database before would be replayed into the restored one.
        beside = " ".join(shlex.quote(f"{self._path}{suffix}") for suffix in SIDECARS)
        none = "not applicable to one file: "
        return Runbook(
            connect=f"sqlite3 {path}",
            restore=f"ls {backups}  # stop the API server, then: rm -f {beside} && cp {backups}/<one of them> {path}",
            failover=f"{none}there is no standby",
            rotate=f"{none}access is the file's mode, there is no password",
        )


def _absolute(path: str) -> Path:
    """Absolute without following links, so that a link can be refused by name."""
    return Path(os.path.normpath(ROOT / Path(path).expanduser()))
