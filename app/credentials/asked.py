"""Asks for logins from an event loop: in threads apart, and for a bounded time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from app.credentials.failures import NoLoginError
from app.credentials.interface import Credentials, Login, another

T = TypeVar("T")

SECONDS: Final = 10.0
"""The vendors' libraries try several times on their own; a request does not wait for all of that."""

_THREADS: Final = 4
"""One that fetches, and some that get what is kept meanwhile. Not the loop's own, which are few and resolve hosts."""


class AskedCredentials:
    """Credentials for coroutines.

    Args:
        credentials: What gives the logins.
    """

    def __init__(self, credentials: Credentials) -> None:
        """No thread is started yet."""
        self._credentials = credentials
        self._threads = ThreadPoolExecutor(_THREADS, "session-db-login")

    async def login(self) -> Login:
        """As `Credentials`.

        Raises:
            NoLoginError: There is none, or not in time; what comes later serves the next one who asks.
            SessionDatabaseError: As `Credentials`.
        """
        return await self._bounded(self._credentials.login)

    async def refused(self, login: Login) -> Login | None:
        """As `another`.

        Args:
            login: The login that the server does not accept.

        Raises:
            SessionDatabaseError: As `login`.
        """
        return await self._bounded(lambda: another(self._credentials, login))

    async def _bounded(self, ask: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except TimeoutError:
            message = f"expected a password or a token within {SECONDS:.0f} s, but where it comes from does not answer"
            raise NoLoginError(message) from None
