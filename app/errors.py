"""What can go wrong with a session database, as one tree.

SessionDatabaseError             exit code 1
├── InvalidSettingError          2   a setting cannot be used as it stands
│   ├── InvalidUriError          2   a database URI that is missing, misspelt or misleading
│   └── UnsupportedBackendError  2   a database URI of a kind that this version does not serve
├── ForeignDatabaseError         3   the file holds somebody else's data
├── IncompatibleLayoutError      3   the file holds ADK's data in a layout that SqliteSessionService cannot read
│   └── OlderLayoutError         3   the same, and ADK has a migration for it
├── VerificationError            1   the database differs from what ADK needs
├── DatabaseUnavailableError     4   the database is locked, unreadable or out of reach
├── StackUnavailableError        4   the stack has no readable outputs
└── ServerUnavailableError       4   the API server cannot start

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
    """The file is not ours to change. For example, a text file, or another program's database."""

    exit_code = 3


class IncompatibleLayoutError(SessionDatabaseError):
    """ADK wrote the file in another layout. For example, through `sqlite+aiosqlite://`."""

    exit_code = 3


class OlderLayoutError(IncompatibleLayoutError):
    """ADK wrote the file before it kept events as JSON. For example, with ADK 1.17."""


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


class StackUnavailableError(SessionDatabaseError):
    """The stack's outputs cannot be read. For example, it was never deployed."""

    exit_code = 4


class ServerUnavailableError(SessionDatabaseError):
    """The API server cannot start. For example, its port is taken."""

    exit_code = 4
