"""How the server begins and ends, and what its sample agent bears."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.environment import ROOT

Start = Callable[[], tuple[subprocess.Popen[str], str]]


@pytest.fixture
def environ(path: Path) -> dict[str, str]:
    """A process environment that names the test's database."""
    return os.environ | {"SESSION_DB_URI": f"sqlite:///{path}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_well(start: Start, number: int) -> None:
    """Exit code 0 and not a word more: a supervisor and Ctrl-C are no failures."""
    process, base = start()
    httpx.get(f"{base}/list-apps", trust_env=False).raise_for_status()

    process.send_signal(number)
    _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (0, "")


def test_a_log_of_json_has_the_start_as_well(environ: dict[str, str], path: Path) -> None:
    """What reads it meets no other line, where both streams are one, as in a container's log.

    And a file that is made is told by its whole path: it may be a misspelt one, without anybody's sessions.
    """
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    variables = environ | {"API_LOG_FORMAT": "json", "API_ACESS": "proxy"}
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(json.loads(line))
            if said[-1]["message"].startswith("ADK API server: "):
                process.send_signal(signal.SIGTERM)

    told = [each["message"] for each in said if each["logger"] == "app.serve"]
    assert told[0].startswith("database: sqlite:///")
    assert told[1:3] == ["warning: API_ACESS is no setting. API_ACCESS is one", f"create file {path}, mode 0600"]
    assert "loading ADK" in told
    assert process.returncode == 0


def test_the_factory_makes_the_schema_too(environ: dict[str, str], path: Path) -> None:
    """For `uvicorn --factory app.server:create_app`: the first request finds a database, and ADK warns of nothing."""
    command = [sys.executable, "-W", "error", "-c", "from app.server import create_app; create_app()"]
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
    assert path.exists()


def test_a_database_that_is_served_is_not_to_be_moved(start: Start, path: Path, query: Any) -> None:
    """A destroy merges the write-ahead log first, which the server's own connection refuses."""
    process, _ = start()

    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        query(path, "PRAGMA journal_mode = DELETE")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert query(path, "PRAGMA journal_mode = DELETE") == [("delete",)]


def test_a_uri_of_the_owner_is_none_of_the_servers_business(
    path: Path, start: Start, environ: dict[str, str], query: Any
) -> None:
    """It works as the app, whatever ADMIN_DB_URI says."""
    environ["ADMIN_DB_URI"] = "no uri"

    start()

    assert query(path, "SELECT count(*) FROM sessions") == [(0,)]


def test_the_agent_counts_anew_where_the_state_holds_no_number(start: Start) -> None:
    """A client may create a session with any state."""
    _, base = start()
    session = {"sessionId": "first", "state": {"turns": "many"}}
    message = {"role": "user", "parts": [{"text": "hello"}]}
    turn = {"appName": "echo", "userId": "ada", "sessionId": "first", "newMessage": message}
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
        client.post("/apps/echo/users/ada/sessions", json=session).raise_for_status()
        client.post("/run", json=turn).raise_for_status()
        state = client.get("/apps/echo/users/ada/sessions/first").json()["state"]

    assert state == {"turns": 1}
