"""The exported record: what every backend hands to the people and programs that use the database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import pulumi

SECRET: Final = frozenset({"session_db_uri", "admin_db_uri"})
"""Outputs that carry, or on another backend would carry, a password."""


@dataclass(frozen=True)
class BackupPolicy:
    """When backups are taken and how long they last.

    Attributes:
        window: When the daily backup starts, UTC, for example `03:00-04:00`; empty where none is taken.
        retention_days: Days that a backup is kept; 0 where none is taken.
        pitr_window_days: Days back to which any moment can be restored; 0 without PITR.
        final_backup: Where the database goes when the stack is destroyed.
    """

    window: str = ""
    retention_days: int = 0
    pitr_window_days: int = 0
    final_backup: str = ""


@dataclass(frozen=True)
class Runbook:
    """The exact commands for this very stack, for whoever is on call."""

    connect: pulumi.Input[str]
    restore: pulumi.Input[str]
    failover: pulumi.Input[str]
    rotate: pulumi.Input[str]


@dataclass(frozen=True)
class ServerRecord:
    """One generation of the server, for whoever compares two of them before switching.

    Attributes:
        instance: The server's name in its cloud.
        host: Its name or address.
        active: Whether the exported URI leads to it.
    """

    instance: pulumi.Input[str]
    host: pulumi.Input[str]
    active: bool


@dataclass(frozen=True, kw_only=True)
class SessionDatabase:
    """The record; its fields are the stack outputs, the same for every backend.

    Attributes:
        session_db_uri: SQLAlchemy URI for the app role (secret).
        admin_db_uri: The same for the owner role that bootstraps (secret); equal to the first on SQLite.
        backend: The stack file's backend.
        engine_version: The version of the database engine; `unknown` on `postgres`, where the program asks no server.
        region: Where it is; `local` on this machine.
        host: The server's name; empty where there is none.
        port: The server's port; 0 where there is none.
        database: The database's name; on SQLite the file.
        user: The app role; empty where there is none.
        instance: The server's name in its cloud; on SQLite the file.
        auth: `file`, `password` or `iam`.
        ca_certificate: PEM or well-known bundle name for `verify-full`; empty on SQLite.
        secret_ref: Where the credentials live in the secret store; never the value.
        availability: The HA mode; `none` without a standby, `unknown` on `postgres`.
        backup_policy: Window, retention and PITR window.
        runbook: Commands to connect, restore, fail over and rotate.
        servers: The generations of the server by id; empty where the backend has none.
        waivers: The floors of production that this stack is under, each with its reason.
    """

    session_db_uri: pulumi.Input[str]
    admin_db_uri: pulumi.Input[str]
    backend: str
    engine_version: pulumi.Input[str]
    region: pulumi.Input[str]
    host: pulumi.Input[str] = ""
    port: pulumi.Input[int] = 0
    database: pulumi.Input[str]
    user: pulumi.Input[str] = ""
    instance: pulumi.Input[str]
    auth: str
    ca_certificate: pulumi.Input[str] = ""
    secret_ref: pulumi.Input[str] = ""
    availability: pulumi.Input[str]
    backup_policy: BackupPolicy
    runbook: Runbook
    servers: Mapping[str, ServerRecord] = field(default_factory=dict)
    waivers: Mapping[str, str] = field(default_factory=dict)

    def outputs(self) -> Iterator[tuple[str, object]]:
        """Each output as (name, value), the secret ones wrapped; read-only."""
        for each in fields(self):
            value = _plain(getattr(self, each.name))
            yield each.name, pulumi.Output.secret(value) if each.name in SECRET else value


def _plain(value: Any) -> Any:
    """Records as maps. Not `dataclasses.asdict`, which would copy what is not known yet."""
    if isinstance(value, BackupPolicy | Runbook | ServerRecord):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value
