"""Cloud SQL IAM tokens and secrets of Google Secret Manager, by google-auth as it is, from a metadata server.

google-auth reads where that server is when it is imported, which ADK may have done: so each test asks in a process of
its own.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.environment import ROOT

SECRET = "projects/my-project/secrets/sessions-uri-1a2b"

TOKEN = """
import json, sys, time
from app import dsn
from app.credentials import choice
url = dsn.parse("postgresql://app@my-project.iam@db.example.org/adk?sslmode=verify-full".replace("app@", "app%40", 1))
credentials = choice.of(url, choice.Proof.read({"SESSION_DB_IDENTITY": "cloudsql_iam"}.get))
login = [credentials.login(), credentials.login()][1]
lease = credentials._lease
print(json.dumps([login.user, login.password, lease.renew_at - time.time(), lease.ends_at - time.time()]))
"""

READ = """
import json, sys
from app import dsn
from app.credentials import gcp, secret_store
url = dsn.parse("postgresql://adk_user@db.example.org/adk?sslmode=verify-full")
credentials = secret_store.reading(url, sys.argv[1], gcp.secret(sys.argv[1], sys.argv[2]))
login = credentials.login()
print(json.dumps([login.user, login.password]))
"""


def python(endpoint: Any, home: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python on a machine whose metadata server is the endpoint, with nobody logged in."""
    host = endpoint.address.removeprefix("http://")
    machine = {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host, "HOME": str(home), "CLOUDSDK_CONFIG": str(home)}
    return subprocess.run(
        [sys.executable, "-c", *command],
        cwd=ROOT,
        env=os.environ | machine,
        check=False,
        capture_output=True,
        text=True,
    )


def machine(request: Any) -> tuple[int, Any]:
    """What a metadata server and Secret Manager answer."""
    path = urlsplit(request.path).path
    if path.endswith("/token"):
        return 200, {"access_token": "ya29.example", "expires_in": 3599, "token_type": "Bearer"}
    if path.endswith(":access"):
        secret = b"postgresql://adk_user_2:p%40ss@db.example.org/adk"
        return 200, {"payload": {"data": base64.b64encode(secret).decode()}}
    return 200, {"email": "app@my-project.iam.gserviceaccount.com", "aliases": ["default"], "scopes": []}


def test_a_token_is_of_the_scope_for_logins_alone(endpoint: Any, tmp_path: Path) -> None:
    """It is fetched once, and anew four minutes before its end."""
    endpoint.answer = machine

    done = python(endpoint, tmp_path, TOKEN)

    assert done.returncode == 0, done.stderr
    user, token, renewed_in, ends_in = json.loads(done.stdout)
    assert (user, token) == ("app@my-project.iam", "ya29.example")
    assert ends_in - renewed_in == pytest.approx(240)
    assert ends_in == pytest.approx(3599, abs=60)
    (asked,) = [each for each in endpoint.asked if "/token" in each.path]
    assert parse_qs(urlsplit(asked.path).query)["scopes"] == ["https://www.googleapis.com/auth/sqlservice.login"]


def test_a_secret_brings_role_and_password(endpoint: Any, tmp_path: Path) -> None:
    """Its latest version, where none is named."""
    endpoint.answer = machine

    done = python(endpoint, tmp_path, READ, SECRET, endpoint.address)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["adk_user_2", "p@ss"]
    (asked,) = [each for each in endpoint.asked if each.path.endswith(":access")]
    assert asked.path == f"/v1/{SECRET}/versions/latest:access"
    assert asked.headers["authorization"] == "Bearer ya29.example"


def test_a_secret_that_may_not_be_read_is_told_in_one_line(endpoint: Any, tmp_path: Path) -> None:
    """With the status, and no token."""
    endpoint.answer = lambda asked: (403, {}) if asked.path.endswith(":access") else machine(asked)

    done = python(endpoint, tmp_path, READ, SECRET, endpoint.address)

    last = done.stderr.splitlines()[-1]
    assert last.endswith(f"NoLoginError: expected the secret {SECRET}, but Secret Manager answers 403 Forbidden")
    assert "ya29" not in done.stderr


@pytest.mark.parametrize("body", [{}, [], {"payload": {"data": 7301}}, {"payload": {"data": "aHVudGVyMv8="}}])
def test_an_answer_of_another_form_is_told_in_one_line(body: Any, endpoint: Any, tmp_path: Path) -> None:
    """As of a proxy in between, or of a secret that is no text; nothing of it is shown."""
    endpoint.answer = lambda asked: (200, body) if asked.path.endswith(":access") else machine(asked)

    done = python(endpoint, tmp_path, READ, SECRET, endpoint.address)

    last = done.stderr.splitlines()[-1]
    assert f"NoLoginError: expected the secret {SECRET}, but " in last or "but it is no UTF-8 text" in last
    assert not any(word in done.stderr for word in ("hunter2", "7301", "0xff"))
