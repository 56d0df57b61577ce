"""When `session-db serve` does not start: told in one line, before ADK is loaded and before anything is made."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.environment import ROOT

NOWHERE = "postgresql://adk_user:change-me@127.0.0.1:9/adk_sessions"


def serve(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a server that cannot start, and tell on standard error what Python loads for it."""
    command = [sys.executable, "-X", "importtime", "-m", "app.cli", "serve", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, check=False, timeout=60, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    loaded = {line.rsplit("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "app.serve" in loaded or "app.environment" in loaded
    assert not any(name.startswith("google.adk") for name in loaded)
    return done


def errors(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """What is for people on standard error."""
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def test_a_port_that_is_taken_is_told_before_adk_loads(path: Path) -> None:
    """And before the database is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve("--port", str(port), SESSION_DB_URI=f"sqlite:///{path}")

    assert done.returncode == 4
    (error,) = errors(done)
    assert error.startswith(f"error: expected to listen on 127.0.0.1:{port}, but Address already in use.")
    assert f"--port {port + 1}, or make serve PORT={port + 1}" in error
    assert not path.exists()


@pytest.mark.parametrize("port", ["abc", "99999", "-1"])
def test_a_port_that_is_none_is_told_with_an_example(port: str, path: Path) -> None:
    """Whichever of both ways somebody gave it."""
    done = serve("--port", port, SESSION_DB_URI=f"sqlite:///{path}")

    assert done.returncode == 2
    assert f"expected 0 to 65535, for example --port 8001 or make serve PORT=8001, not {port}" in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "passed"), [(["PORT=8001"], "--port 8001"), (["STACK=dev"], "--stack dev"), ([], "")]
)
def test_make_serve_passes_on_what_is_given(words: list[str], passed: str) -> None:
    """And nothing else, so that the command's own defaults count."""
    command = ["make", "--dry-run", "--no-print-directory", "serve", *words]
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )

    assert done.stdout.split() == ["scripts/start_adk_api_server.sh", *passed.split()]


@pytest.mark.parametrize(("word", "right"), [("stack=staging", "STACK=staging"), ("port=1", "PORT=1")])
def test_make_takes_no_variable_in_small_letters(word: str, right: str) -> None:
    """It would pass over it, and `make destroy stack=staging` would take dev down."""
    command = ["make", "--dry-run", "--no-print-directory", "serve", word]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )

    assert done.returncode == 2
    assert f"expected {right}, in capital letters" in done.stderr


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "example.org", ""])
def test_an_address_that_others_can_reach_is_refused(host: str, path: Path) -> None:
    """ADK's routes have no authentication."""
    done = serve("--host", host, "--port", "0", SESSION_DB_URI=f"sqlite:///{path}")

    assert done.returncode == 2
    (error,) = errors(done)
    assert error.startswith("error: expected a loopback address")
    assert "--host 127.0.0.1" in error
    assert not path.exists()


@pytest.mark.parametrize("setting", ["SESSION_DB_PASSWORD_FILE", "SESSION_DB_PASSWORD_SECRET"])
def test_a_password_of_no_server_is_refused(setting: str, path: Path) -> None:
    """Else the sessions would go into a file of this machine, and nobody would notice."""
    done = serve("--port", "0", SESSION_DB_URI=f"sqlite:///{path}", **{setting: "/run/secrets/uri"})

    assert done.returncode == 2
    (error,) = errors(done)
    assert error.startswith("error: expected SESSION_DB_URI to name the PostgreSQL database")
    assert not path.exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SESSION_DB_URI": f"{NOWHERE}?sslmode=verify-full&sslrootcert=/nope"}, "a readable file with the CA"),
        ({"SESSION_DB_URI": NOWHERE, "API_ACCESS": "token", "API_TOKEN_FILE": "/nope"}, "expected API_TOKEN_FILE"),
        (
            {"SESSION_DB_URI": NOWHERE, "OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"},
            "expected OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_waited_for(settings: dict[str, str], words: str) -> None:
    """Nothing answers at that address, and for that there would be a wait of a minute."""
    done = serve("--port", "0", **settings)

    assert done.returncode == 2
    (error,) = errors(done)
    assert words in error


def test_a_database_among_the_agents_is_refused(tmp_path: Path) -> None:
    """ADK scans that folder, and a sync of the agents would carry the sessions along."""
    uri = f"sqlite:///{tmp_path}/echo/sessions.db"
    done = serve("--port", "0", SESSION_DB_URI=uri, AGENTS_DIR=str(tmp_path))

    assert done.returncode == 2
    (error,) = errors(done)
    assert error.startswith(f"error: expected a database outside the agents folder {tmp_path.resolve()}")
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """The server starts on nothing that it might spoil."""
    (tmp_path / "notes.db").write_text("not a database")

    done = serve("--port", "0", SESSION_DB_URI=f"sqlite:///{tmp_path}/notes.db")

    assert done.returncode == 3
    assert len(errors(done)) == 1


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TABLE events (id TEXT, invocation_id TEXT, actions BLOB)", "but {file} has an older one. Migrate it"),
        ("CREATE TABLE events (id TEXT, timestamp DATETIME, event_data TEXT)", "keeps under sqlite+aiosqlite:///"),
    ],
)
def test_a_database_in_another_layout_is_refused(sql: str, words: str, tmp_path: Path, query: Any) -> None:
    """A server that starts is no migration."""
    file = tmp_path / "other.db"
    query(file, sql)
    before = file.read_bytes()

    done = serve("--port", "0", SESSION_DB_URI=f"sqlite:///{file}")

    assert done.returncode == 3
    (error,) = errors(done)
    assert words.format(file=file) in error
    assert file.read_bytes() == before


def test_a_server_that_is_down_is_told_before_adk_loads() -> None:
    """With the exit code that a script can wait on; the password is not shown."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        uri = f"postgres://user:s3cret@127.0.0.1:{silent.getsockname()[1]}/db"
        done = serve("--port", "0", SESSION_DB_URI=uri, SESSION_DB_WAIT="0")

    assert done.returncode == 11
    assert len(errors(done)) == 1
    assert "database: postgresql+psycopg://user:***@127.0.0.1:" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_misspelt_setting_is_told_where_it_is_the_reason_of_a_refusal() -> None:
    """The refusal names what is missing, and the warning what was meant to be it."""
    done = serve("--port", "0", SESSION_DB_URI=NOWHERE, API_ACCESS="token", API_TOKEN_FLIE="/run/secrets/api_token")

    assert done.returncode == 2
    assert "warning: API_TOKEN_FLIE is no setting. API_TOKEN_FILE is one" in done.stderr


def test_a_misspelt_setting_is_told_before_anything_else() -> None:
    """It is no reason not to start; without the line a pool of the default size, or an open API, is all that shows."""
    done = serve(
        "--port", "0", SESSION_DB_URI=NOWHERE, SESSION_DB_WAIT="0", SESSION_DB_POOLSIZE="20", API_ACESS="token"
    )

    told = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert done.returncode == 11, "nothing answers there"
    assert told == [
        "warning: API_ACESS is no setting. API_ACCESS is one",
        "warning: SESSION_DB_POOLSIZE is no setting. SESSION_DB_POOL_SIZE is one",
    ]
