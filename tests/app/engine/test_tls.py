"""TLS to a real server: the CA that the URI names is what the engine trusts, and nothing else."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import dsn, engine
from app.backends.interface import Target
from app.backends.postgresql import failures
from app.backends.postgresql.trust import rooted
from app.credentials.unchanging import UnchangingCredentials
from app.errors import CertificateError, InvalidSettingError
from app.verbs import plan
from rehearsal.binaries import encrypting
from rehearsal.cluster import Cluster
from rehearsal.tls import Authority

Engines = Callable[..., AbstractAsyncContextManager[AsyncEngine]]


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Signs the server's certificate."""
    return Authority()


@pytest.fixture(scope="module")
def server(ground: Path, authority: Authority) -> Iterator[URL]:
    """A server with TLS, by the name in its certificate."""
    with Cluster.create(ground / "tls", encrypting(15, logging.info), tls=authority.issue("localhost")) as cluster:
        uri = cluster.superuser_uri().set(host="localhost").update_query_dict({"sslmode": "verify-full"})
        yield dsn.parse(uri.render_as_string(hide_password=False))


@pytest.fixture
def ca(authority: Authority, tmp_path: Path) -> Path:
    """The file of its CA."""
    return authority.write_root(tmp_path / "ca.pem")


def test_the_named_ca_is_trusted(server: URL, ca: Path, engines: Engines) -> None:
    """And the connection is encrypted."""
    named = server.update_query_dict({"sslrootcert": str(ca)})

    assert asyncio.run(encrypted(named, engines))


def test_the_cas_of_the_system_are_found(
    server: URL, ca: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the bootstrapper too: the driver's own OpenSSL looks where no system has them.

    The test's CA stands in for a system's; SSL_CERT_FILE would tell the driver as well.
    """
    monkeypatch.setattr("app.backends.postgresql.trust._system", lambda: str(ca))
    system = server.update_query_dict({"sslrootcert": "system"})

    assert asyncio.run(encrypted(system, engines))
    assert plan(Target.of(system)).steps


def test_the_word_for_the_system_becomes_a_file_that_is_there(server: URL, engines: Engines) -> None:
    """Whichever system this is, and a server that it does not know is still refused."""
    system = rooted(server.update_query_dict({"sslrootcert": "system"}))

    assert Path(str(system.query["sslrootcert"])).is_file()
    with pytest.raises(DBAPIError, match="certificate verify failed"):
        asyncio.run(encrypted(system, engines))


def test_a_server_of_another_ca_is_refused(server: URL, tmp_path: Path, engines: Engines) -> None:
    """In one line, as an error of its certificate."""
    other = Authority().write_root(tmp_path / "other.pem")
    named = server.update_query_dict({"sslrootcert": str(other)})

    with pytest.raises(DBAPIError) as caught:
        asyncio.run(encrypted(named, engines))

    meaning = failures.meaning(caught.value, named)
    assert isinstance(meaning, CertificateError)
    assert "\n" not in str(meaning)


@pytest.mark.parametrize("named", ["/nowhere/ca.pem", None])
def test_a_ca_that_is_not_there_is_told_before_anything_is_connected(
    server: URL, named: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one line that names the file, libpq's own place for it where none is named."""
    monkeypatch.setenv("HOME", str(tmp_path))
    url = server if named is None else server.update_query_dict({"sslrootcert": named})

    with pytest.raises(InvalidSettingError) as caught:
        engine.create(url, engine.Pool.read(lambda _: None), UnchangingCredentials(url))

    assert (named or "~/.postgresql/root.crt") in str(caught.value)
    assert "\n" not in str(caught.value)


async def encrypted(url: URL, engines: Engines) -> bool:
    """Whether the server sees the connection as encrypted."""
    async with engines(url) as made, made.connect() as connection:
        asked = await connection.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        return bool(asked.scalar_one())
