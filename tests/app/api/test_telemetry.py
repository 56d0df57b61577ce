"""What a server tells whoever runs it, as logs, metrics and traces: enough to find a request, and nothing of users."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]  # Nobody else needs its stubs.
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import URL

from app.environment import ROOT
from rehearsal.cluster import Cluster

USERS = "/apps/echo/users/ada.lovelace/sessions"
SAID = "a wish that nobody else may read"
ID = "from-the-proxy-1"
FAILS = '''
"""Raises what it hears."""

from google.adk.agents import BaseAgent


class Fails(BaseAgent):
    async def _run_async_impl(self, ctx):
        raise RuntimeError(ctx.user_content.parts[0].text)
        yield


root_agent = Fails(name="fails")
'''


class Collector:
    """Takes OTLP over HTTP, as OpenTelemetry's own collector does."""

    def __init__(self) -> None:
        """Serve at once."""
        spans: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    found = MessageToDict(ExportTraceServiceRequest.FromString(body))
                    for resource in found["resourceSpans"]:
                        spans.extend(span for scope in resource["scopeSpans"] for span in scope["spans"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not to the terminal."""

        self.spans = spans
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Told:
    """What a server told while it served: its log, its metrics and its traces."""

    def __init__(self, out: str, metrics: str, spans: list[dict[str, Any]]) -> None:
        """Keep all three."""
        self.out, self.metrics, self.spans = out, metrics, spans
        self.lines = [json.loads(line) for line in out.splitlines()]

    def number(self, name: str, **labels: str) -> float:
        """One of the metrics."""
        for line in self.metrics.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        raise AssertionError((name, labels))

    def attributes(self, name: str) -> dict[str, str]:
        """Of the first span of that name."""
        span = next(each for each in self.spans if each["name"] == name)
        return {each["key"]: str(next(iter(each["value"].values()), "")) for each in span["attributes"]}


@contextlib.contextmanager
def served(url: URL, **variables: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """`session-db serve` on a database."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("API_", "SESSION_DB", "OTEL_"))
    }
    uri = url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
        cwd=ROOT,
        env=environ | {"SESSION_DB_URI": uri} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = process.stdout if variables.get("API_LOG_FORMAT") == "json" else process.stderr
        line = next(line for line in lines or () if "ADK API server: " in line or "error: " in line)
        base = line.partition("ADK API server: ")[2].partition("/docs")[0]
        with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample agent, and with one that raises what it hears."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "echo").symlink_to(ROOT / "agents" / "echo")
    (folder / "fails").mkdir()
    (folder / "fails" / "__init__.py").write_text("from . import agent\n")
    (folder / "fails" / "agent.py").write_text(FAILS)
    return folder


@pytest.fixture(scope="module")
def told(postgresql_url: URL, clusters: Any, agents: Path) -> Iterator[Told]:
    """A day in the life of a server: good requests, bad ones, and a database that closes its connections."""
    collector, cluster = Collector(), clusters()
    otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server.server_port}"}
    try:
        settings = otlp | {"API_LOG_FORMAT": "json", "API_GRACE": "0", "AGENTS_DIR": str(agents)}
        with served(postgresql_url, **settings) as (process, client):
            _live(client, cluster, postgresql_url)
            metrics = client.get("/metrics").text
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate()
        yield Told(out, metrics, collector.spans)
    finally:
        collector.close()


def _live(client: httpx.Client, cluster: Cluster, url: URL) -> None:
    client.post(USERS, json={"sessionId": "of-ada"}).raise_for_status()
    turn = {"appName": "echo", "userId": "ada.lovelace", "sessionId": "of-ada"}
    for route in ("/run", "/run_sse"):
        sent = turn | {"newMessage": {"role": "user", "parts": [{"text": SAID}]}}
        client.post(route, json=sent, headers={"X-Request-ID": ID}).raise_for_status()
    assert client.get(f"{USERS}/nobodys").status_code == 404
    assert (
        client.get(f"{USERS}/of-ada", headers={"X-Request-ID": "forged\tline"}).headers["X-Request-ID"]
        != "forged\tline"
    )
    raising = f"BEGIN RAISE 'a row of ada.lovelace: {SAID}' USING ERRCODE = '53100'; END"
    body = f"RETURNS trigger LANGUAGE plpgsql AS $${raising}$$"
    cluster.execute(f"CREATE FUNCTION full_disk() {body}", str(url.database))
    trigger = "CREATE TRIGGER fails BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()"
    cluster.execute(trigger, str(url.database))
    assert client.post("/run", json=sent).status_code == 507
    cluster.execute("DROP FUNCTION full_disk() CASCADE", str(url.database))
    assert client.post("/run", json=sent | {"appName": "fails"}).status_code == 404
    client.post(USERS.replace("echo", "fails"), json={"sessionId": "of-ada"}).raise_for_status()
    assert client.post("/run", json=sent | {"appName": "fails"}).status_code == 500
    client.request("BREW", f"{USERS}/of-ada")
    client.get("/wp-admin/ada.lovelace")
    client.get("/readyz").raise_for_status()
    cluster.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    try:
        cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{url.username}'")
        assert client.get(f"{USERS}/of-ada").status_code == 503
    finally:
        cluster.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def test_each_request_has_its_line(told: Told) -> None:
    """With the route, not the path; and with the id that it came with."""
    lines = [line for line in told.lines if line["logger"] == "app.api.telemetry.logs"]
    runs = {line["route"]: line for line in lines if line["request_id"] == ID}

    assert set(runs) == {"/run", "/run_sse"}
    assert (runs["/run"]["method"], runs["/run"]["status"], runs["/run"]["level"]) == ("POST", 200, "INFO")
    assert runs["/run"]["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", runs["/run"]["time"])
    assert [(line["route"], line["status"]) for line in lines if line["status"] == 503] == [
        ("/apps/{app_name}/users/{user_id}/sessions/{session_id}", 503)
    ]
    assert len({line["request_id"] for line in lines}) == len(lines) - 1, "every other request has one of its own"


def test_probes_do_not_fill_the_log(told: Told) -> None:
    """While all is well."""
    assert not [line for line in told.lines if line.get("route") in ("/livez", "/readyz", "/metrics")]


def test_a_failure_is_in_the_log_under_the_request_id(told: Told) -> None:
    """With its kind, for a search."""
    (_, failed) = [line for line in told.lines if line["logger"] == "app.api.storage.sessions"]
    (request,) = [line for line in told.lines if line.get("status") == 503]

    assert failed["request_id"] == request["request_id"]
    assert (failed["level"], failed["kind"]) == ("WARNING", "database_unavailable")
    assert "closed for everybody" in failed["message"]


def test_metrics_count_requests_by_route_and_status(told: Told) -> None:
    """Whatever somebody asks for makes no new label."""
    route = "/apps/{app_name}/users/{user_id}/sessions/{session_id}"

    assert told.number("http_requests_total", method="POST", route="/run", status="200") == 1
    assert told.number("http_requests_total", method="GET", route=route, status="404") == 1
    assert told.number("http_requests_total", method="GET", route=route, status="503") == 1
    assert told.number("http_requests_total", method="GET", route="none", status="404") == 1
    assert told.number("http_request_duration_seconds_count", method="POST", route="/run") == 4
    assert "BREW" not in told.metrics


def test_metrics_tell_of_the_database(told: Told) -> None:
    """Its pool, its statements, its errors and whether it is ready now."""
    assert told.number("session_db_pool_size") == 5
    assert told.number("session_db_pool_checked_out") == 0
    assert told.number("session_db_pool_wait_seconds_count") > 5
    assert told.number("session_db_query_seconds_count", verb="INSERT") >= 4
    assert told.number("session_db_query_seconds_count", verb="SELECT") > 5
    assert told.number("session_db_errors_total", kind="database_unavailable") == 1
    assert told.number("session_db_ready") == 1


def test_traces_lead_from_a_request_to_its_statements(told: Told) -> None:
    """One trace; the statements of it without their values."""
    request = next(span for span in told.spans if span["name"] == "POST /run")
    of_it = [span for span in told.spans if span["traceId"] == request["traceId"]]

    assert told.attributes("POST /run")["http.route"] == "/run"
    assert any(span["name"].startswith("INSERT") for span in of_it), [span["name"] for span in of_it]
    assert not [span for span in told.spans if "readyz" in span["name"]]


def test_a_trace_has_of_an_exception_its_kind(told: Told) -> None:
    """Where it was raised, and what else there is to know, the log has."""
    events = [event for span in told.spans for event in span.get("events", []) if event["name"] == "exception"]
    kinds = {each["value"]["stringValue"] for event in events for each in event["attributes"]}

    assert "RuntimeError" in kinds
    failed = [span for span in told.spans if span.get("status", {}).get("code") == "STATUS_CODE_ERROR"]
    assert any(span["name"].startswith("INSERT") for span in failed), [span["name"] for span in failed]


def test_nothing_of_users_and_no_secret_leaves_the_server(told: Told, postgresql_url: URL) -> None:
    """Who they are, what they say, and what the server logs in with."""
    for name, text in {"log": told.out, "metrics": told.metrics, "traces": json.dumps(told.spans)}.items():
        assert SAID not in text, name
        assert "ada.lovelace" not in text, name
        assert str(postgresql_url.password) not in text, name
        assert "forged" not in text, name


def test_a_log_for_people_is_a_line_of_text(postgresql_url: URL) -> None:
    """The default; and without an endpoint nothing is traced."""
    with served(postgresql_url, API_GRACE="0") as (process, client):
        client.get(f"{USERS}/nobodys", headers={"X-Request-ID": ID})
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()

    route = re.escape("/apps/{app_name}/users/{user_id}/sessions/{session_id}")
    assert re.search(rf"INFO app\.api\.telemetry\.logs \[{ID}\] GET {route} 404 [\d.]+ ms\n", out), out
    assert process.returncode == 0
