"""The passwords of an existing server: encrypted in the stack file, else in the environment; in clear nowhere."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
from dotenv import dotenv_values
from pulumi.runtime import config
from pydantic import SecretStr

from infra.errors import SettingsError
from infra.layout import ROOT
from infra.settings.postgres import PostgresSettings

APP: Final = "SESSION_DB_PASSWORD"

ADMIN: Final = "ADMIN_DB_PASSWORD"

STAND_IN: Final = "rehearsal"
"""What a rehearsal puts in an encrypted value's place; it is no secret."""

_FILES: Final = (".env.local", ".env")


def password(key: str, encrypted: SecretStr | None, variable: str, role: str) -> pulumi.Output[str]:
    """A role's password (secret); read-only.

    Args:
        key: The setting, for example `password`.
        encrypted: What the stack file says.
        variable: Where it may be instead: `APP` or `ADMIN`.
        role: Whose it is, for the message.

    Raises:
        SettingsError: It is in neither place, or in clear in the stack file, or `.env` cannot be read.
    """
    setting = f"{pulumi.get_project()}:postgres"
    if encrypted is None:
        found = from_environment(variable)
    else:
        found = encrypted.get_secret_value()
        if found != STAND_IN and not _is_secret(setting):
            expected = f"the password of {role} encrypted, not in clear: change it on the server, then"
            raise _refusal(key, expected, project=pulumi.get_project(), stack=pulumi.get_stack())
    if found is None:
        raise _missing(key, variable, role, project=pulumi.get_project(), stack=pulumi.get_stack())
    return pulumi.Output.secret(found)


def require(section: Mapping[str, Any], *, project: str, stack: str) -> None:
    """Refuse a password that is in neither place before a stack is made; the program would find it afterwards alone.

    Read-only. What else is wrong with the section is the program's to say.

    Args:
        section: The `postgres` section as the stack file has it.
        project: The Pulumi project, for the refusal.
        stack: The stack's name, for the refusal.

    Raises:
        SettingsError: It is missing, or `.env` cannot be read.
    """
    user = section.get("user") or PostgresSettings.model_fields["user"].default
    admin = section.get("admin_user") or user
    wanted = [("password", APP, user), *([("admin_password", ADMIN, admin)] if admin != user else [])]
    for key, variable, role in wanted:
        if section.get(key) is None and from_environment(variable) is None:
            raise _missing(key, variable, role, project=project, stack=stack, new=True)


def from_environment(variable: str, *, environ: Mapping[str, str] = os.environ, root: Path = ROOT) -> str | None:
    """The variable's first value that is not blank: of the process, of `.env.local`, of `.env`; read-only.

    Args:
        variable: `APP` or `ADMIN`.
        environ: The process environment.
        root: The folder of the two files.

    Raises:
        SettingsError: One of the two files is there and cannot be read.
    """
    found = [environ.get(variable), *(_in_file(root / file, variable) for file in _FILES)]
    return next((value for value in found if value and value.strip()), None)


def _in_file(file: Path, variable: str) -> str | None:
    try:
        # Without interpolation: a generated password may contain `${`. An editor may have put a BOM in front.
        return dotenv_values(file, interpolate=False, encoding="utf-8-sig").get(variable)
    except (OSError, UnicodeDecodeError):
        message = f"expected {file} to be readable UTF-8 text of NAME=value lines. Mend or remove it"
        raise SettingsError(message) from None


def _is_secret(setting: str) -> bool:
    """Whether the engine decrypted a part of it: the driver is told by call, plain `pulumi` by environment."""
    return config.is_config_secret(setting) or setting in config.get_config_secret_keys_env()


def _missing(key: str, variable: str, role: str, *, project: str, stack: str, new: bool = False) -> SettingsError:
    """With the command that encrypts it, for which there has to be a stack."""
    expected = f"the password of {role}: set {variable} in the environment or in .env, or"
    making = f": pulumi stack init --stack {stack} --no-select &&" if new else ":"
    return _refusal(key, expected, making, project=project, stack=stack)


def _refusal(key: str, expected: str, then: str = ":", *, project: str, stack: str) -> SettingsError:
    setting = f"{project}:postgres.{key}"
    command = f"pulumi config set --secret --path {setting} --stack {stack}"
    return SettingsError(f"Pulumi.{stack}.yaml: {setting}: expected {expected}{then} {command}")
