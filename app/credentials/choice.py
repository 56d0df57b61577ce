"""Where this process has its password from, by the settings; a cloud's SDK is imported only where it is chosen."""

import os
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import model_validator
from sqlalchemy import URL

from app.credentials import file, secret_store, vendors
from app.credentials.interface import Credentials
from app.credentials.renewed import RenewedCredentials
from app.credentials.unchanging import UnchangingCredentials
from app.errors import InvalidSettingError
from app.settings import Settings, variable

_CLOUDS: Final = {"rds_iam": "aws", "cloudsql_iam": "gcp", "entra": "azure"}

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
"""Where a cloud's own proxy listens, which encrypts the rest of the way."""


class Proof(Settings):
    """How the app role proves who it is."""

    identity: Literal["password", "rds_iam", "cloudsql_iam", "entra"] = variable(
        "SESSION_DB_IDENTITY",
        "password",
        "what proves who the role is: a `password`, or tokens of `rds_iam`, `cloudsql_iam` or `entra`",
    )
    password_file: str | None = variable(
        file.VARIABLE,
        None,
        "file with the password, or with the whole URI; read for every connection",
        example=file.EXAMPLE,
    )
    password_secret: str | None = variable(
        secret_store.VARIABLE,
        None,
        "the stack's `secret_ref`, or another secret with the password or the URI",
        example="projects/my-project/secrets/sessions-uri/versions/latest",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        named = [name for name in ("password_file", "password_secret") if getattr(self, name)]
        if len(named) + (self.identity != "password") > 1:
            message = (
                "expected one of SESSION_DB_PASSWORD_FILE, SESSION_DB_PASSWORD_SECRET and an identity with tokens "
                f"(SESSION_DB_IDENTITY={self.identity}), not several"
            )
            raise ValueError(message)
        return self


def of(url: URL, settings: Proof) -> Credentials:
    """What gives the logins of a database; nothing is asked or read yet.

    Args:
        url: A PostgreSQL URL from `dsn.parse`.
        settings: The settings.

    Raises:
        InvalidSettingError: They do not fit the URL, or the cloud's package is missing.
    """
    if settings.password_file:
        return file.credentials(url, Path(settings.password_file))
    if settings.password_secret:
        return secret_store.credentials(url, settings.password_secret)
    if settings.identity == "password":
        return UnchangingCredentials(url)
    _require_a_role(url, settings.identity)
    _require_encryption(url, settings.identity)
    return RenewedCredentials(vendors.imported(_CLOUDS[settings.identity]).token(url))


def whence(url: URL, settings: Proof) -> str:
    """Where a login is to be mended that the server does not accept, in one sentence; nothing is asked or read.

    Args:
        url: A PostgreSQL URL from `dsn.parse`.
        settings: The settings.
    """
    if settings.password_file:
        return f"The password is from {settings.password_file}, which {file.VARIABLE} names: look what is there"
    if settings.password_secret:
        return f"The password is from {settings.password_secret}, which {secret_store.VARIABLE} names: look at it there"
    if settings.identity != "password":
        return (
            f"The token is by SESSION_DB_IDENTITY={settings.identity}: look whether the role in SESSION_DB_URI takes "
            "such tokens, and whether this machine's identity may log in as it"
        )
    if url.password is None:
        return "SESSION_DB_URI has no password: write it there, or set SESSION_DB_PASSWORD_FILE"
    return "Look at both in SESSION_DB_URI; a special character is percent-encoded there (@ is %40)"


def _require_a_role(url: URL, identity: str) -> None:
    if not url.username:
        message = (
            f"expected the role in SESSION_DB_URI with SESSION_DB_IDENTITY={identity}, whose tokens name none. "
            "For example postgresql://adk_user@db.example.org/adk_sessions?sslmode=verify-full"
        )
        raise InvalidSettingError(message)


def require_none(settings: Proof) -> None:
    """Refuse a login where the database is a file: it is one for a server that SESSION_DB_URI does not name.

    Args:
        settings: The settings.

    Raises:
        InvalidSettingError: There is one.
    """
    if settings != Proof():
        message = (
            "expected SESSION_DB_URI to name the PostgreSQL database that SESSION_DB_PASSWORD_FILE, "
            "SESSION_DB_PASSWORD_SECRET or SESSION_DB_IDENTITY is for. "
            "For example SESSION_DB_URI=postgresql://adk_user@db.example.org/adk_sessions"
        )
        raise InvalidSettingError(message)


def _require_encryption(url: URL, identity: str) -> None:
    """A token is sent as it is: whoever reads it on the way can log in with it."""
    host = url.query.get("host", url.host or "localhost")
    local = isinstance(host, str) and (host.startswith("/") or host in _LOCAL)
    mode = url.query.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    if not local and mode not in ("require", "verify-ca", "verify-full"):
        message = (
            f"expected sslmode=verify-full, or at least require, with SESSION_DB_IDENTITY={identity}, whose tokens are "
            f"sent in clear otherwise, not sslmode={mode}. Write it in SESSION_DB_URI: ?sslmode=verify-full"
        )
        raise InvalidSettingError(message)
