"""ADK's service for artifacts, whose folder stays where it was, and whose errors say what a client can do."""

import asyncio
import errno
import functools
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from app.api.kinds import FullPlaceError, LostPlaceError, UnfitNameError, told
from app.errors import SessionDatabaseError

if TYPE_CHECKING:
    from google.adk.artifacts.base_artifact_service import BaseArtifactService

_LOG: Final = logging.getLogger(__name__)

_METHODS: Final = (
    "save_artifact",
    "load_artifact",
    "list_artifact_keys",
    "delete_artifact",
    "list_versions",
    "list_artifact_versions",
    "get_artifact_version",
)
"""Of google-adk 2.13 `BaseArtifactService`."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LONGEST: Final = 200
"""Bytes of each part of a name: file systems have 255, and ADK puts something beside it."""


def folder(place: str) -> Path | None:
    """The folder of a place; None where it is none.

    Args:
        place: As ADK names it, for example `file:///mnt/artifacts`.
    """
    parts = urlsplit(place)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in ("", "localhost") else None


def telling(service: "BaseArtifactService", root: Path | None) -> "BaseArtifactService":
    """The same service, which takes no name that it cannot keep, and never makes its folder anew.

    A share that is not mounted at the moment would else be written to below its mount point, and be hidden later.

    Args:
        service: ADK's.
        root: Its folder; None where it has none.
    """
    for name in _METHODS:
        # On the object, past the fields of ADK's that is a pydantic model.
        vars(service)[name] = _telling(getattr(service, name), root)
    return service


def _telling(method: Callable[..., Awaitable[Any]], root: Path | None) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def call(*args: Any, **named: Any) -> Any:
        if not _is_name(named.get("filename", "_")):
            raise _refused(method.__name__)
        try:
            if root is not None and not await asyncio.to_thread(root.is_dir):
                raise FileNotFoundError(errno.ENOENT, "its folder is not there")
            return await method(*args, **named)
        except OSError as error:
            kind = FullPlaceError if error.errno in _FULL else LostPlaceError
            _LOG.warning("artifacts: %s", error.strerror or type(error).__name__, extra={"kind": kind.__name__})
            raise _made(kind) from None

    return call


def _is_name(name: str) -> bool:
    parts = name.removeprefix("user:").split("/")
    return "\0" not in name and all(
        part.strip() and part not in (".", "..") and len(part.encode(errors="replace")) <= _LONGEST for part in parts
    )


def _refused(method: str) -> Exception:
    """ADK takes this one for the client's fault where it saves, and logs any other with a traceback."""
    from google.adk.errors.input_validation_error import InputValidationError  # noqa: PLC0415  # As in `stores`.

    return InputValidationError(told(UnfitNameError).words) if method == "save_artifact" else _made(UnfitNameError)


def _made(kind: type[SessionDatabaseError]) -> SessionDatabaseError:
    return kind(told(kind).words)
