"""docker-compose.yml by a real engine: its images come from the open internet, so `make test` leaves it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

SERVICES = ("postgres", "api", "pgadmin")
SESSIONS = "/apps/echo/users/ada/sessions"
SESSION = f"{SESSIONS}/of-ada"


class Compose:
    """A project of its own, on free ports, in a clone of the tree."""

    def __init__(self, root: Path, project: str) -> None:
        """Make the passwords as `make staging` does; nothing runs yet."""
        self.root, self.environ = root, os.environ | {"COMPOSE_PROJECT_NAME": project}
        for name in ("POSTGRES_PORT", "API_PORT", "PGADMIN_PORT"):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.environ[name] = str(free.getsockname()[1])
        # Without an engine, so that it starts none of the project that a developer may have.
        hidden = os.environ | {"PATH": "/nonexistent"}
        subprocess.run([sys.executable, "-m", "scripts.staging"], cwd=root, env=hidden, check=True, capture_output=True)
        self.secrets = dotenv_values(root / ".env")

    def __call__(self, *command: str, check: bool = True) -> str:
        """What `docker compose` prints."""
        whole = ["docker", "compose", *command]
        done = subprocess.run(whole, cwd=self.root, env=self.environ, check=False, capture_output=True, text=True)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + done.stderr

    def inspected(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        container = self("ps", "--all", "--quiet", service).strip()
        done = subprocess.run(["docker", "inspect", container], check=True, capture_output=True, text=True)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found[0]

    def client(self) -> httpx.Client:
        """Of the API server, with the token of .env."""
        headers = {"Authorization": f"Bearer {self.secrets['API_TOKEN']}"}
        base = f"http://127.0.0.1:{self.environ['API_PORT']}"
        return httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def compose(clone: Callable[[], Path]) -> Iterator[Compose]:
    """Everything up and healthy; gone in the end, volumes too."""
    if "SESSION_DB_ONLINE" not in os.environ:
        pytest.skip("the images of PostgreSQL and pgAdmin come from the open internet: make test-online")
    made = Compose(clone(), f"session-db-test-{os.getpid()}")
    try:
        made("up", "--detach", "--wait")
        yield made
    finally:
        made("down", "--volumes", check=False)


@pytest.fixture
def client(compose: Compose) -> Iterator[httpx.Client]:
    """Of the API server, which is there again after each test."""
    with compose.client() as made:
        yield made
    compose("up", "--detach", "--wait")


def test_all_services_are_well_and_the_bootstrap_has_ended(compose: Compose) -> None:
    """`up --wait` has said so; here each by itself."""
    assert [compose.inspected(each)["State"]["Health"]["Status"] for each in SERVICES] == ["healthy"] * 3
    ended = compose.inspected("bootstrap")["State"]
    assert (ended["Status"], ended["ExitCode"]) == ("exited", 0)


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_is_root_and_nothing_is_written(compose: Compose, service: str) -> None:
    """As the kernel says it, from inside."""
    said = compose("exec", "-T", service, "sh", "-c", "id -u; cat /proc/self/status; touch /here", check=False)

    assert said.splitlines()[0] != "0"
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in said
    assert "Read-only file system" in said


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_of_this_machine_alone(compose: Compose, service: str) -> None:
    """Docker writes firewall rules of its own, which open what is not bound to loopback."""
    ports = compose.inspected(service)["NetworkSettings"]["Ports"]
    opened = [binding["HostIp"] for bindings in ports.values() for binding in bindings or ()]
    assert opened == ["127.0.0.1"]


def test_the_api_wants_the_token(client: httpx.Client) -> None:
    """A port of this machine is open to every program on it."""
    assert client.get("/list-apps").json() == ["echo"]
    assert httpx.get(client.base_url.join("list-apps"), trust_env=False).status_code == 401


def test_pgadmin_knows_the_server(compose: Compose) -> None:
    """Without a password, which it asks for."""
    read = "import sqlite3; print(sqlite3.connect('/var/lib/pgadmin/pgadmin4.db').execute('{}').fetchall())"
    sql = "SELECT name, host, port, username, password FROM server"
    said = compose("exec", "-T", "pgadmin", "/venv/bin/python3", "-c", read.format(sql))
    assert "('Session database', 'postgres', 5432, 'postgres', None)" in said


@pytest.mark.parametrize("fault", [("restart", "postgres"), ("kill", "postgres"), ("restart", "api"), ("down",)])
def test_what_was_acknowledged_is_there_afterwards(
    compose: Compose, client: httpx.Client, fault: tuple[str, ...]
) -> None:
    """Whatever ended in between; `down` keeps the volume."""
    client.post(SESSIONS, json={"sessionId": "of-ada"})
    assert client.patch(SESSION, json={"stateDelta": {"fault": " ".join(fault)}}).status_code == 200

    compose(*fault)
    compose("up", "--detach", "--wait")

    with compose.client() as again:
        assert again.get(SESSION).json()["state"]["fault"] == " ".join(fault)


def test_a_server_that_is_stopped_ends_by_itself(compose: Compose, client: httpx.Client) -> None:
    """With an answer to whoever is connected, and not by SIGKILL."""
    assert client.get("/list-apps").status_code == 200
    compose("stop", "api")

    assert compose.inspected("api")["State"]["ExitCode"] == 0, "137 would be SIGKILL, after stop_grace_period"


def test_no_log_and_no_image_has_a_secret(compose: Compose) -> None:
    """Logs are sent around, and images are pushed."""
    image = compose.inspected("api")["Image"]
    command = ["docker", "history", "--no-trunc", image]
    history = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    said = compose("logs", "--no-color") + history

    assert "schema of postgresql" in said
    assert not [name for name, value in compose.secrets.items() if value and value in said]
