"""Where a login that a database refuses is to be mended, for whoever runs a command on it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import URL

from app import environment
from app.backends.interface import Target
from app.backends.postgresql.reasons import ADVICE, password_of

_MADE: Final = "session-db bootstrap makes a role that is missing; with --set-password it gives this one its password"


def of(name: str | None, database: Target) -> Mapping[str, str]:
    """What errors advise, for `failures.advised`; asks nothing but settings.

    Args:
        name: The stack whose record names the database; None for the settings.
        database: As `target.find` gives it.

    Raises:
        InvalidSettingError: A setting cannot be read.
    """
    if database.app.get_backend_name() == "sqlite":
        return ADVICE
    if name is not None:
        return {**ADVICE, "password": f"They are of the record of {name}: after a change run make up STACK={name}"}
    roles = {password_of(database.app.username): _of_app(database)}
    if environment.setting(environment.ADMIN_DB_URI) is not None:
        roles[password_of(database.owner.username)] = _of_owner(database.owner)
    return {**ADVICE, **roles}


def _of_app(database: Target) -> str:
    from app.credentials import choice  # noqa: PLC0415  # Keeps --help quick.

    proof = choice.Proof.read()
    said = choice.whence(database.app, proof)
    alone = database.owner == database.app or proof.identity != "password"
    return said if alone else f"{said}. {_MADE}"


def _of_owner(url: URL) -> str:
    if url.password is None:
        return "ADMIN_DB_URI has no password: write it there, or set PGPASSWORD"
    return "Look at both in ADMIN_DB_URI; a special character is percent-encoded there (@ is %40)"
