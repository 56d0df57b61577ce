"""A password in a mounted file, which whoever mounted it may change at any time."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL

from app import regular
from app.credentials.content import Content
from app.credentials.failures import NoLoginError
from app.credentials.renewed import Lease, RenewedCredentials

VARIABLE: Final = "SESSION_DB_PASSWORD_FILE"

EXAMPLE: Final = "/run/secrets/session-db-password"

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
    where = f"{path}, which {VARIABLE} names"
    content = Content(url, where)

    def fetch(now: float) -> Lease:
        return Lease(content.login(_text(path, where)), renew_at=now, ends_at=float("inf"))

    return RenewedCredentials(fetch, floor=0)


def _text(path: Path, where: str) -> str:
    """What is no UTF-8 is left to whoever reads it, who tells it without its bytes."""
    try:
        return regular.read(path, _LONGEST).decode(errors="surrogateescape")
    except OSError as error:
        message = f"expected a password in {where}, but: {error.strerror}. For example {VARIABLE}={EXAMPLE}"
        raise NoLoginError(message) from None
