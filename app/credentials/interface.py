"""What a new connection logs in with, the same wherever it comes from."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import URL


@dataclass(frozen=True)
class Login:
    """A role and what proves it; no text of this object shows the password.

    Attributes:
        user: The role; a rotation may name another one than the URI does.
        password: Its password or token; None where none is sent.
    """

    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: URL) -> "Login":
        """What a URL has."""
        return cls(url.username, url.password)

    def on(self, url: URL) -> URL:
        """The same database as this login opens it.

        Args:
            url: A URL from `dsn.parse`.
        """
        return URL.create(**{**url._asdict(), "username": self.user, "password": self.password})


class Credentials(Protocol):
    """Gives the login for each new connection; safe to be asked by several threads at once, and may block."""

    def login(self) -> Login:
        """What to log in with now.

        Raises:
            SessionDatabaseError: There is none, and there was none before that could still do.
        """

    def refused(self, login: Login) -> None:
        """The server does not accept a login: whatever is kept of it is to be fetched anew."""


def another(credentials: Credentials, login: Login) -> Login | None:
    """Tell of a login that the server does not accept; blocks as `Credentials`.

    Args:
        credentials: What gave it.
        login: The login.

    Returns:
        Another one to try; None where there is none.

    Raises:
        SessionDatabaseError: As `Credentials`.
    """
    credentials.refused(login)
    other = credentials.login()
    return None if other == login else other
