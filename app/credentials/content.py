"""What a file or a secret holds: a password, the whole URI of the database, or the JSON that clouds rotate."""

import json
from typing import Any

from sqlalchemy import URL

from app import dsn
from app.backends.postgresql.uri import SCHEMES, hosts
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login
from app.errors import InvalidUriError


class Content:
    """Reads logins out of what one place holds.

    A rotation of the stack changes role and password together, so the URI in the stack's secret brings both; a password
    alone is of the role that SESSION_DB_URI names.

    Args:
        url: The database, as SESSION_DB_URI names it.
        where: The place, for messages. For example "/run/secrets/session-db-password".
    """

    def __init__(self, url: URL, where: str) -> None:
        """Nothing has been read yet."""
        self._url, self._where = url, where
        self._leads_to: str | None = None

    def login(self, text: str) -> Login:
        """The login in a text.

        A URI may name another host than SESSION_DB_URI, such as that of a proxy's server, but the same one every time:
        a process that followed it to a restored server would write to both for a while.

        Args:
            text: All that the place holds.

        Raises:
            NoLoginError: It is empty, or a URI that cannot be used; the message never shows it.
        """
        text = text.strip("\r\n")
        if not text.strip():
            raise _UnusableError(self._where, "it is empty")
        if text.strip().partition("://")[0].partition("+")[0].lower() in SCHEMES:
            return self._of_uri(text)
        if (found := _record(text)) is not None:
            return Login(found.get("username") or self._url.username, str(found["password"]))
        return Login(self._url.username, text)

    def _of_uri(self, text: str) -> Login:
        try:
            url = dsn.parse(text, f"It is in {self._where}.")
        except InvalidUriError as error:
            raise NoLoginError(str(error)) from None
        place = f"{url.database} at {hosts(url)}"
        if self._leads_to is None:
            self._leads_to = place
        if place != self._leads_to:
            raise _UnusableError(self._where, f"it leads to {place} now, not to {self._leads_to}. Restart to follow")
        if url.password is None:
            raise _UnusableError(self._where, "its URI has none")
        return Login(url.username or self._url.username, url.password)


class _UnusableError(NoLoginError):
    """It leaves this module as what it derives from."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"expected a password in {where}, but {reason}")


def _record(text: str) -> dict[str, Any] | None:
    """JSON as AWS rotates it (Secrets Manager User Guide, "JSON structure of secrets"); None where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("password"), str) else None
