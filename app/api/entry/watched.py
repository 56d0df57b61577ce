"""A file that may change under a running server: a mounted secret is replaced without a restart."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from app import regular

_LONGEST: Final = 1_048_576
"""Bytes: thousands of tokens, or of keys."""

_LOG: Final = logging.getLogger(__name__)

_T = TypeVar("_T")


class UnusableFileError(Exception):
    """The file cannot be used now. For example, it was removed."""


class WatchedFile(Generic[_T]):
    """What a file says, read anew when it has changed."""

    def __init__(self, path: Path, parse: Callable[[str], _T]) -> None:
        """Read it once.

        Args:
            path: The file.
            parse: Makes something of its text, or raises ValueError in one line that quotes no secret.

        Raises:
            ValueError: It says nothing of use.
            OSError: It cannot be read.
        """
        self._path, self._parse = path, parse
        self._seen: tuple[int, int, int] | None = self._mark()
        self._found = parse(_text(path))
        self._told: str | None = None

    def __call__(self) -> _T:
        """What it says now.

        Raises:
            UnusableFileError: It is gone or says nothing of use; what it said before may have been withdrawn.
        """
        try:
            if (mark := self._mark()) != self._seen:
                self._seen = None  # Until it has been read well.
                self._found = self._parse(_text(self._path))
                self._seen = mark
        except (OSError, ValueError) as error:
            self._seen = None
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._tell(reason or type(error).__name__)
            raise UnusableFileError(reason) from None
        self._tell(None)
        return self._found

    def _tell(self, reason: str | None) -> None:
        """Each change once: everybody who sends a token, whatever token, has it read anew while it cannot be used."""
        if reason == self._told:
            return
        self._told = reason
        if reason is None:
            _LOG.warning("%s can be used again", self._path)
        else:
            _LOG.error("%s cannot be used: %s", self._path, reason)  # A traceback tells no more.

    def _mark(self) -> tuple[int, int, int]:
        """A Kubernetes secret changes by a link to another file, an editor's in place."""
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _text(path: Path) -> str:
    """Its text, without a mark that an editor has put in front."""
    try:
        return regular.read(path, _LONGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "it is no UTF-8 text"  # Python's own words quote a byte of it.
        raise ValueError(message) from None
