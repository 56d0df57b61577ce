"""How a server ends: it says so, takes nobody new, lets what runs finish, and ends itself within a bound."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from app.environment import ROOT
from rehearsal.cluster import Cluster

USERS = "/apps/echo/users/ada/sessions"


class Running:
    """`session-db serve` with a request that cannot finish yet, since somebody holds the row of its session."""

    def __init__(self, process: subprocess.Popen[str], base: str, release: Callable[[], None]) -> None:
        """Keep all three."""
        self.process, self.base, self.release = process, base, release

    def get(self, path: str) -> httpx.Response:
        """Over a new connection."""
        return httpx.get(f"{self.base}{path}", trust_env=False, timeout=30)

    def turn(self, route: str) -> httpx.Response:
        """One turn with the sample agent."""
        message = {"role": "user", "parts": [{"text": "hello"}]}
        sent = {"appName": "echo", "userId": "ada", "sessionId": "held", "newMessage": message}
        return httpx.post(f"{self.base}{route}", json=sent, trust_env=False, timeout=60)

    def closes(self) -> None:
        """Waits until no new connection is taken."""
        with contextlib.suppress(httpx.TransportError):
            while True:
                self.get("/livez")


@contextlib.contextmanager
def running(url: URL, cluster: Cluster, **variables: str) -> Iterator[Running]:
    """Starts it, and holds the row."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("API_", "SESSION_DB"))}
    uri = url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    environ |= {"SESSION_DB_URI": uri} | variables
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with contextlib.ExitStack() as stack:
        stack.callback(process.communicate)
        stack.callback(process.kill)
        lines = process.stdout if variables.get("API_LOG_FORMAT") == "json" else process.stderr
        line = next(line for line in lines or () if "ADK API server: " in line or "error: " in line)
        base = line.partition("ADK API server: ")[2].partition("/docs")[0]
        httpx.post(f"{base}{USERS}", json={"sessionId": "held"}, trust_env=False)
        assert url.database is not None
        holder = stack.enter_context(cluster.superuser.connect(cluster.address, url.database))
        holder.autocommit = False
        holder.execute("SELECT FROM sessions WHERE id = 'held' FOR UPDATE")
        stack.callback(cluster.execute, "DELETE FROM sessions WHERE id = 'held'", url.database)
        stack.callback(holder.rollback)
        yield Running(process, base, holder.rollback)


def held(cluster: Cluster, url: URL, requests: list[Any]) -> None:
    """Waits until as many requests are in the middle of their work."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{url.username}' AND wait_event_type = 'Lock'"
    while cluster.execute(query) != [(1,)]:
        assert not any(each.done() for each in requests)


@pytest.mark.parametrize("route", ["/run", "/run_sse"])
def test_what_runs_finishes_and_nobody_new_is_taken(postgresql_url: URL, clusters: Any, route: str) -> None:
    """A stream too, to its last line; and what was stored is what the client saw."""
    cluster = clusters()
    with running(postgresql_url, cluster, API_GRACE="1") as server, ThreadPoolExecutor() as threads:
        turn = threads.submit(server.turn, route)
        held(cluster, postgresql_url, [turn])

        server.process.send_signal(signal.SIGTERM)
        said = server.get("/readyz")
        while said.status_code == 200:
            said = server.get("/readyz")
        assert (said.status_code, said.json()["reason"]) == (503, "this server is shutting down")
        assert said.headers["Connection"] == "close"
        assert server.get("/livez").status_code == 200, "it still takes connections, for who has not heard yet"
        server.closes()
        assert not turn.done()
        server.release()

        assert turn.result().status_code == 200
        assert "You said: hello" in turn.result().text
        server.process.communicate()
        assert server.process.returncode == 0
        query = "SELECT event_data->>'author' FROM events WHERE session_id = 'held' ORDER BY 1"
        assert cluster.execute(query, str(postgresql_url.database)) == [("echo",), ("user",)]


def test_what_does_not_finish_is_ended_within_the_bound(postgresql_url: URL, clusters: Any) -> None:
    """An orchestrator would kill it soon after; and the connections are given back."""
    cluster = clusters()
    with running(postgresql_url, cluster, API_GRACE="0", API_DRAIN="1") as server, ThreadPoolExecutor() as threads:
        turn = threads.submit(server.turn, "/run")
        held(cluster, postgresql_url, [turn])

        server.process.send_signal(signal.SIGTERM)
        server.process.communicate()

        assert server.process.returncode == 0
        cut_off = turn.result()
        assert (cut_off.status_code, cut_off.headers["content-type"]) == (503, "application/problem+json")
        assert cut_off.json()["retry"] is True
        assert cut_off.json()["detail"].startswith("this server has ended before the request did. Read the session")


def test_the_log_tells_of_the_end(postgresql_url: URL, clusters: Any) -> None:
    """How much runs when it begins, and that it has ended: else a log that stops looks like a crash."""
    cluster = clusters()
    variables = {"API_GRACE": "0", "API_DRAIN": "1", "API_LOG_FORMAT": "json"}
    with running(postgresql_url, cluster, **variables) as server, ThreadPoolExecutor() as threads:
        turn = threads.submit(server.turn, "/run")
        held(cluster, postgresql_url, [turn])

        server.process.send_signal(signal.SIGTERM)
        out, _ = server.process.communicate()

    told = [line for line in map(json.loads, out.splitlines()) if line["logger"] == "app.api.lifetime.draining"]
    begun, ended = told
    assert (begun["message"], begun["signal"], begun["running"]) == (
        "ending by SIGTERM: 1 running, new connections for 0 s more, then up to 1 s to finish",
        "SIGTERM",
        1,
    )
    assert (ended["message"][:12], ended["level"], out.splitlines()[-1]) == (
        "ended after ",
        "INFO",
        next(line for line in out.splitlines() if "ended after " in line),
    )


def test_a_second_signal_ends_it_at_once(postgresql_url: URL, clusters: Any) -> None:
    """Whoever presses Ctrl-C twice does not want to wait."""
    cluster = clusters()
    with running(postgresql_url, cluster, API_DRAIN="3600") as server, ThreadPoolExecutor() as threads:
        turn = threads.submit(server.turn, "/run")
        held(cluster, postgresql_url, [turn])
        server.process.send_signal(signal.SIGINT)
        server.closes()

        server.process.send_signal(signal.SIGINT)
        server.process.communicate()

        assert server.process.returncode == -signal.SIGINT
        assert isinstance(turn.exception(), httpx.TransportError)


STUBBORN = """
import asyncio, threading, time
from google.adk.agents import BaseAgent
from google.adk.events import Event

async def never():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("passed over", flush=True)

class Stubborn(BaseAgent):
    async def _run_async_impl(self, context):
        self.left = asyncio.create_task(never())
        threading.Thread(target=time.sleep, args=(3600,)).start()
        yield Event(author=self.name)
        print("at work", flush=True)
        await asyncio.to_thread(time.sleep, 3600)

    model_config = {"extra": "allow"}

root_agent = Stubborn(name="stubborn")
"""


@contextlib.contextmanager
def stubborn(folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A server with an agent's thread, task and request that nobody can cut off, once they run."""
    (folder / "agents" / "echo").mkdir(parents=True)
    (folder / "agents" / "echo" / "agent.py").write_text(STUBBORN)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("API_", "SESSION_DB"))}
    environ |= {"SESSION_DB_URI": f"sqlite:///{folder}/s.db", "AGENTS_DIR": f"{folder}/agents"}
    environ |= {"API_GRACE": "0", "API_DRAIN": "0"} | variables
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        ThreadPoolExecutor() as threads,
    ):
        assert process.stderr is not None
        assert process.stdout is not None
        line = next(line for line in process.stderr if "ADK API server: " in line)
        server = Running(process, line.partition("ADK API server: ")[2].partition("/docs")[0], lambda: None)
        httpx.post(f"{server.base}{USERS}", json={"sessionId": "held"}, trust_env=False)
        threads.submit(server.turn, "/run")
        assert any("at work" in line for line in process.stdout)
        try:
            yield process
        finally:
            process.kill()


def test_what_cannot_be_cut_off_is_left_behind(tmp_path: Path) -> None:
    """Python would wait for it, and the orchestrator would kill the server, in the middle of its last words."""
    with stubborn(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()

    assert process.returncode == 0
    assert "left without waiting for work of agents" in out.splitlines()[-1]


def test_a_second_signal_ends_what_cannot_be_cut_off(tmp_path: Path) -> None:
    """At any moment, here while it would still wait for a collector."""
    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "60"}
    with stubborn(tmp_path, **collector) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        assert any("passed over" in line for line in process.stdout), "all is over but for the task"
        process.send_signal(signal.SIGTERM)
        process.communicate()

    assert process.returncode == -signal.SIGTERM
