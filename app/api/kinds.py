"""What can go wrong between ADK and the database, and what a client is told of each: status, words, what next."""

import re
from dataclasses import dataclass
from typing import Final

from app import errors


class BusyError(errors.SessionDatabaseError):
    """All connections of this process are in use. For example, many slow requests at once."""


class TooSlowError(errors.SessionDatabaseError):
    """A statement took longer than it may. For example, a session of many thousand events."""


class UnfitValueError(errors.SessionDatabaseError):
    """The database cannot keep a value. For example, an id of more than 128 characters."""


class OverlapError(errors.SessionDatabaseError):
    """Two requests wrote the same at once. For example, two sessions under one id."""


class UnfitSchemaError(errors.SessionDatabaseError):
    """A table or a column is missing. For example, half-way through a migration; readiness tells which one."""


class TooLargeReadError(errors.SessionDatabaseError):
    """What a request would read is larger than this server reads. For example, the list of 100 sessions of 1 MiB."""


class CrowdedReadsError(errors.SessionDatabaseError):
    """Others read as much as this server reads at one time. For example, several lists of 30 MiB at once."""


class LostPlaceError(errors.SessionDatabaseError):
    """Where artifacts are kept cannot be used. For example, a share is not mounted."""


class FullPlaceError(errors.SessionDatabaseError):
    """Where artifacts are kept has no room. For example, a full share."""


class UnfitNameError(errors.SessionDatabaseError):
    """An artifact cannot have that name. For example, one of 300 characters, or `.`."""


class UnforeseenError(errors.SessionDatabaseError):
    """The database answered what nobody thought of. For example, a trigger of somebody's raises."""


@dataclass(frozen=True)
class Told:
    """What a client gets.

    Attributes:
        status: The HTTP status.
        words: What happened, without names of hosts, roles and files: whoever may call need not know them.
        retry: Whether the same request can succeed later.
        after: The seconds of Retry-After; None where none is sent.
    """

    status: int
    words: str
    retry: bool = True
    after: int | None = None


_TOLD: Final[dict[type[errors.SessionDatabaseError], Told]] = {
    errors.ClosedPortError: Told(503, "the database does not answer", after=5),
    errors.UnknownHostError: Told(503, "the database's host has no address at present", after=5),
    errors.ConnectionLostError: Told(503, "the connection to the database was lost", after=2),
    errors.LockedDatabaseError: Told(503, "others hold a lock in the database for too long", after=1),
    errors.ReadOnlyDatabaseError: Told(503, "the database takes no writes at present, as during a failover", after=5),
    errors.AuthenticationError: Told(503, "the database does not accept this server's login", after=30),
    errors.CertificateError: Told(503, "this server does not trust the database's certificate", after=30),
    errors.InsufficientRightsError: Told(503, "this server may not do that in the database", retry=False),
    errors.MissingDatabaseError: Told(503, "the database is not there", after=30),
    # RFC 4918, 11.5: the condition is temporary, and the request is not repeated but by another action of the user.
    errors.DiskFullError: Told(507, "the database has no room left or cannot write to its disk", retry=False),
    BusyError: Told(503, "all of this server's connections to the database are in use", after=1),
    TooSlowError: Told(504, "the database took too long for one statement", after=5),
    errors.NotReadyError: Told(503, "the database takes no connection at present", after=2),
    errors.DatabaseUnavailableError: Told(503, "the database cannot be used at present", after=5),
    UnfitValueError: Told(
        422, "the database cannot keep a value of this request: a text is too long or has NUL", retry=False
    ),
    UnfitSchemaError: Told(503, "the database has not the tables that this server expects", after=30),
    TooLargeReadError: Told(507, "more is stored than this server reads at one time (API_MAX_READ)", retry=False),
    CrowdedReadsError: Told(503, "others read as much as this server reads at one time", after=1),
    LostPlaceError: Told(503, "the place of artifacts cannot be used at present", after=5),
    FullPlaceError: Told(507, "the place of artifacts has no room left", retry=False),
    UnfitNameError: Told(
        400,
        "expected an artifact's name of parts of 1 to 200 bytes between slashes, none of them . or .. or with NUL",
        retry=False,
    ),
    OverlapError: Told(409, "another request wrote the same at that moment"),
    errors.SessionDatabaseError: Told(500, "the database answered something unforeseen", retry=False),
}


def told(kind: type[errors.SessionDatabaseError]) -> Told:
    """What a client is told of a kind of error, or of the nearest one above it.

    Args:
        kind: For example `ConnectionLostError`.
    """
    return next(_TOLD[each] for each in kind.__mro__ if each in _TOLD)


def name(kind: type[Exception]) -> str:
    """A kind of error in logs and metrics.

    Args:
        kind: A class of error.

    Example:
        >>> name(errors.ConnectionLostError)
        'connection_lost'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()
