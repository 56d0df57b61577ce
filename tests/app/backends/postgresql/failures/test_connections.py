"""A server that cannot be reached, or that lets nobody in."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL

from app import verbs
from app.backends.interface import Target, Waits
from app.errors import (
    AuthenticationError,
    ClosedPortError,
    DatabaseUnavailableError,
    InsufficientRightsError,
    InvalidUriError,
    MissingDatabaseError,
    NotReadyError,
    UnknownHostError,
)
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed

VERSIONS = pytest.mark.parametrize(
    ("postgresql", "command"), [(15, True), (16, False), (18, False)], indirect=["postgresql"]
)
"""Servers of every version have to say the same; the real command is tried on one."""

Sql = Callable[[str], list[tuple[Any, ...]]]
Stranger = Callable[[bytes], int]


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """Starts something that is no PostgreSQL: it answers every connection with the bytes and closes it."""
    servers = []

    def serve(server: socket.socket, answer: bytes) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                if answer:
                    client.recv(1024)
                    client.sendall(answer)

    def start(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(server, answer), daemon=True)
        thread.start()
        servers.append((server, thread))
        port: int = server.getsockname()[1]
        return port

    yield start
    for server, thread in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@VERSIONS
@pytest.mark.parametrize("wrong", ["password", "role", "nologin"])
def test_who_is_not_known_is_told_so(
    server_database: ManagedDatabase, sql: Sql, refused: Any, unchanged: Any, wrong: str, *, command: bool
) -> None:
    """A wrong password, a missing role, and a role that may not log in; the message names the role."""
    secret = secrets.token_urlsafe(24)
    role = f"role_{secrets.token_hex(4)}"
    if wrong == "nologin":
        sql(f"CREATE ROLE {role} NOLOGIN PASSWORD '{secret}'")
    url = server_database.admin.set(password=secret)
    url = url if wrong == "password" else url.set(username=role)

    with unchanged():
        refused(Target.of(url), AuthenticationError, f"as {url.username}", "does not accept", "%40", command=command)


def test_the_app_roles_password_is_tried_too(target: Target, refused: Any) -> None:
    """The administrator's is right; `verify` works as both, and names the one that fails."""
    verbs.bootstrap(target)
    wrong = Target(target.app.set(password=secrets.token_urlsafe(24)), target.owner)

    refused(wrong, AuthenticationError, f"as {target.app.username}", verbs=("verify",))


@pytest.mark.parametrize("host", ["db.invalid", "db..example.org", f"{'a' * 64}.example.org"])
def test_an_unknown_host_is_told(server_database: ManagedDatabase, refused: Any, host: str) -> None:
    """Also a name that no host can have."""
    target = Target.of(server_database.admin.set(host=host))

    refused(target, UnknownHostError, f"at {host}:", "Check its spelling")


@pytest.mark.parametrize("way", ["port", "socket"])
def test_a_closed_port_is_told(server_database: ManagedDatabase, refused: Any, tmp_path: Path, way: str) -> None:
    """And a socket that is not there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # Taken, so that nobody else listens there, and not listening itself.
        admin = server_database.admin
        url = admin.set(port=held.getsockname()[1])
        if way == "socket":
            url = URL.create(**{**admin._asdict(), "host": None, "port": None, "query": {"host": str(tmp_path)}})
        refused(Target.of(url), ClosedPortError, "nothing answers there", "firewall")


def test_a_port_that_never_answers_is_given_up(server_database: ManagedDatabase, refused: Any, raised: Any) -> None:
    """It accepts, as a firewall or a hanging proxy does; the wait ends by `Waits.connect` or the URI's own bound."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = server_database.admin.set(port=silent.getsockname()[1])
        target = Target(url, url, waits=Waits(connect=2))

        for verb in (verbs.plan, verbs.bootstrap, verbs.differences, verbs.verify):
            raised(lambda verb=verb: verb(target), target, ClosedPortError, "nothing answers there")
        refused(Target.of(url.update_query_dict({"connect_timeout": "2"})), ClosedPortError, "nothing answers there")


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_something_else_than_postgresql_is_told(
    server_database: ManagedDatabase, refused: Any, stranger: Stranger, mode: str
) -> None:
    """For example a web server."""
    url = server_database.admin.set(port=stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    target = Target.of(url.update_query_dict({"sslmode": mode}))

    refused(target, DatabaseUnavailableError, "something else than PostgreSQL")


def test_a_proxy_that_hangs_up_is_told(server_database: ManagedDatabase, refused: Any, stranger: Stranger) -> None:
    """Nothing was begun, so nothing is said of work that was undone."""
    target = Target.of(server_database.admin.set(port=stranger(b"")))

    refused(target, ClosedPortError, "closes the connection at once", "proxy")


@VERSIONS
def test_a_missing_database_is_told(server_database: ManagedDatabase, refused: Any, *, command: bool) -> None:
    """By its name."""
    target = Target.of(server_database.admin.set(database="mispelt"))

    refused(target, MissingDatabaseError, "the database mispelt at", "Create it there", command=command)


@VERSIONS
def test_a_role_without_connect_is_told(
    server_database: ManagedDatabase, sql: Sql, refused: Any, unchanged: Any, *, command: bool
) -> None:
    """Its password is right, so it is no matter of passwords."""
    role, secret = f"role_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    sql(f"CREATE ROLE {role} LOGIN PASSWORD '{secret}'")
    sql(f"REVOKE CONNECT ON DATABASE {server_database.name} FROM PUBLIC")

    with unchanged():
        target = Target.of(server_database.admin.set(username=role, password=secret))
        refused(target, InsufficientRightsError, f"as {role}", "GRANT CONNECT", command=command)


@VERSIONS
def test_a_database_closed_for_everybody_is_told(
    server_database: ManagedDatabase, refused: Any, *, command: bool
) -> None:
    """As before a restore."""
    name = Identifier(server_database.name)
    server_database.cluster.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))

    refused(Target.of(server_database.admin), DatabaseUnavailableError, "closed for everybody", command=command)


@VERSIONS
@pytest.mark.parametrize("what", ["ROLE", "DATABASE"])
def test_a_connection_limit_is_told(
    server_database: ManagedDatabase, sql: Sql, refused: Any, what: str, *, command: bool
) -> None:
    """Of the role or of the database."""
    sql(f"ALTER {what} {server_database.admin.username if what == 'ROLE' else server_database.name} CONNECTION LIMIT 0")

    refused(
        Target.of(server_database.admin),
        NotReadyError,
        "no connection left",
        "CONNECTION LIMIT",
        command=command,
    )


@pytest.mark.parametrize("major", [15, 16, 18])
def test_too_many_connections_are_told(place: Any, refused: Any, major: int) -> None:
    """First those for ordinary roles are used up, then all."""
    few = {"max_connections": "4", "superuser_reserved_connections": "1", "max_wal_senders": "0"}
    with Cluster.create(place(), binaries(major, print), settings=few) as cluster, contextlib.ExitStack() as held:
        made = managed(cluster, "sessions")
        for url in (made.admin, made.superuser):
            text = url.set(drivername="postgresql").render_as_string(hide_password=False)
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    held.enter_context(psycopg.connect(text))
            refused(
                Target.of(made.admin),
                NotReadyError,
                "no connection left",
                "max_connections",
                command=major == 15 and url == made.admin,
            )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"connect_timeout": "soon"}, "connect_timeout"),
        ({"gssencmode": "maybe"}, "gssencmode"),
        ({"sslmode": "require", "sslrootcert": "system"}, "weak sslmode"),
    ],
)
def test_a_uri_that_libpq_does_not_take_is_told(
    server_database: ManagedDatabase, refused: Any, query: dict[str, str], words: str
) -> None:
    """As a setting to change, not as a server out of reach."""
    refused(Target.of(server_database.admin.update_query_dict(query)), InvalidUriError, words)
