"""Places for databases, servers that tests may stop, and a way to them that loses answers; no settings of one's own."""

import contextlib
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app import dsn
from app.backends.interface import Target
from app.environment import ROOT
from app.stack import Record
from app.verbs import bootstrap
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.controlplane import client
from rehearsal.ground import ground as fresh_ground

Query = Callable[[Path, str], list[Any]]
Start = Callable[[], tuple["subprocess.Popen[str]", str]]
SessionDb = Callable[..., "subprocess.CompletedProcess[str]"]


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """The user of a container, as far as files go; whoever is not root has no rights to give up."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


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


class Proxy:
    """Passes PostgreSQL's protocol on, and swallows the answers to commits when told to.

    Attributes:
        port: Where it listens on the loopback address.
        lose: How many answers to commits are still to be lost, the connection with them.
        lost: How many were.
        farewell: What a client hears in place of each answer that is lost.
        silent: Whether nothing is answered any more, as by a server that hangs; its connections stay.
    """

    def __init__(self, port: int) -> None:
        """Listen in front of the server at a port."""
        self._server = port
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self._sockets[0].getsockname()[1]
        self.lose = 0
        self.lost = 0
        self.farewell = b""
        self.silent = False
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        """End everything."""
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        listener = self._sockets[0]
        while True:
            try:
                client, _ = listener.accept()
                self._sockets.append(client)  # Before the server is asked, which may not be there any more.
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                return
            self._sockets.append(server)
            losing = threading.Event()
            self._run(self._ask, client, server, losing)
            self._run(self._answer, server, client, losing)

    def _ask(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        while data := _received(client):
            if self.lose and b"COMMIT" in data:
                self.lose -= 1
                losing.set()
            _send(server, data)
        _end(server)

    def _answer(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        while data := _received(server):
            if losing.is_set():  # The server has answered, so it has committed.
                self.lost += 1
                _send(client, self.farewell)
                break
            if not self.silent:
                _send(client, data)
        _end(client)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # The other side may have been first.
        each.shutdown(socket.SHUT_RDWR)


def _send(sink: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sink.sendall(data)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


@pytest.fixture(scope="module")
def cluster(ground: Path) -> Iterator[Cluster]:
    """A server of the module's own, which its tests stop and freeze."""
    with Cluster.create(ground / secrets.token_hex(4), binaries(15, print)) as cluster:
        yield cluster


@pytest.fixture
def proxied() -> Iterator[Callable[[URL], Proxy]]:
    """Gives proxies in front of the servers of databases."""
    with contextlib.ExitStack() as stack:

        def make(url: URL) -> Proxy:
            made = Proxy(url.port or 0)
            stack.callback(made.close)
            return made

        yield make


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "aws": {
        "multiAz": True,
        "deletionProtection": True,
        "backupRetentionPeriod": 7,
        "vpcSecurityGroupIds": ["sg-1"],
        "dbSubnetGroupName": "sessions",
    },
    "gcp": {
        "project": "example-project",
        "settings": {
            "availabilityType": "REGIONAL",
            "deletionProtectionEnabled": True,
            "backupConfiguration": {"enabled": True, "pointInTimeRecoveryEnabled": True},
            "ipConfiguration": {"ipv4Enabled": False, "privateNetwork": "projects/example-project/global/networks/n"},
        },
    },
    "azure": {
        "resourceGroupName": "sessions",
        "location": "germanywestcentral",
        "highAvailability": {"mode": "ZoneRedundant"},
    },
}
"""What each cloud's program asks for: the inputs of the server's resource."""


@pytest.fixture(scope="session")
def rehearsal_folder() -> Iterator[Path]:
    """The folder of a rehearsal; at the end nothing of it runs any more."""
    with fresh_ground() as folder:
        yield folder
        client.stop(folder)


@pytest.fixture(scope="session")
def deployed(rehearsal_folder: Path) -> Callable[[str], Record]:
    """Gives the record of a cloud's stack: a rehearsal's server with a standby, and a bootstrapped database on it."""
    made: dict[str, Record] = {}

    def give(cloud: str) -> Record:
        if cloud not in made:
            made[cloud] = _deployed(cloud, rehearsal_folder)
            bootstrap(Target.of(dsn.parse(made[cloud].text("session_db_uri"))))
        return made[cloud]

    return give


def _deployed(cloud: str, folder: Path) -> Record:
    plane = client.connect(folder)
    asked = {"owner": "adk_owner", "password": "change-me", "database": "adk", "version": "17", "storage_gib": 20}
    name = f"sessions-{cloud}"
    server = plane.call("servers.create", cloud=cloud, name=name, standby=True, attributes=ATTRIBUTES[cloud], **asked)
    reach = folder / "reach.json"
    known = json.loads(reach.read_text())
    query = {"sslmode": "verify-full", "hostaddr": "127.0.0.1", "sslrootcert": known["ca"]}
    port = known["hosts"][server["host"]]["port"]
    uri = URL.create("postgresql+psycopg", "adk_owner", "change-me", server["host"], port, "adk", query)
    text = uri.render_as_string(hide_password=False)
    instance = f"example-project:{server['region']}:{name}" if cloud == "gcp" else name
    outputs = {"backend": cloud, "region": server["region"], "instance": instance, "servers": {"g1": {}}}
    return Record("prod", outputs | {"session_db_uri": text, "admin_db_uri": text}, plane.url, reach)
