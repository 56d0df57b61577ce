"""The password that stands in the URI."""

from sqlalchemy import URL

from app.credentials.interface import Login


class UnchangingCredentials:
    """One login for the whole life of the process.

    Args:
        url: The database, as SESSION_DB_URI names it.
    """

    def __init__(self, url: URL) -> None:
        """Take the login over."""
        self._login = Login.of(url)

    def login(self) -> Login:
        """See `Credentials`."""
        return self._login

    def refused(self, login: Login) -> None:
        """See `Credentials`; there is no other one."""
