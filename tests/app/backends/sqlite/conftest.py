"""Files as other programs make them, folders as they were before, and processes that bootstrap beside the test."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import dsn, verbs
from app.backends.interface import Target
from app.environment import ROOT
from app.errors import SessionDatabaseError
from tests.app.conftest import nobody

TABLES = ("app_states", "sessions", "user_states", "events")

Script = Callable[[Path, str], None]
Content = Callable[[Path], dict[str, bytes | None]]
Refused = Callable[[Path], SessionDatabaseError]
Started = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def tables() -> tuple[str, ...]:
    """The names of the session tables, in the order in which they are made."""
    return TABLES


@pytest.fixture
def steps(path: Path) -> tuple[str, ...]:
    """The names of all steps, as a bootstrap takes them where there is no file."""
    return (f"create file {path}, mode 0600", "switch to WAL mode", *(f"create table {name}" for name in TABLES))


@pytest.fixture
def mode() -> Callable[[Path], str]:
    """The permission bits as `ls` and `chmod` speak of them."""

    def run(path: Path) -> str:
        return f"{stat.S_IMODE(path.stat().st_mode):o}"

    return run


@pytest.fixture
def script() -> Script:
    """Makes or changes a database as some other program would, behind the back of the code under test."""

    def run(file: Path, sql: str) -> None:
        connection = sqlite3.connect(file)
        try:
            connection.executescript(sql)
        finally:
            connection.close()

    return run


@pytest.fixture
def content() -> Content:
    """Every name below a folder, and the bytes of every file."""

    def run(folder: Path) -> dict[str, bytes | None]:
        places = folder.rglob("*")
        return {str(place.relative_to(folder)): place.read_bytes() if place.is_file() else None for place in places}

    return run


@pytest.fixture
def refused(content: Content) -> Refused:
    """Bootstraps and plans a file that must be refused, by both alike; nothing in its folder may change."""

    def run(file: Path) -> SessionDatabaseError:
        target = Target.of(dsn.parse(f"sqlite:///{file}"))
        before = content(file.parent)
        with pytest.raises(SessionDatabaseError) as planned:
            verbs.plan(target)
        with pytest.raises(SessionDatabaseError) as caught:
            verbs.bootstrap(target)
        assert content(file.parent) == before
        assert (type(planned.value), str(planned.value)) == (type(caught.value), str(caught.value))
        return caught.value

    return run


@pytest.fixture
def started() -> Started:
    """Starts Python in a process of its own, from the project's root, with SESSION_DB_URI set."""

    def run(*arguments: str, uri: str) -> "subprocess.Popen[str]":
        environ = os.environ | {"SESSION_DB_URI": uri}
        command = [sys.executable, *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return run


@pytest.fixture
def powerless() -> Iterator[Path]:
    """A folder of an ordinary user, and this process as that user: nothing stops root."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users.
        folder = Path(name).resolve()
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        with nobody():
            yield folder
