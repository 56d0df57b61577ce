"""Where a drill plays: a stack's database and its server's name, or the database that the environment names."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL

from app import dsn, stack, target
from app.backends.interface import Target
from app.backends.postgresql.connection import opened, reading, rows
from app.errors import InvalidSettingError
from app.stack import Record


@dataclass(frozen=True)
class Place:
    """A session database on a server.

    Attributes:
        target: The database and its roles.
        record: What its stack exports; None where it came from the environment.
    """

    target: Target
    record: Record | None = None

    @property
    def rehearsal(self) -> bool:
        """Whether nobody's data is there."""
        return self.record is not None and self.record.rehearsal

    @property
    def exported(self) -> Record:
        """What its stack exports.

        Raises:
            InvalidSettingError: It came from the environment.
        """
        if self.record is None:
            message = "expected the database of a stack, for example: --stack prod"
            raise InvalidSettingError(message)
        return self.record

    def described(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "stack": self.record.stack if self.record else None,
            "backend": self.record.text("backend") if self.record else None,
            "rehearsal": self.rehearsal,
            "database": dsn.masked(self.target.app),
        }


@dataclass(frozen=True)
class Process:
    """The server process that answers.

    Attributes:
        version: PostgreSQL's, for example `15.18`.
        started: When it started.
        now: Its clock.
    """

    version: str
    started: dt.datetime
    now: dt.datetime


def find(name: str | None, *, rehearse: bool) -> Place:
    """The database of a stack, or that of SESSION_DB_URI; read-only.

    Args:
        name: The stack; None for the environment's.
        rehearse: Whether its rehearsal is meant.

    Raises:
        InvalidSettingError: The database is a file, or a setting is wrong.
        StackUnavailableError: The stack's outputs cannot be read.
    """
    if name is None:
        found = Place(target.find(None, rehearse=rehearse))
    else:
        record = stack.record_of(name, rehearse=rehearse)
        found = Place(target.of(record), record)
    if found.target.app.get_backend_name() == "sqlite":
        message = (
            "expected a database on a PostgreSQL server, since a file promises nothing that a drill tries, not "
            f"{dsn.masked(found.target.app)}. For example: --stack prod"
        )
        raise InvalidSettingError(message)
    return found


def process(place: Place, url: URL | None = None) -> Process:
    """Which server process answers; read-only.

    Args:
        place: Where.
        url: Another server's URL; the place's own where None.

    Raises:
        DatabaseUnavailableError: It does not answer; the kind says why.
    """
    waits = place.target.waits
    with opened(url or place.target.app, waits) as connection, reading(connection, waits):
        ((version, started, now),) = rows(
            connection, "SELECT current_setting('server_version'), pg_postmaster_start_time(), clock_timestamp()"
        )
    if not isinstance(started, dt.datetime) or not isinstance(now, dt.datetime):
        message = f"expected PostgreSQL's start time to be a time, got {started!r}"
        raise TypeError(message)
    return Process(str(version).split()[0], started, now)
