"""Which database is meant, and as whom: from a stack's record, else from the environment."""

from dataclasses import replace

from sqlalchemy import URL

from app import dsn, environment, stack
from app.backends.interface import Roles, Target, Waits
from app.errors import InvalidSettingError, InvalidUriError

_NONE = (
    "expected a database: set SESSION_DB_URI in the environment or in .env, or in a clone give --stack dev, "
    "for example SESSION_DB_URI=sqlite:///data/sessions/sessions.db"
)

_WHOSE = "expected the stack whose rehearsal is meant, for example: --stack prod --rehearse"


def find(
    stack_name: str | None, roles: Roles | None = None, waits: Waits | None = None, *, rehearse: bool = False
) -> Target:
    """The session database of a stack, or that of SESSION_DB_URI and ADMIN_DB_URI; read-only.

    Of the latter the app role has its password or token as a server has it: from the URI, or by
    SESSION_DB_PASSWORD_FILE, SESSION_DB_PASSWORD_SECRET or SESSION_DB_IDENTITY.

    Args:
        stack_name: Whose exported record to take; the environment's settings where None.
        roles: The roles that PostgreSQL is to have; the app role's identity is that of SESSION_DB_IDENTITY where None.
        waits: The bounds of every wait.
        rehearse: Whether the stack's rehearsal is meant.

    Returns:
        The target. Where there is no URI of an administrator, one role does both.

    Raises:
        InvalidSettingError: A setting is missing or wrong, or the two URIs are not of one database.
        StackUnavailableError: The stack's outputs cannot be read.
        NoLoginError: The password or token is not to be had.
    """
    if rehearse and stack_name is None:
        raise InvalidSettingError(_WHOSE)
    if stack_name is not None:
        return _of(*_from_stack(stack_name, rehearse=rehearse), roles or Roles(), waits or Waits())
    found = _of(*_from_environment(), roles or Roles(), waits or Waits())
    return _with_login(found, roles)


def of(record: stack.Record) -> Target:
    """The session database of a record; read-only.

    Args:
        record: What a stack exports.

    Raises:
        InvalidSettingError: A URI is wrong, or the two are not of one database.
    """
    return _of(*_exported(record), Roles(), Waits())


def _of(app: URL, owner: URL, roles: Roles, waits: Waits) -> Target:
    if (app.get_backend_name(), app.database) != (owner.get_backend_name(), owner.database):
        message = (
            f"expected SESSION_DB_URI and ADMIN_DB_URI to name one database, but they name {dsn.masked(app)} and "
            f"{dsn.masked(owner)}. Change one of them; ADMIN_DB_URI may also be unset"
        )
        raise InvalidSettingError(message)
    return Target(app, owner, roles, waits)


def _with_login(target: Target, roles: Roles | None) -> Target:
    """As the settings say; where one role does both, it logs in the same way for both."""
    from app.credentials import choice  # noqa: PLC0415  # Keeps --help quick.

    proof = choice.Proof.read()
    if target.app.get_backend_name() == "sqlite":
        choice.require_none(proof)
        return target
    if roles is not None and proof.identity not in ("password", roles.identity):
        message = (
            f"expected --app-identity {proof.identity} with SESSION_DB_IDENTITY={proof.identity}, not "
            f"{roles.identity}: a token is no password to make a role with. Leave --app-identity away"
        )
        raise InvalidSettingError(message)
    app = choice.of(target.app, proof).login().on(target.app)
    owner = app if target.owner == target.app else target.owner
    return replace(target, app=app, owner=owner, roles=roles or Roles(proof.identity))


def _from_stack(name: str, *, rehearse: bool) -> tuple[URL, URL]:
    return _exported(stack.record_of(name, rehearse=rehearse))


def _exported(record: stack.Record) -> tuple[URL, URL]:
    where = f"It is exported by stack {record.stack}."
    app, owner = (dsn.parse(record.text(output), where) for output in (stack.APP, stack.OWNER))
    return environment.outside_agents(app), owner


def _from_environment() -> tuple[URL, URL]:
    text = environment.setting(environment.SESSION_DB_URI)
    if text is None:
        raise InvalidUriError(_NONE)
    app = environment.outside_agents(dsn.parse(text))
    admin = environment.setting(environment.ADMIN_DB_URI)
    where = "It is set by ADMIN_DB_URI in the environment, .env.local or .env."
    return app, app if admin is None or app.get_backend_name() == "sqlite" else dsn.parse(admin, where)
