"""Production on one machine: TLS, a standby, a bootstrap job, two replicas, a pooler, a crash and a failover."""

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from app.environment import ROOT
from rehearsal.binaries import pooler as program
from rehearsal.fleet import ManagedServer, Spec
from rehearsal.pooler import Pooler
from rehearsal.tls import Authority

CLIENTS = 50
EVENTS = 6
"""How many each client has acknowledged in the end."""

SECONDS = 60.0
"""What ends a client whose request is not answered; every wait behind it is bounded, so nothing comes near it."""


@dataclass
class Place:
    """A managed server, and how the roles reach it."""

    server: ManagedServer
    app: URL
    admin: URL


@pytest.fixture(scope="module")
def place(ground: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Nothing is in the database yet."""
    authority, password = Authority(), secrets.token_hex(16)
    root = authority.write_root(tmp_path_factory.mktemp("ca") / "ca.pem")
    spec = Spec("sessions", "gcp", 15, ("localhost",), "adk_owner", password, "sessions", standby=True)
    with ManagedServer.create(ground / secrets.token_hex(4), spec, authority) as server:
        admin = URL.create(
            "postgresql",
            "adk_owner",
            password,
            "localhost",
            server.address[1],
            "sessions",
            {"sslmode": "verify-full", "sslrootcert": str(root)},
        )
        yield Place(server, admin.set(username="adk_user", password=secrets.token_hex(16)), admin)


def environ(**variables: str) -> dict[str, str]:
    """Of a container: nothing of the developer's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("API_", "SESSION_DB", "ADMIN_"))}
    return kept | variables


def text(url: URL) -> str:
    """With the password."""
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def replicas(place: Place, ground: Path) -> Iterator[list[str]]:
    """After the job: one replica on the server itself, the other behind a pooler in transaction mode."""
    command = [sys.executable, "-m", "app.cli"]
    job = environ(SESSION_DB_URI=text(place.app), ADMIN_DB_URI=text(place.admin))
    subprocess.run([*command, "bootstrap"], cwd=ROOT, env=job, check=True, capture_output=True)
    with contextlib.ExitStack() as stack:
        between = Pooler(
            ground / secrets.token_hex(4),
            program(print),
            place.server.address[1],
            {"adk_user": str(place.app.password)},
            default_pool_size=5,
            server_tls_sslmode="require",
        )
        pooler = stack.enter_context(between)
        through = pooler.on(place.app.set(query={}))
        bases = []
        started = [
            subprocess.Popen(
                [*command, "serve", "--port", "0"],
                cwd=ROOT,
                env=environ(SESSION_DB_URI=text(url), API_LOG_LEVEL="error", **more),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for url, more in ((place.app, {}), (through, {"SESSION_DB_POOLER": "transaction"}))
        ]
        for process in started:
            stack.callback(process.communicate)
            stack.callback(process.kill)
        for process in started:
            assert process.stderr is not None
            line = next(line for line in process.stderr if line.startswith(("ADK API server: ", "error: ")))
            assert line.startswith("ADK"), line
            bases.append(line.split()[-1].removesuffix("/docs"))
        yield bases


@dataclass
class Client:
    """One that does as it is told: where an answer says that it may try again, it reads what is stored and goes on."""

    name: str
    acknowledged: list[int] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)

    @property
    def session(self) -> str:
        """Its session's path."""
        return f"/apps/echo/users/{self.name}/sessions/s"

    async def work(self, clients: list[httpx.AsyncClient], going: asyncio.Semaphore) -> None:
        """Write its events, by turns over both replicas.

        Args:
            clients: One for each replica.
            going: Released for each event that was acknowledged.
        """
        await self.until(clients, "POST", self.session.removesuffix("/s"), {"sessionId": "s"}, (200, 409))
        number = 1
        while number <= EVENTS:
            here = clients[number % 2]
            answer = await here.patch(self.session, json={"stateDelta": {"number": number}})
            if answer.status_code == 200:
                self.acknowledged.append(number)
                going.release()
                number += 1
                continue
            self.refused.append(answer)
            stored = await self.until(clients, "GET", self.session, None, (200,))
            number = stored.json()["state"].get("number", 0) + 1

    async def until(
        self, clients: list[httpx.AsyncClient], method: str, path: str, body: Any, good: tuple[int, ...]
    ) -> httpx.Response:
        """Ask again until an answer is good, as its Retry-After says."""
        while True:
            for here in clients:
                answer = await here.request(method, path, json=body)
                if answer.status_code in good:
                    return answer
                self.refused.append(answer)
                await asyncio.sleep(int(answer.headers["Retry-After"]) / 10)


async def load(bases: list[str], server: ManagedServer) -> list[Client]:
    """All clients at once; a third of the way the server crashes and comes back, and another third on it fails over."""
    going = asyncio.Semaphore(0)
    made = [Client(f"user-{number}") for number in range(CLIENTS)]
    async with contextlib.AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=CLIENTS)
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=base, timeout=SECONDS, trust_env=False, limits=limits)
            )
            for base in bases
        ]

        async def disturb() -> None:
            for disturbance in (lambda: server.primary.restart("immediate"), server.failover):
                for _ in range(CLIENTS * EVENTS // 3):
                    await going.acquire()
                await asyncio.to_thread(disturbance)

        await asyncio.gather(disturb(), *(client.work(clients, going) for client in made))
    return made


def test_every_acknowledged_event_outlives_a_crash_and_a_failover(replicas: list[str], place: Place) -> None:
    """And what was not acknowledged was told in a way that a client can work with, within a bound."""
    before = place.server.primary.folder
    clients = asyncio.run(load(replicas, place.server))

    assert place.server.primary.folder != before, "the standby has taken over"
    with httpx.Client(base_url=replicas[0], timeout=SECONDS, trust_env=False) as reader:
        for client in clients:
            events = reader.get(client.session).json()["events"]
            stored = Counter(event["actions"]["stateDelta"]["number"] for event in events)
            assert set(client.acknowledged) <= set(stored), "an acknowledged event is lost"
            assert stored == Counter(range(1, EVENTS + 1)), "an event is missing or there twice"
    refused = [answer for client in clients for answer in client.refused]
    assert refused, "both were in the middle"
    assert {answer.status_code for answer in refused} <= {409, 503}, [answer.text for answer in refused]
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["retry"] is True
    for base in replicas:
        assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200


def test_the_way_to_the_server_is_encrypted(replicas: list[str], place: Place) -> None:
    """Of the replica that goes there itself."""
    assert httpx.get(f"{replicas[0]}/readyz", trust_env=False).status_code == 200

    query = (
        "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        "WHERE application_name = 'session-db-api' AND ssl"
    )
    assert place.server.primary.execute(query) == [(True,)]
