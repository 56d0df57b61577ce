"""A lease: fetched once for all, anew before it ends, and what happens where the server or the source refuses."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from app.credentials.failures import NoLoginError
from app.credentials.interface import Login
from app.credentials.renewed import Lease, RenewedCredentials


@dataclass
class Source:
    """Gives logins with a number, and the time.

    Attributes:
        now: The present.
        life: How long each one lasts.
        fails: Whether it refuses to give any.
        fetched: How many it gave.
        before_answer: Called before it answers.
    """

    now: float = 1000.0
    life: float = 900.0
    fails: bool = False
    fetched: int = 0
    before_answer: Callable[[], None] = field(default=lambda: None)

    def fetch(self, now: float) -> Lease:
        """As a cloud would."""
        self.before_answer()
        if self.fails:
            message = "expected a token, but: no answer"
            raise NoLoginError(message)
        self.fetched += 1
        return Lease.until(Login("ada", f"token {self.fetched}"), now + self.life, now)

    def clock(self) -> float:
        """The present."""
        return self.now


@pytest.fixture
def source() -> Source:
    """One that answers."""
    return Source()


@pytest.fixture
def credentials(source: Source) -> RenewedCredentials:
    """Nothing fetched yet."""
    return RenewedCredentials(source.fetch, source.clock)


def password(credentials: RenewedCredentials) -> str | None:
    """What a connection would log in with."""
    return credentials.login().password


def test_a_token_serves_until_shortly_before_its_end(source: Source, credentials: RenewedCredentials) -> None:
    """Four minutes of fifteen are left when the next one is fetched."""
    assert password(credentials) == "token 1"
    source.now += 659
    assert password(credentials) == "token 1"
    source.now += 1
    assert password(credentials) == "token 2"


def test_a_short_token_serves_for_most_of_its_time(source: Source, credentials: RenewedCredentials) -> None:
    """As one that the source had kept for long; else it would be fetched for every connection."""
    source.life = 90
    assert password(credentials) == "token 1"
    source.now += 59
    assert password(credentials) == "token 1"
    source.now += 1
    assert password(credentials) == "token 2"


def test_many_connections_at_once_fetch_once(source: Source) -> None:
    """All wait for the one answer, which comes when all have seen that there is nothing yet."""
    looked = threading.Barrier(8)

    def clock() -> float:
        if threading.current_thread() not in seen:
            seen.add(threading.current_thread())
            looked.wait(30)
        return source.now

    seen: set[threading.Thread] = set()
    credentials = RenewedCredentials(source.fetch, clock)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: password(credentials), range(8)))

    assert (found, source.fetched) == ({"token 1"}, 1)


def test_nobody_waits_for_the_next_token_while_the_old_one_does(
    source: Source, credentials: RenewedCredentials
) -> None:
    """Only the one that fetches."""
    credentials.login()
    source.now += 700
    asked, answer = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        assert answer.wait(30)

    source.before_answer = wait
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(password, credentials)
        assert asked.wait(30)
        assert password(credentials) == "token 1"
        answer.set()
        assert slow.result(30) == "token 2"


def test_a_source_that_fails_is_bridged_until_the_end(source: Source, credentials: RenewedCredentials) -> None:
    """And is asked again after a pause; from then on connections fail, in words of its own."""
    credentials.login()
    source.fails = True
    source.now += 700
    assert password(credentials) == "token 1"
    source.fails = False
    assert password(credentials) == "token 1", "it is not asked for every connection"
    source.now += 15
    assert password(credentials) == "token 2"
    source.fails = True
    source.now += 900
    with pytest.raises(NoLoginError, match=r"^expected a token, but: no answer$"):
        credentials.login()


def test_a_refused_login_is_fetched_anew(source: Source, credentials: RenewedCredentials) -> None:
    """Once for all connections that were refused it."""
    first = credentials.login()
    source.now += 100
    credentials.refused(first)
    assert password(credentials) == "token 2"
    credentials.refused(first)
    assert password(credentials) == "token 2"


def test_a_login_that_is_refused_at_once_is_not_fetched_again_and_again(
    source: Source, credentials: RenewedCredentials
) -> None:
    """A wrong password would cost a request to the secret store for each connection that is tried."""
    for _ in range(10):
        credentials.refused(credentials.login())

    assert source.fetched == 1


def test_while_a_new_login_is_refused_the_one_before_is_used() -> None:
    """A rotation changes the secret first, and then makes the role."""
    holds, now = [Login("one", "a")], [0.0]
    credentials = RenewedCredentials(lambda at: Lease(holds[0], at + 300, float("inf")), lambda: now[0])
    assert credentials.login().user == "one"
    holds[0], now[0] = Login("two", "b"), 300
    assert credentials.login().user == "two"
    credentials.refused(Login("two", "b"))
    assert credentials.login().user == "one", "the server does not know the other one yet"
    now[0] += 10
    assert credentials.login().user == "one", "not every connection tries both"
    now[0] += 10
    assert credentials.login().user == "two", "by now it may"


def test_no_text_shows_a_password() -> None:
    """Of a login, and of what holds it."""
    login = Login("ada", "hunter2")

    assert "hunter2" not in f"{login} {Lease(login, 0, 0)}"
