"""TLS that one side wants and the other has not, and certificates that are not to be trusted."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app import verbs
from app.backends.interface import Target
from app.errors import (
    AuthenticationError,
    CertificateError,
    ConnectionLostError,
    TlsRefusedError,
    TlsRequiredError,
)
from rehearsal.account import Account
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed
from rehearsal.tls import Authority

LOCAL = "local all all scram-sha-256\n"

Rules = Callable[[str], None]


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who issues the certificates."""
    return Authority()


@pytest.fixture(scope="module")
def secure(ground: Path, authority: Authority) -> Iterator[ManagedDatabase]:
    """A database on a server with TLS."""
    with Cluster.create(ground / "secure", binaries(15, print), tls=authority.issue()) as cluster:
        yield managed(cluster, "sessions")


@pytest.fixture
def full(secure: ManagedDatabase, authority: Authority, tmp_path: Path) -> URL:
    """The URL of a client that trusts the authority and checks everything."""
    root = authority.write_root(tmp_path / "root.crt")
    return secure.admin.update_query_dict({"sslmode": "verify-full", "sslrootcert": str(root)})


@pytest.fixture
def rules(secure: ManagedDatabase) -> Iterator[Rules]:
    """Changes who may connect by address, until the test ends; the superuser's socket stays open."""
    cluster = secure.cluster
    file = cluster.folder / "data" / "pg_hba.conf"
    before = file.read_text()

    def change(text: str) -> None:
        Account.unprivileged().write(file, LOCAL + text)
        cluster.superuser.reload(cluster.address)

    yield change
    Account.unprivileged().write(file, before)
    cluster.superuser.reload(cluster.address)


@pytest.mark.parametrize(
    "rule",
    ["hostssl all all all scram-sha-256\n", "hostnossl all all all reject\nhostssl all all all scram-sha-256\n"],
    ids=["no rule without TLS", "without TLS rejected"],
)
def test_a_server_that_wants_tls_says_so(secure: ManagedDatabase, rules: Rules, refused: Any, rule: str) -> None:
    """As `rds.force_ssl` and its likes do; libpq's default mode is let in."""
    rules(rule)
    plain = secure.admin.update_query_dict({"sslmode": "disable"})

    refused(Target.of(plain), TlsRequiredError, "Write ?sslmode=require", "verify-full")
    verbs.plan(Target.of(secure.admin))


@pytest.mark.parametrize("rule", ["host other all all scram-sha-256\n", "host all all all reject\n"])
@pytest.mark.parametrize("mode", ["allow", "prefer", "require"])
def test_a_server_without_a_rule_is_not_mended_by_tls(
    secure: ManagedDatabase, rules: Rules, refused: Any, rule: str, mode: str
) -> None:
    """Both ways were tried, and libpq names both; so it is no matter of TLS."""
    rules(rule)
    target = Target.of(secure.admin.update_query_dict({"sslmode": mode}))

    refused(target, AuthenticationError, "pg_hba.conf", command=mode == "prefer")


@pytest.mark.parametrize("postgresql", [15, 16, 18], indirect=True)
@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_server_without_tls_says_so(server_database: ManagedDatabase, refused: Any, mode: str) -> None:
    """A plain container, for example."""
    target = Target.of(server_database.admin.update_query_dict({"sslmode": mode}))

    refused(
        target, TlsRefusedError, "has no TLS", "sslmode=disable", command="15" in server_database.cluster.folder.name
    )


def test_an_expired_certificate_is_told(secure: ManagedDatabase, authority: Authority, full: URL, refused: Any) -> None:
    """With the right CA."""
    secure.cluster.present(authority.issue(expired=True))

    refused(Target.of(full), CertificateError, "has expired, or its CA is unknown", "Renew it")


def test_the_certificate_of_another_host_is_told(
    secure: ManagedDatabase, authority: Authority, full: URL, refused: Any
) -> None:
    """Both names are in the message."""
    secure.cluster.present(authority.issue("db.example"))

    refused(Target.of(full), CertificateError, '"db.example"', '"127.0.0.1"')


def test_an_unknown_ca_is_told(
    secure: ManagedDatabase, authority: Authority, full: URL, refused: Any, tmp_path: Path
) -> None:
    """Of the same name, but another one."""
    secure.cluster.present(authority.issue())
    other = Authority().write_root(tmp_path / "other.crt")

    refused(Target.of(full.update_query_dict({"sslrootcert": str(other)})), CertificateError, "its CA is unknown here")


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_missing_ca_file_is_told(
    secure: ManagedDatabase, authority: Authority, full: URL, refused: Any, tmp_path: Path, content: str | None
) -> None:
    """By its path; so is one that holds no certificate."""
    secure.cluster.present(authority.issue())
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    refused(Target.of(full.update_query_dict({"sslrootcert": str(file)})), CertificateError, str(file), "sslrootcert=")


def test_a_missing_certificate_of_the_client_is_told(
    secure: ManagedDatabase, authority: Authority, full: URL, rules: Rules, refused: Any
) -> None:
    """As with Cloud SQL's strictest mode."""
    cluster = secure.cluster
    cluster.present(authority.issue())
    root = cluster.folder / "data" / "root.crt"
    shutil.copy(str(full.query["sslrootcert"]), root)
    Account.unprivileged().own(root, 0o600)
    cluster.reconfigure({"ssl_ca_file": "root.crt"})
    rules("hostssl all all all scram-sha-256 clientcert=verify-ca\n")

    refused(Target.of(full), AuthenticationError, "&sslcert=")
    cluster.reconfigure({"ssl_ca_file": ""})


def test_a_server_that_dies_under_tls_is_told_as_lost(place: Any, authority: Authority, raised: Any) -> None:
    """OpenSSL says it in words of its own, which are no matter of certificates."""
    with Cluster.create(place(), binaries(15, print), tls=authority.issue()) as cluster:
        made = managed(cluster, "sessions")
        target = Target.of(made.admin.update_query_dict({"sslmode": "require"}))

        def stop(step: str) -> None:
            if step == "create table events":
                cluster.stop("immediate")

        raised(lambda: verbs.bootstrap(target, stop), target, ConnectionLostError, "run it again")
