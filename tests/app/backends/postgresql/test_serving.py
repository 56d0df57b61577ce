"""ADK's API server on PostgreSQL, as the app role: ready, restarted, and refused where the schema is not there."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app import verbs
from app.backends.interface import Target

ROOT = Path(__file__).resolve().parents[4]
SERVE = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]

Start = Callable[[], tuple[subprocess.Popen[str], str]]


@pytest.fixture
def environ(target: Target) -> dict[str, str]:
    """What a server is given: the URI of the app role and no other."""
    return os.environ | {"SESSION_DB_URI": target.app.render_as_string(hide_password=False)}


def test_sessions_survive_a_restart(start: Start, target: Target) -> None:
    """Written over HTTP as the app role, read by the next server."""
    verbs.bootstrap(target)
    process, base = start()
    made = {"sessionId": "first", "state": {"topic": "storks"}}
    httpx.post(f"{base}/apps/echo/users/ada/sessions", json=made, trust_env=False).raise_for_status()
    process.terminate()
    process.communicate(timeout=60)

    _, base = start()

    found = httpx.get(f"{base}/apps/echo/users/ada/sessions/first", trust_env=False).raise_for_status()
    assert found.json()["state"] == {"topic": "storks"}


def test_a_server_whose_schema_is_missing_says_what_to_do(
    environ: dict[str, str], target: Target, sql: Callable[[str], object]
) -> None:
    """Its own role may create nothing, and ADK would fail at the first request only."""
    verbs.bootstrap(target)
    sql("DROP TABLE events")

    done = subprocess.run(SERVE, cwd=ROOT, env=environ, check=False, capture_output=True, text=True, timeout=120)

    assert done.returncode == 17
    assert done.stderr.splitlines()[-1].startswith("error: expected a finished session schema")
    assert "session-db drift says what" in done.stderr
    assert "Run session-db bootstrap once, with the owner's URI as ADMIN_DB_URI" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(target.app.password) not in done.stderr
