"""What can go wrong in a rehearsal, as one tree: with a PostgreSQL server on this machine, or with a stand-in.

RehearsalError
├── BinariesError      PostgreSQL of a major version can neither be found nor installed
├── FolderError        a folder cannot hold a server
├── ServerError        a server, or one of PostgreSQL's own programs, did not do what was asked
├── SettingsError      PostgreSQL does not accept a setting
├── StatementError     PostgreSQL refuses a statement about a role or a database
├── StandbyError       a server has no standby to fail over to
├── RestorableError    a server's past cannot be restored to a moment
├── ProtectedError     a cloud would refuse a deletion
├── CloudRefusalError  the rehearsal's control plane refuses a request, as a cloud would
├── HalfMadeError      a cloud has made a resource, but something went wrong afterwards
├── ControlPlaneError  the rehearsal's control plane cannot be reached or started
├── ReportError        what is to be reported is none
├── StepError          a step of a rehearsal failed
├── SchemaError        an installed SDK does not know a type of resource
└── UnknownTypeError   a stand-in has no behaviour for a type of resource or a function
"""

from typing import Any


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


class StatementError(RehearsalError):
    """PostgreSQL refuses a statement. For example, the removal of a role that owns tables.

    Attributes:
        sqlstate: PostgreSQL's code, for example "2BP01"; empty where the name is a cloud's own.
    """

    def __init__(self, message: str, sqlstate: str = "") -> None:
        """Keep the code beside the words."""
        super().__init__(message)
        self.sqlstate = sqlstate


class StandbyError(RehearsalError):
    """A server cannot fail over. For example, it has no standby."""


class RestorableError(RehearsalError):
    """A moment cannot be restored. For example, one before the server was made."""


class ProtectedError(RehearsalError):
    """A cloud refuses a deletion. For example, of an instance with deletion protection."""


class CloudRefusalError(RehearsalError):
    """The control plane refuses a request in the cloud's own words. For example, since the server is busy.

    Args:
        code: The vendor's code, for example "ServerIsBusy".
        message: The vendor's words.
        status: Of HTTP.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        """The text says both."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class HalfMadeError(RehearsalError):
    """A resource is there, but something went wrong afterwards. For example, its provider gave up waiting.

    Attributes:
        identity: Its id.
        outputs: What it answers so far.
        inputs: What was asked.
    """

    def __init__(self, message: str, identity: str, outputs: dict[str, Any], inputs: dict[str, Any]) -> None:
        """Keep what the engine has to remember."""
        super().__init__(message)
        self.identity, self.outputs, self.inputs = identity, outputs, inputs


class ControlPlaneError(RehearsalError):
    """The control plane did not start or answer; the message ends with the last lines of its log."""


class ReportError(RehearsalError):
    """Something is no report of a drill. For example, one of another version of this project."""


class StepError(RehearsalError):
    """A step of a rehearsal failed; the message is that of the command behind it.

    Args:
        message: The command's own words.
        look: What to run to look further.
    """

    def __init__(self, message: str, look: str = "") -> None:
        """Keep the way on beside the words."""
        super().__init__(message)
        self.look = look


class SchemaError(RehearsalError):
    """The SDK does not know a type. For example, a resource of another version of the package."""


class UnknownTypeError(RehearsalError):
    """A stand-in has no behaviour for a type of resource or a function. For example, one that was never rehearsed."""
