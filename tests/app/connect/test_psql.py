"""psql in the foreground: its exit codes, signals, secrets and certificates."""

import json
import os
import re
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app import environment
from app.connect import authority as certificates
from app.connect import session
from app.errors import InvalidSettingError
from rehearsal.managed import ManagedDatabase
from rehearsal.tls import Authority

SESSION = ("--through", "i-0123456789abcdef0")
QUERY = ("--", "--no-psqlrc", "-Atc", "SELECT 1")
LAST_RESORT = 60


@pytest.mark.parametrize(("sql", "code"), [("SELECT 1", 0), ("SELECT 1/0", 1), ("\\q 3", 0)])
def test_the_exit_code_is_that_of_psql(sql: str, code: int, place: Any) -> None:
    """Whatever it is."""
    assert place.run(*SESSION, "--", "--no-psqlrc", "-c", sql).returncode == code


def test_a_script_on_standard_input_is_psql_s(place: Any) -> None:
    """And 3 is what it ends with where a script fails."""
    command = place.command(*SESSION, "--", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-At")
    variables = place.variables

    done = subprocess.run(
        command, env=variables, input="SELECT 6*7;\nSELECT 1/0;\n", check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (3, "42\n")


@pytest.fixture
def sleeping(place: Any, server: ManagedDatabase) -> Iterator["subprocess.Popen[str]"]:
    """A psql that waits for the server, in a foreground of its own as in a terminal."""
    mark = secrets.token_hex(8)
    command = place.command(*SESSION, "--", "--no-psqlrc", "-c", f"SELECT pg_sleep({LAST_RESORT}), '{mark}'")
    process = subprocess.Popen(command, env=place.variables, stderr=subprocess.PIPE, text=True, process_group=0)
    query = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%{mark}%'"
    while server.cluster.execute(query) == [(0,)]:
        assert process.poll() is None, process.communicate()
    yield process
    process.terminate()
    process.communicate()


def test_ctrl_c_is_for_psql_alone(place: Any, sleeping: "subprocess.Popen[str]") -> None:
    """It ends the statement; the tunnel lives until psql has ended by itself, and no longer."""
    os.killpg(sleeping.pid, signal.SIGINT)

    _, said = sleeping.communicate(timeout=LAST_RESORT)

    assert sleeping.returncode == 1, said
    assert "canceling statement due to user request" in said
    assert place.running() == []


def test_who_ends_the_command_ends_psql_and_the_tunnel(
    place: Any, sleeping: "subprocess.Popen[str]", server: ManagedDatabase
) -> None:
    """With SIGTERM, as a supervisor does; the private folder goes, too."""
    temporary = place.folder / "tmp"
    assert [each.name[:19] for each in temporary.iterdir()] == ["session-db-connect-"]

    sleeping.send_signal(signal.SIGTERM)
    sleeping.communicate(timeout=LAST_RESORT)

    assert sleeping.returncode == 128 + signal.SIGTERM
    assert place.running() == []
    assert list(temporary.iterdir()) == []
    assert server.cluster.running


def test_nobody_else_can_read_the_password(
    place: Any, sleeping: "subprocess.Popen[str]", seen: Callable[[], str]
) -> None:
    """Not in any command line; the environment that has it is psql's alone, and closed to others."""
    (psql,) = (
        process.parent
        for process in Path("/proc").glob("[0-9]*/cmdline")
        if process.parent.joinpath("stat").exists() and _child_of(process.parent, sleeping.pid)
        if b"pg_sleep" in process.read_bytes()
    )

    assert "p@ss" not in seen()
    assert b"PGPASSWORD=p@ss" in (psql / "environ").read_bytes()
    assert (psql / "environ").stat().st_mode & 0o777 == 0o400
    assert '"secret": null' in (place.folder / "calls").read_text()


def _child_of(process: Path, parent: int) -> bool:
    return int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1]) == parent


_TELLING = """
import json, os, sys
print(json.dumps(dict(os.environ)))
"""

OURS = dict.fromkeys(
    ("SESSION_DB_URI", "SESSION_DB_PASSWORD", "ADMIN_DB_URI", "ADMIN_DB_PASSWORD", "API_TOKEN", "PGADMIN_PASSWORD"),
    "postgresql://example",
)
CLOUDS = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS"), "example")
PSQL_S = {
    "PGOPTIONS": "-csearch_path=public",
    "PSQL_EDITOR": "vi",
    "PAGER": "less",
    "LC_ALL": "C.UTF-8",
    "TERM": "xterm",
}


def test_psql_inherits_what_it_needs_and_no_secret_of_others(place: Any) -> None:
    """What it runs, a pager or an editor, inherits that in turn; the tunnel gets the cloud's login, and not ours."""
    program = place.folder / "bin" / "psql"
    program.unlink()
    program.write_text(f"#!{sys.executable}\n{_TELLING}")
    program.chmod(0o755)
    place.environ |= OURS | CLOUDS | PSQL_S

    done = place.run(*SESSION)

    inherited = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert not inherited.keys() & (OURS | CLOUDS).keys()
    assert inherited.items() >= PSQL_S.items()
    assert {"PATH", "HOME", "PGPASSWORD"} <= inherited.keys()
    (tunnel,) = (json.loads(line)["names"] for line in (place.folder / "calls").read_text().splitlines())
    assert set(tunnel) >= CLOUDS.keys()
    assert not set(tunnel) & {*OURS, "PGPASSWORD"}


def test_who_gives_out_the_password_gets_none_of_ours(place: Any) -> None:
    """The cloud's own command line needs its own login alone."""
    place.record["auth"] = "iam"
    place.uri(password=None, sslmode="verify-full")
    place.environ |= OURS | CLOUDS | {"STAND_IN_PASSWORD": "p@ss word'\\:/%d#"}

    assert place.run(*SESSION, *QUERY).returncode == 0

    names = json.loads((place.folder / "calls").read_text().splitlines()[0])["names"]
    assert set(names) >= CLOUDS.keys()
    assert not set(names) & OURS.keys()


def test_the_owner_is_not_replaced_by_the_app_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the owner and gets another role finds out by a statement that fails, or not at all."""
    monkeypatch.setenv("SESSION_DB_URI", "postgresql://adk_user:change-me@db.example.org/adk_sessions")
    monkeypatch.delenv("ADMIN_DB_URI", raising=False)
    monkeypatch.setattr(environment, "_FILES", ())

    with pytest.raises(InvalidSettingError, match=r"^expected ADMIN_DB_URI .* For example ADMIN_DB_URI=postgresql://"):
        session.database(None, rehearse=False, owner=True)

    monkeypatch.setenv("ADMIN_DB_URI", "postgresql://postgres:change-me@db.example.org/adk_sessions")
    assert session.database(None, rehearse=False, owner=True)[0].username == "postgres"


def test_the_owner_of_a_file_is_whoever_opens_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SQLite has no roles."""
    monkeypatch.setenv("SESSION_DB_URI", f"sqlite:///{tmp_path / 'sessions.db'}")

    assert session.database(None, rehearse=False, owner=True)[0].database == str(tmp_path / "sessions.db")


def test_the_help_has_psql_s_exit_codes(place: Any) -> None:
    """A script that fails ends with 3, which elsewhere is another's data."""
    helped = place.run("--help").stdout

    assert re.search(r"^ +3 +a script failed", helped, re.MULTILINE)
    assert "somebody else's data" not in helped
    assert re.search(r"^ +10 +the host is unknown$", helped, re.MULTILINE)


@pytest.mark.parametrize(
    ("backend", "program", "options"),
    [
        ("aws", "psql", SESSION),
        ("aws", "aws", SESSION),
        ("aws", "session-manager-plugin", SESSION),
        ("aws", "ssh", ("--through", "ec2-user@i-0123456789abcdef0")),
        ("gcp", "cloud-sql-proxy", ()),
        ("gcp", "gcloud", ("--through", "europe-west3-a/jump")),
    ],
)
def test_a_missing_program_is_one_line_before_anything_runs(
    backend: str, program: str, options: tuple[str, ...], place: Any
) -> None:
    """With how to install it."""
    place.record |= {"backend": backend, "instance": "example-project:europe-west3:sessions"}
    place.uri(port=1, sslmode="verify-full", hostaddr="127.0.0.1")
    place.without(program)

    done = place.run(*options, *QUERY)

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: expected the program {program} on PATH. To install it: ")
    assert len(done.stderr.splitlines()) == 1
    assert place.calls() == []


def test_a_tunnel_that_ends_at_once_says_why(place: Any) -> None:
    """In its own last words."""
    place.environ["STAND_IN_FAILS"] = "yes"

    done = place.run(*SESSION, *QUERY)

    assert done.returncode == 4
    expected = "error: expected aws to open the way, but it ended with 1: ExpiredToken: log in again"
    assert done.stderr.splitlines()[1:] == [expected]


def test_the_commands_can_be_read_without_running_any(place: Any) -> None:
    """For whoever wants to run them by hand; they have no password, and say where it is."""
    done = place.run("--print", *SESSION, *QUERY)

    assert (done.returncode, done.stderr) == (0, "")
    ca, tunnel, psql = done.stdout.splitlines()
    assert ca == ".venv/bin/python -m infra outputs --stack prod --json | jq -r .outputs.ca_certificate > ca.pem"
    assert tunnel.startswith("aws ssm start-session --region eu-central-1 --target i-0123456789abcdef0 ")
    assert tunnel.endswith(" &")
    assert psql.startswith("psql '--dbname=host=db.example.org port=")
    assert "sslrootcert=ca.pem' --no-psqlrc -Atc 'SELECT 1'" in psql
    assert psql.endswith("  # it asks for the password, which is in arn:aws:secret")
    assert "p@ss" not in done.stdout
    assert place.calls() == []


TOKENS = {
    "aws": "aws rds generate-db-auth-token --region eu-central-1 "
    "--hostname db.example.org --port 5432 --username master",
    "azure": "az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv",
    "gcp": "gcloud sql generate-login-token",
}


@pytest.mark.parametrize("backend", list(TOKENS))
def test_a_token_is_asked_of_the_cloud_where_roles_have_no_password(backend: str, place: Any) -> None:
    """For the server's own name, whatever the way to it; what is printed asks the same."""
    place.record |= {"backend": backend, "auth": "iam", "instance": "example-project:europe-west3:sessions"}
    place.uri(password=None, sslmode="verify-full")
    place.environ["STAND_IN_PASSWORD"] = "p@ss word'\\:/%d#"
    by_ssh = ("--through", "jump.example.org")

    done = place.run(*by_ssh, *QUERY)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert " ".join(place.calls()[0]) == TOKENS[backend]
    assert f'PGPASSWORD="$({TOKENS[backend]})" psql ' in place.run("--print", *by_ssh).stdout


def test_the_owner_s_password_is_asked_of_rds_which_keeps_it(place: Any) -> None:
    """In a secret whose name RDS alone knows."""
    place.uri(password=None, sslmode="verify-full")
    place.environ["STAND_IN_PASSWORD"] = "p@ss word'\\:/%d#"

    done = place.run("--owner", *SESSION, *QUERY)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    asked, secret, _tunnel = (" ".join(call) for call in place.calls())
    assert asked.endswith("--db-instance-identifier sessions")
    assert secret.endswith("--secret-id arn:aws:secretsmanager:eu-central-1:1:secret:rds!db-1")


def test_no_login_to_the_cloud_is_one_line(place: Any) -> None:
    """Before any tunnel."""
    place.record["auth"] = "iam"
    place.uri(password=None)
    place.environ["STAND_IN_FAILS"] = "yes"

    done = place.run(*SESSION, *QUERY)

    assert done.returncode == 4
    assert done.stderr == (
        "error: expected a password from `aws rds generate-db-auth-token`, but: ExpiredToken: log in again. "
        "Log in to the cloud first\n"
    )


class _Bundle(BaseHTTPRequestHandler):
    """Serves the CA's certificates."""

    pem = b""

    def do_GET(self) -> None:
        """Whatever is asked for."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.pem)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class's word.
        """Nothing."""


@pytest.fixture
def published(authority: Authority, tmp_path: Path) -> Iterator[str]:
    """Where the CA's certificates can be downloaded, as AWS publishes its own."""
    root = authority.write_root(tmp_path / "published.pem")
    certificate = authority.issue()
    both = tmp_path / "web.pem"
    both.write_text(certificate.key + certificate.chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    handler = type("Handler", (_Bundle,), {"pem": root.read_bytes()})
    with HTTPServer(("127.0.0.1", 0), handler) as web:
        web.socket = context.wrap_socket(web.socket, server_side=True)
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{web.server_port}/bundle.pem"
        web.shutdown()
        thread.join()


def test_certificates_that_are_published_are_fetched(place: Any, published: str, tmp_path: Path) -> None:
    """As of RDS, whose URI names no file."""
    place.record["ca_certificate"] = published
    place.environ["SSL_CERT_FILE"] = str(tmp_path / "published.pem")

    done = place.run(*SESSION, *QUERY)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert place.run("--print", *SESSION).stdout.startswith(f"curl -sSfo ca.pem {published}\naws ssm ")


def test_certificates_that_cannot_be_fetched_are_one_line(place: Any, published: str) -> None:
    """As from a network without the internet."""
    place.record["ca_certificate"] = published

    done = place.run(*SESSION, *QUERY)

    assert done.returncode == 4
    assert done.stderr.startswith(f"error: expected the CA's certificates at {published}, but: ")
    assert len(done.stderr.splitlines()) == 1
    assert place.calls() == []


@pytest.mark.parametrize(("version", "system"), [("16.4", True), ("18beta1", True), ("15.18 (Debian 15.18-0)", False)])
def test_an_older_psql_gets_the_system_s_bundle_by_its_path(version: str, system: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """It does not know the word `system` (PostgreSQL 16, "Release Notes")."""
    psql = tmp_path / "psql"
    psql.write_text(f"#!/bin/sh\necho 'psql (PostgreSQL) {version}'\n")
    psql.chmod(0o755)

    (told,) = certificates.words("system", tmp_path, str(psql)).values()

    assert (told == "system") == system
    assert system or "-----BEGIN CERTIFICATE-----" in Path(told).read_text()


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs SQLite's own command line")
def test_a_file_is_opened_with_sqlite3(place: Any, database: Path) -> None:
    """There is no server to go to."""
    place.record |= {"backend": "sqlite"} | dict.fromkeys(("session_db_uri", "admin_db_uri"), f"sqlite:///{database}")
    (place.folder / "bin" / "sqlite3").symlink_to(str(shutil.which("sqlite3")))

    done = place.run("--", "SELECT count(*) FROM sessions")

    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert place.run("--print").stdout == f"sqlite3 {database}\n"
    assert place.run("--through", "jump").returncode == 2
    database.unlink()
    assert place.run().returncode == 16
