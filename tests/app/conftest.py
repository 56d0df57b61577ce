"""A place for a database, a bootstrapped one, and what is in it; nothing of the developer's own settings."""

import json
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
from app.stack import Record
from app.verbs import bootstrap
from rehearsal.controlplane import client
from rehearsal.ground import ground

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
    with ground() as folder:
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
