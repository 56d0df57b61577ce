"""Users and databases that a cloud's own API makes on its servers."""

from dataclasses import asdict, dataclass
from typing import Final

from rehearsal.controlplane.ledger import Ledger
from rehearsal.controlplane.machines import Machines
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.record import ServerRecord
from rehearsal.controlplane.servers import Servers
from rehearsal.errors import CloudRefusalError

_USERS: Final = "users"
_DATABASES: Final = "databases"


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
    """What is on the servers, as far as their cloud made it.

    Args:
        ledger: Where it is kept.
        servers: The servers.
        machines: The servers themselves.
    """

    def __init__(self, ledger: Ledger, servers: Servers, machines: Machines) -> None:
        """As the ledger has it."""
        self._ledger = ledger
        self._servers = servers
        self._machines = machines

    def create_user(self, user: Content, password: str) -> Operation:
        """Make a user; one without a password where that is empty.

        Raises:
            CloudRefusalError: There is one, or the server is not there or busy.
        """

        def work(record: ServerRecord) -> None:
            self._expect_new(_USERS, user)
            self._machines.get(record).create_user(user.name, password)
            self._ledger.put(_USERS, _key(user), asdict(user))

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
            self._ledger.remove(_USERS, _key(user))

        return self._servers.work_on(user.cloud, user.server, "delete user", work)

    def create_database(self, database: Content, owner: str) -> Operation:
        """Make a database; its owner is the cloud's own choice where none is named.

        Raises:
            CloudRefusalError: There is one, or the server is not there or busy.
        """

        def work(record: ServerRecord) -> None:
            self._expect_new(_DATABASES, database)
            self._machines.get(record).create_database(database.name, owner)
            self._ledger.put(_DATABASES, _key(database), asdict(database))

        return self._servers.work_on(database.cloud, database.server, "create database", work)

    def delete_database(self, database: Content) -> Operation:
        """Take a database away; whoever uses it forbids that."""

        def work(record: ServerRecord) -> None:
            self._machines.get(record).drop_database(database.name)
            self._ledger.remove(_DATABASES, _key(database))

        return self._servers.work_on(database.cloud, database.server, "delete database", work)

    def users(self, cloud: str, server: str) -> list[str]:
        """The users that the cloud made on a server."""
        return self._names(_USERS, cloud, server)

    def databases(self, cloud: str, server: str) -> list[str]:
        """The databases that the cloud made on a server."""
        return self._names(_DATABASES, cloud, server)

    def _names(self, shelf: str, cloud: str, server: str) -> list[str]:
        found = (Content(**document) for document in self._ledger.all(shelf).values())
        return [each.name for each in found if (each.cloud, each.server) == (cloud, server)]

    def _expect_new(self, shelf: str, content: Content) -> None:
        if self._ledger.get(shelf, _key(content)) is not None:
            message = f"{content.name} already exists on {content.server}"
            raise CloudRefusalError(code="AlreadyExists", message=message, status=409)


def _key(content: Content) -> str:
    return f"{content.cloud}/{content.server}/{content.name}"
