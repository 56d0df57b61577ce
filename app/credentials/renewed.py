"""A login that lasts for a while: fetched once for all who need it, and anew before it ends."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.credentials.interface import Login
from app.errors import SessionDatabaseError

_log = logging.getLogger(__name__)

_MARGIN: Final = 240.0
"""Seconds before the end of a token from which on another one is fetched; of a short one, a third of its time.

The libraries hand the old token out until shortly before its end, so that asking much earlier gives nothing new
(google-auth `_helpers.REFRESH_THRESHOLD`, azure-identity `DEFAULT_REFRESH_OFFSET`).
"""

_PAUSE: Final = 15.0
"""Seconds between two tries while the old login still does."""


@dataclass(frozen=True)
class Lease:
    """A login and its times, in seconds since the epoch.

    Attributes:
        login: The login.
        renew_at: From when on another one is fetched.
        ends_at: From when on it can no longer be used.
    """

    login: Login
    renew_at: float
    ends_at: float

    @classmethod
    def until(cls, login: Login, ends_at: float, now: float) -> "Lease":
        """Of a token that ends by itself.

        Args:
            login: The login that it makes.
            ends_at: Its end.
            now: The present.

        Example:
            >>> Lease.until(Login("ada", "token"), ends_at=1900.0, now=1000.0).renew_at
            1660.0
        """
        return cls(login, ends_at - min(_MARGIN, (ends_at - now) / 3), ends_at)


class RenewedCredentials:
    """Keeps one lease, and the login before it.

    While the old lease still does, one thread fetches the next and nobody waits; where none does, all wait for one
    fetch. Where the server does not accept a new login, the one before is used for a while: a rotation changes the
    secret before the server has the role that it names.

    Args:
        fetch: Gets a lease as of a moment, in seconds since the epoch; blocks, for a bounded time.
        clock: Tells that moment.
        floor: Seconds in which nothing new is to be expected of another fetch.
    """

    def __init__(
        self, fetch: Callable[[float], Lease], clock: Callable[[], float] = time.time, floor: float = 1
    ) -> None:
        """Nothing is fetched yet."""
        self._fetch, self._clock, self._floor = fetch, clock, floor
        self._lease: Lease | None = None
        self._newest: Login | None = None
        self._before: Login | None = None
        self._refused: Login | None = None
        self._next_try = self._fetched_at = float("-inf")
        self._lock = threading.Lock()

    def login(self) -> Login:
        """See `Credentials`."""
        lease, now = self._lease, self._clock()
        if lease is not None and now < max(lease.renew_at, min(self._next_try, lease.ends_at)):
            return lease.login
        if not self._lock.acquire(blocking=lease is None or now >= lease.ends_at):
            assert lease is not None  # noqa: S101  # Else it would have waited; for the type checker.
            return lease.login
        try:
            return self._renewed(lease)
        finally:
            self._lock.release()

    def refused(self, login: Login) -> None:
        """See `Credentials`; nothing where another thread has told it already."""
        with self._lock:
            if self._lease is None or self._lease.login != login:
                return
            now = self._clock()
            if now < self._fetched_at + self._floor:
                self._lease = self._instead(self._lease, now)
            else:
                self._refused, self._lease = login, None

    def _renewed(self, seen: Lease | None) -> Login:
        """Under the lock: another thread may have fetched one since."""
        if self._lease is not None and self._lease is not seen:
            return self._lease.login
        now = self._clock()
        try:
            lease = self._fetch(now)
        except SessionDatabaseError as error:
            if self._lease is None or now >= self._lease.ends_at:
                raise
            self._next_try = now + _PAUSE
            _log.warning("the login in use still does, but the next one is not to be had: %s", error)
            return self._lease.login
        self._fetched_at = now
        if lease.login != self._newest:
            self._before, self._newest = self._newest, lease.login
        self._lease = self._instead(lease, now) if lease.login == self._refused else lease
        self._refused = None
        return self._lease.login

    def _instead(self, lease: Lease, now: float) -> Lease:
        """The login before, for a short while, where there is one; it may be what the server still accepts."""
        if self._before is None or self._before == lease.login:
            return lease
        _log.warning("the newest login is refused; the one before is tried for %.0f s", _PAUSE)
        return Lease(self._before, now + _PAUSE, now + _PAUSE)
