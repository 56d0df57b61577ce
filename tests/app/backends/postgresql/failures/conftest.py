"""How a failure has to look from outside, whatever it is: one line, its own exit code, no password, nothing changed."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import URL

import app.verbs
from app.backends.interface import Target
from app.errors import SessionDatabaseError
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster

COMMAND = str(Path(sys.executable).with_name("session-db"))
SECONDS = 120.0
"""A safety net for what would hang for ever; nothing here is meant to come near it."""

Fails = type[SessionDatabaseError]
Until = Callable[[Callable[[], object]], None]
Unchanged = Callable[[], AbstractContextManager[None]]
Place = Callable[[], Path]
Session = Callable[[URL], AbstractContextManager[psycopg.Connection]]


class Run(Protocol):
    """Starts the real command."""

    def __call__(self, target: Target, *arguments: str) -> subprocess.Popen[str]:
        """Returns at once; `arguments` begin with the verb."""


class Refused(Protocol):
    """Has `bootstrap` and `verify` fail, and holds what they say against what is expected."""

    def __call__(
        self,
        target: Target,
        kind: Fails,
        *words: str,
        verbs: tuple[str, ...] = ("bootstrap", "verify"),
        command: bool = True,
    ) -> None:
        """`words` are to stand in the message; with `command` the real one is tried, else only the functions are."""


class Judge(Protocol):
    """Waits for the end of a command that has to fail."""

    def __call__(self, process: subprocess.Popen[str], target: Target, kind: Fails, *words: str) -> None:
        """`words` are to stand in its one line."""


class Raised(Protocol):
    """Does something in this process that has to fail."""

    def __call__(self, work: Callable[[], object], target: Target, kind: Fails, *words: str) -> None:
        """`words` are to stand in the message."""


@pytest.fixture(scope="session")
def run() -> Run:
    """The real command as a process of its own, with the URIs in its environment as a user has them."""

    def start(target: Target, *arguments: str) -> subprocess.Popen[str]:
        uris = {"SESSION_DB_URI": target.app, "ADMIN_DB_URI": target.owner}
        texts = {name: url.render_as_string(hide_password=False) for name, url in uris.items()}
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return subprocess.Popen(
            [COMMAND, *arguments], env={**environ, **texts}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


@pytest.fixture(scope="session")
def judged() -> Judge:
    """See the protocol."""

    def judge(process: subprocess.Popen[str], target: Target, kind: Fails, *words: str) -> None:
        out, err = process.communicate(timeout=SECONDS)
        said = [line for line in err.splitlines() if line.startswith("error: ")]
        assert (process.returncode, len(said)) == (kind.exit_code, 1), err
        assert err.splitlines()[-1] == said[0], err
        assert "Traceback" not in err
        assert all(word in said[0] for word in words), said[0]
        _expect_no_password(out + err, target)

    return judge


@pytest.fixture(scope="session")
def refused(run: Run, judged: Judge, raised: Raised) -> Refused:
    """See the protocol."""

    def expect(
        target: Target,
        kind: Fails,
        *words: str,
        verbs: tuple[str, ...] = ("bootstrap", "verify"),
        command: bool = True,
    ) -> None:
        with ExitStack() as ended:
            waits = ("--lock-wait", str(target.waits.lock), "--statement-wait", str(target.waits.statement))
            processes = [run(target, verb, *waits) for verb in verbs] if command else []
            for process in processes:
                ended.enter_context(process)
                ended.callback(process.kill)
            for verb in verbs:
                raised(partial(getattr(app.verbs, verb), target), target, kind, *words)
            for process in processes:
                judged(process, target, kind, *words)

    return expect


@pytest.fixture(scope="session")
def raised() -> Raised:
    """Of exactly that kind, and no password in it nor in what it came from."""

    def expect(work: Callable[[], object], target: Target, kind: Fails, *words: str) -> None:
        with pytest.raises(kind) as caught:
            work()
        assert type(caught.value) is kind
        assert all(word in str(caught.value) for word in words), caught.value
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        error: BaseException | None = caught.value
        while error is not None:
            _expect_no_password(f"{error} {error!r}", target)
            error = error.__cause__ or error.__context__

    return expect


@pytest.fixture
def unchanged(shape: Callable[[], str]) -> Unchanged:
    """What the database is made of is the same before and after."""

    @contextmanager
    def hold() -> Iterator[None]:
        before = shape()
        yield
        assert shape() == before

    return hold


@pytest.fixture
def place(ground: Path) -> Place:
    """Where a server of the test's own may live; another place at each call."""
    return lambda: ground / secrets.token_hex(4)


@pytest.fixture
def own(place: Place) -> Iterator[Cluster]:
    """A server that the test may stop, break and reconfigure."""
    with Cluster.create(place(), binaries(15, print), settings={"max_connections": "20"}) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def until() -> Until:
    """Waits for a condition that another process brings about."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, "expected it to happen"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def session() -> Session:
    """Another program's connection, in a transaction that ends undone."""

    @contextmanager
    def open_(url: URL) -> Iterator[psycopg.Connection]:
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(text) as connection:
            yield connection
            connection.rollback()

    return open_


def _expect_no_password(text: str, target: Target) -> None:
    for url in (target.app, target.owner):
        if url.password:
            assert str(url.password) not in text
            assert quote(str(url.password), safe="") not in text
