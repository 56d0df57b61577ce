"""A control plane of the tests' own, in a process of its own, as it is for a rehearsal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.ground import ground

Ask = Callable[[str, str], list[Any]]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder of a rehearsal; at the end nothing of it runs any more."""
    with ground() as made:
        yield made
        client.stop(made)


@pytest.fixture
def plane(folder: Path) -> ControlPlaneClient:
    """Its control plane, started again where a test has ended it."""
    return client.connect(folder)


@pytest.fixture(scope="module")
def ask_at(folder: Path) -> Ask:
    """Runs a statement as the owner on the server of a host name, which is verified; returns its rows."""

    def run(host: str, statement: str) -> list[Any]:
        reach = json.loads((folder / "reach.json").read_text())
        where = reach["hosts"][host]
        with psycopg.connect(
            host=host,
            hostaddr=where["hostaddr"],
            port=where["port"],
            user="adk_owner",
            password="change-me",
            dbname="adk",
            sslmode="verify-full",
            sslrootcert=reach["ca"],
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run
