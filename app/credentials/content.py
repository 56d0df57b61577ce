"""What a file or a secret holds: a password, the whole URI of the database, or the JSON that clouds rotate."""

import json
from typing import Any, Final

from sqlalchemy import URL

from app import dsn
from app.backends.postgresql.uri import SCHEMES, hosts
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login
from app.errors import InvalidUriError

_FORMS: Final = (
    "It may hold the password alone, JSON with it, or the whole URI, "
    "for example postgresql://adk_user:change-me@db.example.org/adk_sessions"
)


class Content:
    """Reads logins out of what one place holds.

    A rotation of the stack changes role and password together, so the URI in the stack's secret brings both; a password
    alone is of the role that SESSION_DB_URI names.

    Args:
        url: The database, as SESSION_DB_URI names it.
        where: The place and what names it, for messages. For example
            "/run/secrets/session-db-password, which SESSION_DB_PASSWORD_FILE names".
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
            NoLoginError: It is empty, or of a form that cannot be used; the message never shows it.
        """
        text = text.removeprefix("\ufeff").strip("\r\n")
        if text.strip().partition("://")[0].partition("+")[0].lower() in SCHEMES:
            return self._of_uri(text)
        try:
            return self._of_record(found) if (found := _record(text)) else Login(self._url.username, _sendable(text))
        except _UnfitError as error:
            raise _UnusableError(self._where, str(error)) from None

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

    def _of_record(self, found: dict[str, Any]) -> Login:
        """A role that is empty, or null, is none."""
        texts = {name: found.get(name) or "" for name in ("username", "password")}
        if wrong := next((name for name, value in texts.items() if not isinstance(value, str)), None):
            message = f"the {wrong} in its JSON is no text"
            raise _UnfitError(message)
        password = _sendable(texts["password"])
        return Login(_sendable(texts["username"]) if texts["username"] else self._url.username, password)


class _UnfitError(Exception):
    """Why a text is no login, without a word of it; it never leaves this module."""


class _UnusableError(NoLoginError):
    """It leaves this module as what it derives from."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"expected a password in {where}, but {reason}. {_FORMS}")


def _record(text: str) -> dict[str, Any] | None:
    """JSON as AWS rotates it (Secrets Manager User Guide, "JSON structure of secrets"); None where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    except RecursionError:
        message = "it is JSON of too many levels"
        raise _UnfitError(message) from None
    return found if isinstance(found, dict) and "password" in found else None


def _sendable(text: str) -> str:
    """The same text, if the protocol has a place for it: libpq's strings are UTF-8 here, and end at a NUL."""
    if not text.strip():
        message = "it is empty"
    elif "\0" in text:
        message = "it has a NUL in it, as UTF-16 has"
    elif any("\ud800" <= letter <= "\udfff" for letter in text):
        message = "it is no UTF-8 text"
    else:
        return text
    raise _UnfitError(message)
