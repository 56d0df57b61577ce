"""How the tests of the servers look at them: as a client does, and as the operating system does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import URL

Ask = Callable[[URL, str], list[Any]]
Processes = Callable[[Path], list[int]]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Runs one statement at a URL and returns its rows."""

    def run(url: URL, statement: str) -> list[Any]:
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(text, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture(scope="session")
def processes() -> Processes:
    """The processes that work in a folder: a server changes into its data folder, and so do all its children."""

    def find(folder: Path) -> list[int]:
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
            except psutil.Error:
                continue
        return found

    return find
