"""A password in a mounted file, which whoever mounted it may change at any time."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app.credentials.content import Content
from app.credentials.failures import NoLoginError
from app.credentials.renewed import Lease, RenewedCredentials

_LONGEST: Final = 65_536
"""Bytes; a token or a URI is far shorter."""


def credentials(url: URL, path: Path) -> RenewedCredentials:
    """Logins out of a file, which is read for every connection; nothing is read yet.

    So no change is missed, whether the file is written over in the same second or its folder is swapped by a symlink,
    as Kubernetes does ("Secrets", "Mounted Secrets are updated automatically").

    Args:
        url: The database, as SESSION_DB_URI names it.
        path: The file.
    """
    content = Content(url, str(path))

    def fetch(now: float) -> Lease:
        return Lease(content.login(_text(path)), renew_at=now, ends_at=float("inf"))

    return RenewedCredentials(fetch, floor=0)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        message = f"expected a password in {path}, which SESSION_DB_PASSWORD_FILE names, but: {reason}"
        raise NoLoginError(message) from None
