"""What a client that checks everything sees: a good certificate, and bad ones."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.errors import ServerError
from rehearsal.tls import KEY, ROOT, Authority, ServerCertificate

Ask = Callable[[URL, str], list[Any]]

ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who issues the certificates."""
    return Authority()


@pytest.fixture(scope="module")
def cluster(ground: Path, authority: Authority) -> Iterator[Cluster]:
    """A server with a certificate."""
    certificate = authority.issue()
    with Cluster.create(ground / secrets.token_hex(4), binaries(15, print), tls=certificate) as made:
        yield made


@pytest.fixture
def url(cluster: Cluster, authority: Authority, tmp_path: Path) -> URL:
    """The URL of a client that trusts the authority and checks the name."""
    root = authority.write_root(tmp_path / "root.crt")
    name, password = cluster.superuser.name, cluster.superuser.password
    return cluster.uri(name, password, "postgres", sslmode="verify-full", sslrootcert=str(root))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_good_certificate_verifies_in_full(
    cluster: Cluster, authority: Authority, url: URL, ask: Ask, host: str
) -> None:
    """By address and by name, and the connection is encrypted."""
    cluster.present(authority.issue())

    assert ask(url.set(host=host), ENCRYPTED) == [(True,)]


def test_another_authority_is_not_trusted(cluster: Cluster, authority: Authority, url: URL, ask: Ask) -> None:
    """Nor is one of the same name."""
    cluster.present(Authority().issue())
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        ask(url, ENCRYPTED)

    cluster.present(authority.issue())
    assert ask(url, ENCRYPTED) == [(True,)]


def test_an_expired_certificate_is_refused(cluster: Cluster, authority: Authority, url: URL, ask: Ask) -> None:
    """Although the authority is trusted."""
    cluster.present(authority.issue(expired=True))

    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        ask(url, ENCRYPTED)


def test_another_hosts_certificate_is_refused(cluster: Cluster, authority: Authority, url: URL, ask: Ask) -> None:
    """Although it is valid; a client that checks no name accepts it."""
    cluster.present(authority.issue("db.example"))

    with pytest.raises(psycopg.OperationalError, match=r'"db\.example"'):
        ask(url, ENCRYPTED)
    assert ask(url.update_query_dict({"sslmode": "verify-ca"}), ENCRYPTED) == [(True,)]


def test_a_server_without_a_certificate_cannot_encrypt(postgresql: Cluster, ask: Ask) -> None:
    """A client that insists is refused."""
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        ask(postgresql.superuser_uri().set(query={"sslmode": "require"}), ENCRYPTED)


def test_the_key_is_in_nothing_printed(authority: Authority) -> None:
    """The certificate itself is public."""
    assert "PRIVATE" not in repr(authority.issue())


def test_binaries_without_openssl_say_so(ground: Path, authority: Authority) -> None:
    """The wheels have none."""
    programs = binaries(16, print)
    if ".tools" not in programs.parts:
        pytest.skip("this machine has a PostgreSQL 16 of its own, which may have OpenSSL")

    with pytest.raises(ServerError, match="built with OpenSSL"):
        Cluster.create(ground / secrets.token_hex(4), programs, tls=authority.issue())


def test_an_authority_is_the_same_in_another_process(tmp_path: Path, cluster: Cluster, url: URL, ask: Ask) -> None:
    """What it issues after it was opened again is trusted as before; its key is for nobody else's eyes."""
    first = Authority()
    first.keep(tmp_path)
    first.keep(tmp_path)
    trusting = url.update_query_dict({"sslrootcert": str(tmp_path / ROOT)})
    before = (cluster.folder / "data" / "server.crt").read_text()
    key = (cluster.folder / "data" / "server.key").read_text()
    cluster.present(Authority.open(tmp_path).issue())

    assert ask(trusting, ENCRYPTED) == [(True,)]
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    cluster.present(ServerCertificate(before, key))
