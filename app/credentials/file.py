"""A password in a mounted file, which whoever mounted it may change at any time."""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app.credentials.content import Content
from app.credentials.interface import Login
from app.errors import AuthenticationError

_log = logging.getLogger(__name__)

_LONGEST: Final = 65_536
"""Bytes; a token or a URI is far shorter."""


class FileCredentials:
    """Reads the file for every connection: no change is missed, whether it is written over or swapped by a symlink.

    Kubernetes swaps the folder behind its mounts, which changes neither the file's path nor, in the same second, much
    else that could be compared (Kubernetes, "Secrets", "Mounted Secrets are updated automatically").

    Args:
        url: The database, as SESSION_DB_URI names it.
        path: The file.
    """

    def __init__(self, url: URL, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._content = Content(url, str(path))
        self._last: Login | None = None

    def login(self) -> Login:
        """See `Credentials`; while the file is being written, the login before."""
        try:
            self._last = self._content.login(self._text())
        except AuthenticationError as error:
            if self._last is None:
                raise
            _log.warning("the login in use still does, but the next one is not to be had: %s", error)
        return self._last

    def refused(self, login: Login) -> None:
        """See `Credentials`; the next one is read anyway."""

    def _text(self) -> str:
        try:
            with self._path.open("rb") as file:
                return file.read(_LONGEST).decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            message = f"expected a password in {self._path}, which SESSION_DB_PASSWORD_FILE names, but: {reason}"
            raise AuthenticationError(message) from None
