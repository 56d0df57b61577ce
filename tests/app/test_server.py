"""The real `session-db serve` over real HTTP: sessions are kept, strangers are kept out, agents stay as they are."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("session-db"))
USER = "/apps/echo/users/user/sessions"


class Server:
    """`session-db serve` on a free port, with a database and agents of its own."""

    def __init__(self, folder: Path) -> None:
        """Name the places; nothing runs yet."""
        self.database = folder / "sessions" / "sessions.db"
        self.agents = folder / "agents"
        self.artifacts = folder / "artifacts"
        self.artifacts.mkdir()
        self.first: list[str] = []
        shutil.copytree(ROOT / "agents", self.agents, ignore=shutil.ignore_patterns("__pycache__"))
        self.environ = os.environ | {
            "SESSION_DB_URI": f"sqlite:///{self.database}",
            "AGENTS_DIR": str(self.agents),
            "API_ARTIFACTS": self.artifacts.as_uri(),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python itself would write its caches among the agents.
            "http_proxy": "http://127.0.0.1:9",  # As behind a company's proxy, which cannot reach the server.
            "no_proxy": "",
        }

    def start(self) -> None:
        """Start, and return when the server says where it is."""
        command = [COMMAND, "serve", "--port", "0"]
        self.process = subprocess.Popen(command, env=self.environ, text=True, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        self.said = []
        for line in self.process.stderr:
            self.said.append(line.strip())
            if line.startswith(("ADK API server: ", "no answer from ")):
                break
        self.first = self.first or self.said
        # Made before the check, so that `stop` has it to close.
        base = self.said[-1].removeprefix("ADK API server: ").removesuffix("/docs")
        self.client = httpx.Client(base_url=base, timeout=30, trust_env=False)
        assert base.startswith("http://127.0.0.1:"), self.said

    def stop(self) -> str:
        """Stop as a supervisor does; returns what the server said to the end."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate()[1]

    def say(self, session: str, *parts: Any) -> httpx.Response:
        """One turn with the sample agent."""
        message = {"role": "user", "parts": list(parts)}
        return self.client.post(
            "/run", json={"appName": "echo", "userId": "user", "sessionId": session, "newMessage": message}
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests of this file share; each uses sessions of its own."""
    server = Server(tmp_path_factory.mktemp("server").resolve())
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_it_says_where_the_database_is_and_where_it_answers(server: Server) -> None:
    """And what it makes; the last line is true when it comes."""
    database, made, *_, loading, _ = server.first
    assert database == f"database: sqlite:///{server.database}"
    assert made == f"create file {server.database}, mode 0600"
    assert loading == "loading ADK"
    assert server.client.get("/docs").status_code == 200
    assert server.client.get("/list-apps").json() == ["echo"]


def test_a_session_outlives_the_server(server: Server) -> None:
    """State, the agent's own state and both events are there after a restart."""
    created = server.client.post(USER, json={"sessionId": "kept", "state": {"colour": "blue"}})
    assert created.status_code == 200
    events = server.say("kept", {"text": "hello"}).json()
    assert [part["text"] for event in events for part in event["content"]["parts"]] == ["You said: hello"]
    before = server.client.get(f"{USER}/kept").json()
    assert before["state"] == {"colour": "blue", "turns": 1}
    assert [event["author"] for event in before["events"]] == ["user", "echo"]

    said = server.stop()
    server.start()

    assert said == ""
    assert server.client.get(f"{USER}/kept").json() == before
    server.say("kept", {"text": "again"})
    assert server.client.get(f"{USER}/kept").json()["state"] == {"colour": "blue", "turns": 2}


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([{"text": ""}], "You said: "),
        ([{"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}], "You said: look"),
        ([{"inlineData": {"mimeType": "image/png", "data": "aGk="}}], "You said: "),
        ([{}], "You said: "),
        ([{"text": "naïve 🙂\u0000"}], "You said: naïve 🙂\u0000"),
    ],
    ids=["empty text", "text and image", "image", "an empty part", "odd characters"],
)
def test_the_sample_agent_answers_whatever_it_is_given(parts: list[Any], answer: str, server: Server) -> None:
    """A newcomer tries the odd message first."""
    session = server.client.post(USER, json={}).json()["id"]

    answered = server.say(session, *parts)

    assert answered.status_code == 200, answered.text
    assert [part["text"] for part in answered.json()[-1]["content"]["parts"]] == [answer]


def test_an_unknown_session_is_not_found(server: Server) -> None:
    """No session is made by asking for it."""
    assert server.client.get(f"{USER}/unknown").status_code == 404
    assert server.say("unknown", {"text": "hello"}).status_code == 404


def test_an_unknown_agent_is_told_without_a_path_of_the_server(server: Server) -> None:
    """ADK's words name the folder in which it has looked."""
    assert server.client.post("/apps/nobody/users/user/sessions", json={"sessionId": "s"}).status_code == 200
    message = {"role": "user", "parts": [{"text": "hello"}]}

    answered = server.client.post(
        "/run", json={"appName": "nobody", "userId": "user", "sessionId": "s", "newMessage": message}
    )

    assert answered.status_code == 404
    assert "'nobody'" in answered.json()["detail"]
    assert str(server.agents.parent) not in answered.text


@pytest.mark.parametrize("path", ["/docs", "/list-apps", USER])
def test_a_request_for_another_host_is_rejected(path: str, server: Server) -> None:
    """A page in the developer's browser must not reach the sessions (DNS rebinding)."""
    rejected = server.client.get(path, headers={"Host": "evil.example"})

    assert (rejected.status_code, rejected.text) == (403, "Forbidden: host not allowed")
    assert server.client.get(path).status_code == 200


def test_nothing_is_written_among_the_agents(server: Server) -> None:
    """ADK would keep sessions and artifacts of its own there."""
    session = server.client.post(USER, json={}).json()["id"]
    server.say(session, {"text": "hello"})

    written = sorted(str(place.relative_to(server.agents)) for place in server.agents.rglob("*"))

    assert written == ["echo", "echo/__init__.py", "echo/agent.py"]


def test_what_users_say_is_no_other_accounts(server: Server) -> None:
    """Whatever the umask of whoever has started it."""
    session = server.client.post(USER, json={}).json()["id"]
    file = {"filename": "a", "artifact": {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}}
    assert server.client.post(f"{USER}/{session}/artifacts", json=file).status_code == 200

    written = [*server.artifacts.rglob("*"), *server.database.parent.iterdir()]

    assert len(written) > 2
    assert not [path for path in written if path.stat().st_mode & 0o077]


def test_the_database_is_not_in_the_process_list(server: Server) -> None:
    """Any user of the machine can read it; a URI may carry a password."""
    processes = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]

    assert "sqlite" not in " ".join(word for process in processes for word in process.cmdline())


def test_the_script_works_from_anywhere(tmp_path: Path) -> None:
    """From another working directory, and through a link."""
    script = ROOT / "scripts" / "start_adk_api_server.sh"
    link = tmp_path / "serve"
    link.symlink_to(script)

    for name in (script, link):
        done = subprocess.run([name, "--help"], cwd=tmp_path, check=True, capture_output=True, text=True)
        assert done.stdout.startswith("Usage: session-db serve [OPTIONS]")
