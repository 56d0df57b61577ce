"""What a backend answers, the same for SQLite and PostgreSQL."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import URL

Report = Callable[[str], None]
"""Takes one line of progress."""

_VERIFIER: Final = re.compile(r"PASSWORD '[^']*'")


@dataclass(frozen=True)
class Waits:
    """How long to wait, in seconds; each bound is the server's own where it has one.

    Attributes:
        lock: For another bootstrap to finish, and for others to let go of a table.
        statement: For one statement.
        connect: For a connection, each host of the URI.
    """

    lock: float = 60.0
    statement: float = 600.0
    connect: float = 10.0


@dataclass(frozen=True)
class Roles:
    """Who may do what in a PostgreSQL database; SQLite has no roles.

    Attributes:
        identity: How the app role proves who it is: `password`, `rds_iam`, `cloudsql_iam` or `entra`.
        owner: The role that is to own the tables; the one that bootstraps where None.
        read_only: A role without login that is to read the tables; none where None.
        schema: The schema of the tables; where None the one that the app role sees first.
        set_password: Whether an app role that is there gets the password of its URI where it cannot log in with it.
    """

    identity: str = "password"
    owner: str | None = None
    read_only: str | None = None
    schema: str | None = None
    set_password: bool = False


@dataclass(frozen=True)
class Target:
    """A session database and how to get at it.

    Attributes:
        app: As ADK opens it.
        owner: As the bootstrapper opens it; the same URL on SQLite, and where one role does both.
        roles: The roles that PostgreSQL is to have.
        waits: The bounds of every wait.
        convert: Whether another layout is converted; where False it is refused, so that no server starts a migration.
    """

    app: URL
    owner: URL
    roles: Roles = field(default_factory=Roles)
    waits: Waits = field(default_factory=Waits)
    convert: bool = True

    @classmethod
    def of(cls, url: URL) -> "Target":
        """The database of one URL, with which ADK and the bootstrapper both work."""
        return cls(url, url)


@dataclass(frozen=True)
class Step:
    """One thing that a bootstrap does.

    Attributes:
        name: What it does, for example `create table events`.
        sql: Its statements. A password never stands in them in clear, but its verifier may.
    """

    name: str
    sql: tuple[str, ...]

    @property
    def shown(self) -> tuple[str, ...]:
        """The statements as people may see them: without verifiers, which can be attacked offline."""
        return tuple(_VERIFIER.sub("PASSWORD '***'", sql) for sql in self.sql)


@dataclass(frozen=True)
class Plan:
    """What a bootstrap would do.

    Attributes:
        found: What is there now, for example `an empty database`.
        steps: In their order; empty where nothing would change.
    """

    found: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Bootstrapped:
    """What a bootstrap did.

    Attributes:
        steps: The names of the steps it took, in their order.
        migrated: Whether it was this call that ended a migration of layout v0.
        refused: Events of layout v0 that could not be read safely; they stay in the table of the old layout.
    """

    steps: tuple[str, ...]
    migrated: bool = False
    refused: int = 0

    @property
    def changed(self) -> bool:
        """Whether it wrote anything."""
        return bool(self.steps)


@dataclass(frozen=True)
class Verified:
    """A database that ADK can use.

    Attributes:
        tables: Rows by table; on PostgreSQL the server's own estimate.
        file: The database file; None on PostgreSQL.
        left: Tables in which a row of state of the probe stays, since no role told of may delete it.
    """

    tables: Mapping[str, int]
    file: Path | None = None
    left: tuple[str, ...] = ()


class Backend(Protocol):
    """What this project does with one kind of database."""

    def adk_uri(self, url: URL) -> str:
        """The form that ADK's service registry reads, the password in clear."""

    def in_use(self, url: URL) -> AbstractContextManager[None]:
        """Show others that the database is in use while the body runs."""

    def plan(self, target: Target) -> Plan:
        """What `bootstrap` would do; read-only."""

    def bootstrap(self, target: Target, report: Report) -> Bootstrapped:
        """Make what is missing, under one lock; on a finished schema a single short read."""

    def differences(self, target: Target) -> tuple[str, ...]:
        """How the database differs from what it should be, a sentence each; read-only."""

    def verify(self, target: Target) -> Verified:
        """`differences`, then a session written and deleted through ADK itself, as the app role."""
