"""Users and databases that a cloud's own API makes on its servers; the servers themselves are the memory of them."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.errors import DuplicateDatabase, DuplicateObject

from rehearsal.controlplane.machines import Machines
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.servers import Servers
from rehearsal.errors import CloudRefusalError, RehearsalError, StatementError
from rehearsal.fleet.vendors import VENDORS

_USERS: Final = "SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY rolname"
_DATABASES: Final = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname"


@dataclass(frozen=True)
class Content:
    """A user or a database.

    Attributes:
        cloud: The cloud.
        server: The server's name.
        name: Its name.
    """

    cloud: str
    server: str
    name: str


class Contents:
    """What is on the servers.

    Args:
        servers: The servers.
        machines: The servers themselves.
    """

    def __init__(self, servers: Servers, machines: Machines) -> None:
        """The servers know it."""
        self._servers = servers
        self._machines = machines

    def create_user(self, user: Content, password: str, *, iam: bool = False) -> Operation:
        """Make a user, or give the one that is there the password, as for one that was restored with its server.

        Args:
            user: Who.
            password: Empty for none.
            iam: Whether a token of the cloud's is the password.

        Raises:
            CloudRefusalError: The server is not there or busy.
        """

        def work(record: ServerRecord) -> None:
            machine = self._machines.get(record)
            try:
                machine.create_user(user.name, password, iam=iam)
            except StatementError as error:
                if error.sqlstate != DuplicateObject.sqlstate:
                    raise
                machine.set_password(user.name, password)

        return self._servers.work_on(user.cloud, user.server, "create user", work)

    def modify_user(self, user: Content, password: str) -> Operation:
        """Give a user another password."""

        def work(record: ServerRecord) -> None:
            self._machines.get(record).set_password(user.name, password)

        return self._servers.work_on(user.cloud, user.server, "modify user", work)

    def delete_user(self, user: Content) -> Operation:
        """Take a user away; what it owns forbids that."""

        def work(record: ServerRecord) -> None:
            self._machines.get(record).drop_user(user.name)

        return self._servers.work_on(user.cloud, user.server, "delete user", work)

    def create_database(self, database: Content, owner: str) -> Operation:
        """Make a database.

        Args:
            database: Which.
            owner: Whose; empty leaves it to the cloud.

        Raises:
            CloudRefusalError: The server is not there or busy; the operation fails where the cloud does not take one
                that is there already for the one it was to make.
        """

        def work(record: ServerRecord) -> None:
            try:
                self._machines.get(record).create_database(database.name, owner)
            except StatementError as error:
                if error.sqlstate != DuplicateDatabase.sqlstate:
                    raise
                if not self._servers.rules(record.cloud).adopts_databases:
                    message = f"database {database.name} already exists"
                    raise CloudRefusalError(code="databaseAlreadyExists", message=message, status=409) from error

        return self._servers.work_on(database.cloud, database.server, "create database", work)

    def delete_database(self, database: Content) -> Operation:
        """Take a database away; whoever uses it forbids that."""

        def work(record: ServerRecord) -> None:
            self._machines.get(record).drop_database(database.name)

        return self._servers.work_on(database.cloud, database.server, "delete database", work)

    def users(self, record: ServerRecord) -> list[str] | None:
        """Who can log in, the cloud's own aside; None where the server cannot be asked."""
        found, vendor = self._ask(record, _USERS), VENDORS[record.cloud]
        return None if found is None else [name for name in found if not vendor.reserves(name)]

    def databases(self, record: ServerRecord) -> list[str] | None:
        """The databases, the cloud's own aside; None likewise."""
        found, vendor = self._ask(record, _DATABASES), VENDORS[record.cloud]
        return None if found is None else [name for name in found if name not in vendor.databases]

    def _ask(self, record: ServerRecord, statement: str) -> list[Any] | None:
        try:
            return [name for (name,) in self._machines.get(record).primary.execute(statement)]
        except (RehearsalError, psycopg.Error):
            return None
