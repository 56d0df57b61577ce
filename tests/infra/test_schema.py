"""After a deployment the bootstrapper gets what it needs by environment, or is left for later with the reason."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import OutputValue

from infra import schema
from infra.deploy import Result
from infra.errors import SchemaError

URI = "postgresql+psycopg://adk_user:change-me@{host}:{port}/adk_sessions?sslmode=verify-full"


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of something on this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def unreachable() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Runs:
    """Keeps each run of the bootstrapper instead of running it."""

    def __init__(self) -> None:
        """Succeed until told otherwise."""
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.code = 0

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Answer as the bootstrapper would."""
        self.commands.append(command)
        self.environments.append(options["env"])
        return subprocess.CompletedProcess(command, self.code, '{"kind": "answer"}', "")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    """Nothing is really run, and files go to a folder of the test's own."""
    made = Runs()
    monkeypatch.setattr(subprocess, "run", made)
    monkeypatch.setattr(schema, "STATE", tmp_path)
    return made


def result(**outputs: Any) -> Result:
    """What `up` exported on a cloud with passwords."""
    values: dict[str, Any] = {"backend": "gcp", "auth": "password", "host": "127.0.0.1", "port": 1}
    values |= {"ca_certificate": "", **outputs}
    uri = URI.format(host=values["host"], port=int(values["port"]))
    values = {"session_db_uri": uri, "admin_db_uri": uri.replace("adk_user", "adk_owner")} | values
    return Result("up", "prod", outputs={name: OutputValue(each, secret=False) for name, each in values.items()})


def test_a_reachable_server_is_bootstrapped_and_verified(runs: Runs, listening: int) -> None:
    """The URIs travel by environment alone, and the stack's own role gets the stack's password."""
    answers = schema.bootstrap(result(port=float(listening)), pytest.fail, asked=None, as_json=True)

    assert [command[3:] for command in runs.commands] == [
        ["bootstrap", "--set-password", "--json"],
        ["verify", "--json"],
    ]
    assert set(answers) == {"bootstrap", "verify"}
    assert "change-me" not in str(runs.commands)
    for environment in runs.environments:
        assert "adk_user:change-me" in environment["SESSION_DB_URI"]
        assert "adk_owner:change-me" in environment["ADMIN_DB_URI"]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [({}, "cannot be reached from here"), ({"auth": "iam"}, "tokens of the cloud")],
)
def test_a_server_in_a_network_of_its_own_is_left_for_later(
    runs: Runs, unreachable: int, outputs: dict[str, Any], reason: str
) -> None:
    """With the command that does it there; no failure, as the stack itself is well."""
    said: list[str] = []

    assert schema.bootstrap(result(port=unreachable, **outputs), said.append, asked=None, as_json=True) == {}

    assert runs.commands == []
    assert reason in said[0]
    assert "session-db bootstrap --stack prod" in said[0]


def test_an_owner_whose_password_the_cloud_keeps_is_left_to_who_has_it(runs: Runs, listening: int) -> None:
    """Amazon RDS keeps and changes it, so the record has none to log in with."""
    said: list[str] = []
    uri = f"postgresql+psycopg://adk_owner@127.0.0.1:{listening}/adk_sessions"

    assert schema.bootstrap(result(port=listening, admin_db_uri=uri), said.append, asked=None, as_json=True) == {}

    assert runs.commands == []
    assert "PGPASSWORD" in said[0]


def test_whoever_insists_gets_the_bootstrappers_own_answer(runs: Runs, unreachable: int) -> None:
    """Its words and its exit code."""
    runs.code = 11

    with pytest.raises(SchemaError) as caught:
        schema.bootstrap(result(port=unreachable), pytest.fail, asked=True, as_json=True)

    assert (caught.value.code, caught.value.answer) == (11, '{"kind": "answer"}')


def test_a_server_that_somebody_else_runs_keeps_its_passwords(runs: Runs, unreachable: int) -> None:
    """And its being away is a failure, not a reason to wait."""
    schema.bootstrap(result(backend="postgres", port=unreachable), pytest.fail, asked=None, as_json=False)

    assert [command[3:] for command in runs.commands] == [["bootstrap"], ["verify"]]


def test_a_certificate_in_the_record_is_what_the_server_is_checked_against(
    runs: Runs, listening: int, tmp_path: Path
) -> None:
    """As a file, since libpq reads no other form."""
    certificate = "-----BEGIN CERTIFICATE-----\nexample\n"

    schema.bootstrap(result(port=listening, ca_certificate=certificate), pytest.fail, asked=None, as_json=False)

    file = Path(runs.environments[0]["PGSSLROOTCERT"])
    assert file == tmp_path / "ca" / "prod.pem"
    assert file.read_text() == certificate
