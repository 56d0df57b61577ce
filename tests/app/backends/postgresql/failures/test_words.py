"""Servers that speak another language, names that read like a reason, and one test at least for every kind of error."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from app import verbs
from app.backends.interface import Target, Waits
from app.backends.postgresql import connection, failures
from app.errors import (
    AuthenticationError,
    CertificateError,
    ClosedPortError,
    ConnectionLostError,
    DatabaseUnavailableError,
    DiskFullError,
    InsufficientRightsError,
    LockedDatabaseError,
    MissingDatabaseError,
    NotAFileError,
    NotReadyError,
    ReadOnlyDatabaseError,
    SessionDatabaseError,
    TlsRefusedError,
    TlsRequiredError,
    UnknownHostError,
    VerificationError,
)
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed

BACKENDS = Path(__file__).resolve().parents[2]

PROVOKED: dict[type[SessionDatabaseError], str] = {
    AuthenticationError: "postgresql/failures/test_connections.py::test_who_is_not_known_is_told_so",
    CertificateError: "postgresql/failures/test_tls.py::test_an_expired_certificate_is_told",
    ClosedPortError: "postgresql/failures/test_connections.py::test_a_closed_port_is_told",
    ConnectionLostError: "postgresql/failures/test_broken_work.py::test_the_command_tells_it_too",
    DatabaseUnavailableError: "postgresql/failures/test_words.py::test_a_server_in_another_language_is_told",
    DiskFullError: "postgresql/failures/test_rights.py::test_a_full_disk_is_told",
    InsufficientRightsError: "postgresql/failures/test_rights.py::test_an_ordinary_role_on_an_empty_database_is_told",
    LockedDatabaseError: "postgresql/failures/test_locks.py::test_another_bootstrap_at_work_is_told",
    MissingDatabaseError: "postgresql/failures/test_connections.py::test_a_missing_database_is_told",
    NotReadyError: "postgresql/failures/test_connections.py::test_a_connection_limit_is_told",
    NotAFileError: "sqlite/test_command.py::test_a_folder_is_told",
    ReadOnlyDatabaseError: "postgresql/failures/test_read_only.py::test_a_standby_is_told",
    TlsRefusedError: "postgresql/failures/test_tls.py::test_a_server_without_tls_says_so",
    TlsRequiredError: "postgresql/failures/test_tls.py::test_a_server_that_wants_tls_says_so",
    UnknownHostError: "postgresql/failures/test_connections.py::test_an_unknown_host_is_told",
}
"""A test for each kind of a database that cannot be used: it names the kind, and provokes it in reality."""

URL_ = URL.create("postgresql+psycopg", "adk_user", "correct-horse", "db.example", 5432, "sessions")
REFUSED = 'connection failed: connection to server at "192.0.2.1", port 5432 failed: '


def kinds(kind: type[SessionDatabaseError]) -> Iterator[type[SessionDatabaseError]]:
    """A kind of error and all kinds of it."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds(narrower)


def test_every_kind_is_provoked() -> None:
    """A new kind needs a new test; each has an exit code of its own."""
    assert set(PROVOKED) == {kind for kind in kinds(DatabaseUnavailableError) if kind.__module__ == "app.errors"}
    assert len({kind.exit_code for kind in PROVOKED}) == len(PROVOKED)
    for kind, test in PROVOKED.items():
        file, _, name = test.partition("::")
        tree = ast.parse((BACKENDS / file).read_text())
        (found,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
        assert kind.__name__ in {node.id for node in ast.walk(found) if isinstance(node, ast.Name)}, test


@pytest.fixture
def german(place: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagedDatabase]:
    """A server that speaks German; glibc translates in every locale but C where LANGUAGE says so."""
    monkeypatch.setenv("LANGUAGE", "de")
    with Cluster.create(place(), binaries(15, print), settings={"lc_messages": "C.UTF-8"}) as cluster:
        try:
            cluster.execute("SELECT nothing")
        except psycopg.errors.UndefinedColumn as error:
            if "existiert nicht" not in str(error):
                pytest.skip("this PostgreSQL was installed without its German messages")
        yield managed(cluster, "sessions")


def test_a_server_in_another_language_is_told(german: ManagedDatabase, refused: Any, raised: Any) -> None:
    """By its own words where nothing else tells what happened; in the middle of work there is a code."""
    wrong = Target.of(german.admin.set(password="another-horse"))
    refused(wrong, DatabaseUnavailableError, "cannot be reached: Passwort-Authentifizierung")
    missing = Target.of(german.admin.set(database="misspelt"))
    refused(missing, DatabaseUnavailableError, "cannot be reached: Datenbank", "existiert nicht", command=False)

    german.cluster.execute("CREATE ROLE plain LOGIN PASSWORD 'change-me'")
    plain = Target.of(german.admin.set(username="plain", password="change-me"))
    raised(lambda: verbs.bootstrap(plain), plain, InsufficientRightsError, "keine Berechtigung")


def test_words_of_another_language_are_passed_on() -> None:
    """Without the address, which the message has already, in one line, and with the severity left out."""
    words = f"{REFUSED}FATAL:  Passwort-Authentifizierung für Benutzer »adk_user« fehlgeschlagen\nDETAIL:  Mehr."
    told = failures.meaning(psycopg.OperationalError(words), URL_)

    assert type(told) is DatabaseUnavailableError
    assert str(told) == (
        "expected to use the database sessions at db.example:5432, but it cannot be reached: "
        "Passwort-Authentifizierung für Benutzer »adk_user« fehlgeschlagen."
    )


def test_a_password_in_a_librarys_words_is_not_passed_on() -> None:
    """None is known to quote it; should one begin to, it stays hidden."""
    told = failures.meaning(psycopg.OperationalError(f"{REFUSED}nobody knows correct-horse"), URL_)

    assert "nobody knows ***" in str(told)


@pytest.mark.parametrize("name", ["timeout expired", "Connection refused", "certificate file", "too many connections"])
def test_names_are_not_read_as_reasons(server_database: ManagedDatabase, refused: Any, name: str) -> None:
    """Of a database here; a role's, a host's and a file's are quoted alike."""
    target = Target.of(server_database.admin.set(database=name))

    refused(target, MissingDatabaseError, f"the database {name} at", command=False)


def test_what_nobody_foresaw_is_one_line_without_the_servers_words(server_database: ManagedDatabase) -> None:
    """They may quote a row; the server's log has them."""
    with (
        pytest.raises(DatabaseUnavailableError, match=r"UndefinedColumn \(SQLSTATE 42703\)") as caught,
        connection.opened(server_database.admin, Waits()) as opened,
    ):
        opened.exec_driver_sql("SELECT nothing")

    assert "does not exist" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_silent_network_is_noticed(server_database: ManagedDatabase) -> None:
    """The operating system asks the other end, unless the URI has bounds of its own."""
    url = server_database.admin.update_query_dict({"keepalives_idle": "7"})
    with connection.opened(url, Waits(connect=3)) as opened:
        driver: Any = opened.connection.driver_connection
        asked = driver.info.get_parameters()

    assert (asked["keepalives_idle"], asked["tcp_user_timeout"], asked["connect_timeout"]) == ("7", "60000", "3")


def test_an_empty_database_is_no_failure(server_database: ManagedDatabase) -> None:
    """`verify` says what is missing, and how to make it."""
    with pytest.raises(VerificationError, match="session-db bootstrap"):
        verbs.verify(Target.of(server_database.admin))
