"""What can go wrong with a session database, as one tree.

SessionDatabaseError               exit code 1
├── InvalidSettingError            2   a setting cannot be used as it stands
│   ├── InvalidUriError            2   a database URI that is missing, misspelt or misleading
│   └── UnsupportedBackendError    2   a database URI of a kind that this project does not serve
├── ForeignDatabaseError           3   the database holds somebody else's data
├── IncompatibleLayoutError        3   it holds ADK's data in a layout that ADK's service for it cannot read
│   └── OlderLayoutError           3   the same, and there is a migration for it
├── ConflictingDataError           3   two databases hold different data under the same key
├── VerificationError              1   the database differs from what ADK needs
├── DatabaseUnavailableError       4   the database is unreadable or out of reach
│   ├── UnknownHostError          10   its host has no address
│   ├── ClosedPortError           11   nothing answers at its address
│   ├── TlsRequiredError          12   it takes connections with TLS only
│   ├── TlsRefusedError           13   it has no TLS
│   ├── CertificateError          14   its certificate is expired, of another host or of an unknown CA
│   ├── AuthenticationError       15   it does not accept user and password
│   ├── MissingDatabaseError      16   the server has no database of that name, or there is no such file
│   ├── InsufficientRightsError   17   the role, or the user of the machine, may not
│   ├── ReadOnlyDatabaseError     18   it is a standby, or takes no writes
│   ├── LockedDatabaseError       19   others hold a lock for too long
│   ├── DiskFullError             20   its disk is full or broken
│   ├── ConnectionLostError       21   the server went away in the middle
│   ├── NotAFileError             22   a folder where the database should be
│   └── NotReadyError             23   it starts up or shuts down, or has no connection left
├── StackUnavailableError          4   the stack has no readable outputs
├── CloudRefusedError              4   the cloud's control plane refuses, fails or does not answer
└── ServerUnavailableError         4   the API server cannot start

Every message says what was expected, gives an example and names the place to change; none carries a password.
"""

from typing import ClassVar


class SessionDatabaseError(Exception):
    """The root; its message is written for the person at the terminal.

    Attributes:
        exit_code: What a process ends with when this error stops it.
    """

    exit_code: ClassVar[int] = 1


class InvalidSettingError(SessionDatabaseError):
    """A setting cannot be used. For example, AGENTS_DIR names no folder."""

    exit_code = 2


class InvalidUriError(InvalidSettingError):
    """The database URI is missing or misspelt. For example, `sqlite://file.db` with two slashes."""


class UnsupportedBackendError(InvalidSettingError):
    """The database URI is of a kind not served. For example, `mysql://…`."""


class ForeignDatabaseError(SessionDatabaseError):
    """The database is not ours to change. For example, a text file, or another program's database."""

    exit_code = 3


class IncompatibleLayoutError(SessionDatabaseError):
    """ADK wrote the database in another layout. For example, through `sqlite+aiosqlite://`."""

    exit_code = 3


class OlderLayoutError(IncompatibleLayoutError):
    """ADK wrote the database before it kept events as JSON. For example, with ADK 1.17."""


class ConflictingDataError(SessionDatabaseError):
    """Two databases hold different data under one key. For example, both were written after a promotion."""

    exit_code = 3


class VerificationError(SessionDatabaseError):
    """The database differs from what ADK needs. For example, a column of another type.

    Attributes:
        differences: One sentence for each difference.
    """

    def __init__(self, *differences: str) -> None:
        """Take one sentence for each difference."""
        super().__init__("\n".join(differences))
        self.differences = differences


class DatabaseUnavailableError(SessionDatabaseError):
    """The database cannot be used now. For example, another process holds its lock."""

    exit_code = 4


class UnknownHostError(DatabaseUnavailableError):
    """The host has no address. For example, `db.example.orgg`."""

    exit_code = 10


class ClosedPortError(DatabaseUnavailableError):
    """Nothing answers. For example, the server is stopped or a firewall is in between."""

    exit_code = 11


class TlsRequiredError(DatabaseUnavailableError):
    """The server wants TLS. For example, `rds.force_ssl` is on and `sslmode=disable`."""

    exit_code = 12


class TlsRefusedError(DatabaseUnavailableError):
    """The server has no TLS. For example, a plain container and `sslmode=require`."""

    exit_code = 13


class CertificateError(DatabaseUnavailableError):
    """The server's certificate is not accepted. For example, it has expired."""

    exit_code = 14


class AuthenticationError(DatabaseUnavailableError):
    """User or password is wrong. For example, after a rotation."""

    exit_code = 15


class MissingDatabaseError(DatabaseUnavailableError):
    """There is no such database. For example, its name is misspelt."""

    exit_code = 16


class InsufficientRightsError(DatabaseUnavailableError):
    """The role may not. For example, create tables in `public` on PostgreSQL 15."""

    exit_code = 17


class ReadOnlyDatabaseError(DatabaseUnavailableError):
    """It takes no writes. For example, a read replica."""

    exit_code = 18


class LockedDatabaseError(DatabaseUnavailableError):
    """Others hold a lock. For example, another bootstrap or a long transaction."""

    exit_code = 19


class DiskFullError(DatabaseUnavailableError):
    """There is no room. For example, storage without autogrow."""

    exit_code = 20


class ConnectionLostError(DatabaseUnavailableError):
    """The server went away. For example, it failed over."""

    exit_code = 21


class NotAFileError(DatabaseUnavailableError):
    """A folder is there. For example, `sqlite:////srv/sessions`."""

    exit_code = 22


class NotReadyError(DatabaseUnavailableError):
    """It takes nobody at present. For example, while it starts up, or where all its connections are in use."""

    exit_code = 23


class StackUnavailableError(SessionDatabaseError):
    """The stack's outputs cannot be read. For example, it was never deployed."""

    exit_code = 4


class CloudRefusedError(SessionDatabaseError):
    """The control plane did not do it. For example, there is no login, or the server is in another operation."""

    exit_code = 4


class ServerUnavailableError(SessionDatabaseError):
    """The API server cannot start. For example, its port is taken."""

    exit_code = 4
