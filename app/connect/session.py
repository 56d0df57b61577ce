"""One visit to a database: what leads to it, psql in the foreground, and nothing left of either."""

import os
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app import environment, stack, target
from app.backends.interface import Report
from app.backends.sqlite.uri import database_path
from app.connect import authority, client, inherited, passwords, programs, tunnel
from app.connect.ways import choice
from app.errors import InvalidSettingError, MissingDatabaseError
from app.settings import WHERE
from app.stack import Record

_NOT_CONNECTED: Final = 2
"""What psql ends with where the connection went bad (PostgreSQL, "psql", Exit Status)."""


@dataclass(frozen=True)
class Visit:
    """What was asked for.

    Attributes:
        url: The database, in the role that logs in.
        record: What its stack exports; None where the environment names the database.
        through: The machine to go through, where one was named.
        bastion: Azure's bastion in front of it.
        arguments: psql's own.
    """

    url: URL
    record: Record | None
    through: str | None
    bastion: str | None
    arguments: Sequence[str]


def database(name: str | None, *, rehearse: bool, owner: bool) -> tuple[URL, Record | None]:
    """The database of a stack, or that of the environment; read-only.

    Args:
        name: The stack; None for SESSION_DB_URI and ADMIN_DB_URI.
        rehearse: Whether its rehearsal is meant.
        owner: Whether to log in as the owner of the tables, not as the app role.

    Raises:
        InvalidSettingError: A setting is missing or wrong.
        StackUnavailableError: The stack's outputs cannot be read.
    """
    record = stack.record_of(name, rehearse=rehearse) if name is not None else None
    found = target.of(record) if record is not None else target.find(None, rehearse=rehearse)
    if owner and record is None:
        _require_owner(found.app)
    return (found.owner if owner else found.app), record


def _require_owner(url: URL) -> None:
    """Where ADMIN_DB_URI is unset, one role does both for the other commands; here it was asked for by name."""
    if url.get_backend_name() != "sqlite" and environment.setting(environment.ADMIN_DB_URI) is None:
        message = (
            "expected ADMIN_DB_URI with --owner, the database as the role that owns the tables. For example "
            f"ADMIN_DB_URI=postgresql://postgres:change-me@db.example.org/{url.database}. {WHERE}, or give --stack"
        )
        raise InvalidSettingError(message)


def run(visit: Visit, tell: Report) -> int:
    """Open psql, or sqlite3, and stay until it ends.

    Args:
        visit: What was asked for.
        tell: Takes each command that is run.

    Returns:
        Its exit code.

    Raises:
        InvalidSettingError: A program is missing, or a way cannot be gone.
        DatabaseUnavailableError: The server is out of reach; the kind says why.
        CloudRefusedError: The cloud gives out no password.
    """
    if visit.url.get_backend_name() == "sqlite":
        argv = _sqlite(visit)
        programs.require(argv[:1])
        tell(shlex.join(argv))
        return client.run(argv, inherited.by_client(os.environ))
    programs.require(("psql",))
    way = choice.find(visit.url, visit.record, visit.through, visit.bastion)
    programs.require(name for hop in way.hops for name in (hop.argv[0], *hop.needs))
    environ = _environ(visit)
    with client.ended_well(), tempfile.TemporaryDirectory(prefix="session-db-connect-") as folder:
        words = dict(way.words)
        if "sslrootcert" not in words:
            words |= authority.words(authority.needed(visit.url, visit.record), Path(folder), "psql")
        for hop in way.hops:
            tell(shlex.join(hop.argv))
        with tunnel.opened(way.hops, Path(folder)) as tunnels:
            argv = client.psql(visit.url, words, visit.arguments)
            tell(shlex.join(argv))
            code = client.run(argv, environ)
            for each in tunnels if code == _NOT_CONNECTED else ():
                tell(each.said())
            return code


def commands(visit: Visit) -> Iterator[str]:
    """The same as lines for a shell, with what they need; nothing is run, and no password is in them.

    Args:
        visit: What was asked for.

    Raises:
        SessionDatabaseError: As `run`.
    """
    if visit.url.get_backend_name() == "sqlite":
        yield shlex.join(_sqlite(visit))
        return
    way = choice.find(visit.url, visit.record, visit.through, visit.bastion)
    words = dict(way.words)
    if "sslrootcert" not in words:
        found, get = authority.shown(authority.needed(visit.url, visit.record), _stack(visit))
        words |= found
        if get:
            yield get
    for hop in way.hops:
        yield f"{shlex.join(hop.argv)} &"
    psql = shlex.join(client.psql(visit.url, words, visit.arguments))
    if questions := passwords.commands(visit.url, visit.record):
        yield f'PGPASSWORD="$({passwords.nested(questions)})" {psql}'
        return
    kept = visit.record.text("secret_ref") if visit.record is not None else ""
    yield f"{psql}  # it asks for the password{f', which is in {kept}' if kept else ''}"


def _environ(visit: Visit) -> dict[str, str]:
    """With the password for psql alone; one of the caller's own serves where there is no other."""
    environ = inherited.by_client(os.environ)
    if visit.url.password is not None:
        environ["PGPASSWORD"] = str(visit.url.password)
    elif questions := passwords.commands(visit.url, visit.record):
        environ["PGPASSWORD"] = passwords.asked(questions)
    return environ


def _sqlite(visit: Visit) -> tuple[str, ...]:
    if visit.through is not None or visit.bastion is not None:
        message = "expected neither --through nor --bastion: the database is a file on this machine. Leave them out"
        raise InvalidSettingError(message)
    file = database_path(visit.url)
    if not file.exists():
        message = f"expected a database at {file}. To make it: make up STACK={_stack(visit)}, or session-db bootstrap"
        raise MissingDatabaseError(message)
    return ("sqlite3", str(file), *visit.arguments)


def _stack(visit: Visit) -> str:
    return visit.record.stack if visit.record is not None else "dev"
