"""A real server with TLS, stacks that export it, and stand-ins for the clouds' programs that really pass bytes on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app.environment import ROOT
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed
from rehearsal.tls import Authority

HOST = "db.example.org"
PASSWORD = "p@ss word'\\:/%d#"

_STAND_IN = Path(__file__).with_name("stand_in.py")
_PROGRAMS = ("cloud-sql-proxy", "gcloud", "aws", "session-manager-plugin", "az", "ssh")

_MAIN = """
import sys
from pathlib import Path
from app import stack
stack.ROOT = Path(sys.argv.pop(1))
from app.cli import main
main()
"""

_INFRA = """
import json, sys
from pathlib import Path
assert sys.argv[1:6] == ['outputs', '--stack', 'prod', '--json', '--show-secrets']
print(Path(__file__).with_name('record.json').read_text())
"""


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Who issues the server's certificate."""
    return Authority()


@pytest.fixture(scope="session")
def server(ground: Path, authority: Authority) -> Iterator[ManagedDatabase]:
    """A database on a server whose certificate names HOST alone."""
    with Cluster.create(ground / "connect", binaries(15, print), tls=authority.issue(HOST)) as cluster:
        yield managed(cluster, "sessions", password=PASSWORD)


@dataclass
class Place:
    """A project whose one stack exports what a test wants, and a PATH with nothing but stand-ins and psql.

    Attributes:
        folder: Of the project, and what the stand-ins write.
        port: Where the server listens.
        record: The outputs.
        extra: What stands beside them.
        environ: More for the process.
    """

    folder: Path
    port: int
    record: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    def uri(self, *, host: str = HOST, port: int = 5432, password: str | None = PASSWORD, **words: str) -> None:
        """Let the stack export a URI of both roles."""
        url = URL.create("postgresql+psycopg", "master", password, host, port, "sessions", words)
        text = url.render_as_string(hide_password=False)
        self.record |= {"session_db_uri": text, "admin_db_uri": text}

    def command(self, *arguments: str) -> list[str]:
        """The command line of `session-db connect --stack prod`."""
        text = json.dumps({"outputs": self.record} | self.extra)
        (self.folder / "infra" / "record.json").write_text(text)
        return [sys.executable, "-c", _MAIN, str(self.folder), "connect", "--stack", "prod", *arguments]

    @property
    def variables(self) -> dict[str, str]:
        """The environment of that."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SESSION_DB", "ADMIN"))}
        told = {"PATH": str(self.folder / "bin"), "STAND_IN": f"{self.folder}:{self.port}", "PYTHONPATH": str(ROOT)}
        return kept | told | {"TMPDIR": str(self.folder / "tmp")} | self.environ

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it to its end; never a traceback, and never the password."""
        done = subprocess.run(
            self.command(*arguments), env=self.variables, check=False, capture_output=True, text=True, cwd=self.folder
        )
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stderr
        return done

    def calls(self) -> list[list[str]]:
        """The command lines of the stand-ins that were started, each with its program's name, in their order."""
        file = self.folder / "calls"
        return [json.loads(line)["argv"] for line in file.read_text().splitlines()] if file.exists() else []

    def running(self) -> list[int]:
        """The stand-ins that still run."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        pids = [int(json.loads(line)["pid"]) for line in lines]
        return [pid for pid in pids if Path(f"/proc/{pid}").exists()]

    def without(self, program: str) -> None:
        """Take a program off PATH."""
        (self.folder / "bin" / program).unlink()


@pytest.fixture
def place(tmp_path: Path, server: ManagedDatabase, authority: Authority) -> Iterator[Place]:
    """A stack on AWS whose server is out of reach but by a tunnel; what a failed test has left running is ended."""
    for folder in ("bin", "infra", "tmp"):
        (tmp_path / folder).mkdir()
    for name in _PROGRAMS:
        program = tmp_path / "bin" / name
        program.write_text(f"#!{sys.executable}\n{_STAND_IN.read_text()}")
        program.chmod(0o755)
    (tmp_path / "bin" / "psql").symlink_to(binaries(15, print) / "psql")
    (tmp_path / "infra" / "__init__.py").touch()
    (tmp_path / "infra" / "__main__.py").write_text(_INFRA)
    root = authority.write_root(tmp_path / "root.pem").read_text()
    record = {"backend": "aws", "region": "eu-central-1", "instance": "sessions", "auth": "password"}
    made = Place(tmp_path, server.cluster.port, record | {"ca_certificate": root, "secret_ref": "arn:aws:secret"})
    made.uri(sslmode="verify-full")
    yield made
    for pid in made.running():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def seen() -> Callable[[], str]:
    """Everything that every user of the machine can read of its processes."""

    def read() -> str:
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # It has ended.
                continue
        return "\n".join(found)

    return read
