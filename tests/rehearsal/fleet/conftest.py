"""Managed servers for tests, and how a client reaches them: by their host name, which resolves nowhere."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from rehearsal.fleet import ManagedServer, Spec
from rehearsal.tls import ROOT, Authority

HOST = "sessions-prod.c8x2k1m0qzyd.eu-west-1.rds.amazonaws.com"

Connection = psycopg.Connection[tuple[Any, ...]]


class Connect(Protocol):
    """Opens a connection as a server's owner, by TLS, with everything verified."""

    def __call__(self, server: ManagedServer, **other: str) -> Connection:
        """Take a server and libpq's parameters that shall differ."""


@pytest.fixture(scope="session")
def place(ground: Path) -> Path:
    """The folder that managed servers live in, with the certificate of their authority."""
    folder = ground / "fleet"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def authority(place: Path) -> Authority:
    """Whoever issues the servers' certificates."""
    made = Authority()
    made.keep(place)
    return made


@pytest.fixture
def fresh(place: Path) -> Callable[[], Path]:
    """Gives folders for servers of a test's own."""
    return lambda: place / secrets.token_hex(4)


@pytest.fixture(scope="session")
def spec() -> Spec:
    """What tests ask for where they do not care."""
    return Spec("sessions-prod", "aws", 15, (HOST,), "adk_owner", "change-me", "sessions")


@pytest.fixture
def kept() -> Iterator[contextlib.ExitStack]:
    """Stops at the end what a test has made."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def connect(place: Path) -> Connect:
    """As a client that trusts the rehearsal's authority and nobody else."""

    def open_(server: ManagedServer, **other: str) -> Connection:
        address, port = server.address
        login = {
            "host": server.spec.hosts[0],
            "hostaddr": address,
            "port": str(port),
            "user": server.spec.owner,
            "password": "change-me",
            "dbname": server.spec.database or "sessions",
            "sslmode": "verify-full",
            "sslrootcert": str(place / ROOT),
            "connect_timeout": "5",
        }
        return psycopg.connect(**{**login, **other}, autocommit=True)  # type: ignore[arg-type]

    return open_
