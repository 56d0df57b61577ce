"""The way of a newcomer: a clone, `make up`, `make serve`, a conversation that survives, and an end without loss."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

MESSAGE = {"role": "user", "parts": [{"text": "Hello"}]}


@pytest.fixture
def newcomer(project: Any) -> Any:
    """A clone in git, on a machine with Python, make and the CLI, and nothing else of ours."""
    path = [Path(project.environ["PATH"].split(os.pathsep)[0]), Path(sys.base_prefix) / "bin", "/usr/bin", "/bin"]
    project.environ["PATH"] = os.pathsep.join(map(str, path))
    project.environ.pop("VIRTUAL_ENV", None)
    git = "git init -q && git add -A && git -c user.name=x -c user.email=x@example.com commit -qm x"
    assert project.shell("sh", "-c", git).returncode == 0
    return project


@contextmanager
def served(project: Any) -> Iterator[httpx.Client]:
    """The API server by its script, on a free port, until SIGTERM."""
    server = subprocess.Popen(
        [project.root / "scripts" / "start_adk_api_server.sh", "--port", "0"],
        cwd="/",
        env=project.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stderr is not None
        address = next(found[1] for line in server.stderr if (found := re.search(r"(http://\S+)/docs", line)))
        with httpx.Client(base_url=address) as client:
            yield client
        server.send_signal(signal.SIGTERM)
        assert "Traceback" not in server.stderr.read()


def test_from_clone_to_a_conversation_that_survives(newcomer: Any) -> None:
    """Everything the README promises, in its order."""
    first = newcomer.shell("make", "up")
    assert first.returncode == 0, first.stderr
    assert f"sqlite:///{newcomer.database}" in first.stdout
    assert re.findall(r"^\s*(\w+)\s+0\s*$", first.stdout, re.MULTILINE) == [
        *("app_states", "sessions", "user_states", "events")
    ]

    second = newcomer.shell("make", "up")
    assert (second.returncode, "nothing to change" in second.stderr) == (0, True)

    with served(newcomer) as client:
        created = client.post(
            "/apps/echo/users/ada/sessions", json={"sessionId": "first", "state": {"topic": "storks"}}
        )
        assert created.json()["state"] == {"topic": "storks"}
        turn = {"appName": "echo", "userId": "ada", "sessionId": "first", "newMessage": MESSAGE}
        (answer,) = client.post("/run", json=turn).json()
        assert answer["content"]["parts"] == [{"text": "You said: Hello"}]
    with served(newcomer) as client:
        busy = newcomer.shell("make", "destroy")
        assert (busy.returncode, "Stop the API server" in busy.stderr) == (2, True)
        again = client.get("/apps/echo/users/ada/sessions/first").json()
    assert again["state"] == {"topic": "storks", "turns": 1}
    assert [event["author"] for event in again["events"]] == ["user", "echo"]

    assert newcomer.shell("make", "destroy").returncode == 0
    assert len(list((newcomer.root / "data" / "backups").glob("sessions-*.db"))) == 1
    assert newcomer.shell("git", "status", "--porcelain").stdout == ""
