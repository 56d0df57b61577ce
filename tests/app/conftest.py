"""A place for a database, a bootstrapped one, and what is in it; nothing of the developer's own settings."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app import dsn
from app.backends.interface import Target
from app.environment import ROOT
from app.verbs import bootstrap

Query = Callable[[Path, str], list[Any]]
Start = Callable[[], tuple["subprocess.Popen[str]", str]]
SessionDb = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what the developer has exported."""
    for name in ("SESSION_DB_URI", "ADMIN_DB_URI", "AGENTS_DIR", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is to be; neither the file nor its folder is there yet."""
    return tmp_path.resolve() / "sessions" / "sessions.db"


@pytest.fixture
def url(path: Path) -> URL:
    """The URL of that place."""
    return dsn.parse(f"sqlite:///{path}")


@pytest.fixture
def target(url: URL) -> Target:
    """The database of that place, as the verbs take it."""
    return Target.of(url)


@pytest.fixture
def database(path: Path, target: Target) -> Path:
    """The database, bootstrapped and empty."""
    bootstrap(target)
    return path


@pytest.fixture(scope="session")
def query() -> Query:
    """Runs SQL on a file and returns its rows: the eyes of the tests, apart from the code under test."""

    def run(file: Path, sql: str) -> list[Any]:
        connection = sqlite3.connect(file)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return run


@pytest.fixture(scope="session")
def session_db() -> SessionDb:
    """Runs `session-db` to its end on the database of `uri`, a URI or a path; it may not end in a traceback."""
    command = str(Path(sys.executable).with_name("session-db"))

    def run(*arguments: str, uri: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
        variables = os.environ | {"SESSION_DB_URI": uri if isinstance(uri, str) else f"sqlite:///{uri}"} | environ
        done = subprocess.run([command, *arguments], env=variables, check=False, capture_output=True, text=True)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    """Starts a server in the test's `environ` on a free port, until it says where it is; kills what a test leaves."""
    running = []

    def run() -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("ADK API server: "):
                return process, line.split()[-1].removesuffix("/docs")
        raise AssertionError("".join(said))

    yield run
    for process in running:
        process.kill()
        process.communicate()
