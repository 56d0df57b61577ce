"""What can go wrong with a PostgreSQL server on this machine, as one tree.

RehearsalError
├── BinariesError    PostgreSQL of a major version can neither be found nor installed
├── FolderError      a folder cannot hold a server
├── ServerError      a server, or one of PostgreSQL's own programs, did not do what was asked
└── SettingsError    PostgreSQL does not accept a setting
"""


class RehearsalError(Exception):
    """The root; its message says what was expected and what to do."""


class BinariesError(RehearsalError):
    """The programs of a major version cannot be had. For example, no network."""


class FolderError(RehearsalError):
    """A folder cannot hold a server. For example, its path is too long for a socket."""


class ServerError(RehearsalError):
    """A server did not start, answer or stop; the message ends with the last lines of its log."""


class SettingsError(RehearsalError):
    """PostgreSQL does not accept a setting. For example, a name that it does not know."""
