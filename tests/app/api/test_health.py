"""What probes are told: of the process always yes, of the database the truth, soon, and without a secret."""

import asyncio
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import URL

from app import dsn, verbs
from app.api.lifetime.health import Readiness
from rehearsal.cluster import Cluster

Serve = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def client(serve: Serve, url: URL) -> httpx.Client:
    """A client of a server on it."""
    return serve(url, SESSION_DB_POOL_SIZE="1", SESSION_DB_POOL_OVERFLOW="0", SESSION_DB_POOL_TIMEOUT="0.2")


def becomes(client: httpx.Client, status: int, words: str = "") -> str:
    """Asks until the answer is that one, since it is kept for a second; its reason."""
    for _ in range(500):
        answer = client.get("/readyz")
        reason = str(answer.json().get("reason"))
        if answer.status_code == status and words in reason:
            return reason
        time.sleep(0.02)
    raise AssertionError(answer.text)


def test_a_server_on_a_good_database_is_ready(client: httpx.Client) -> None:
    """And alive."""
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/livez").json() == {"status": "alive"}


def test_a_stopped_database_is_told_until_it_is_back(client: httpx.Client, cluster: Cluster) -> None:
    """The process lives on: a restart of it would mend nothing."""
    cluster.stop()
    try:
        reason = becomes(client, 503)
        assert client.get("/livez").status_code == 200
    finally:
        cluster.start()

    assert reason in ("the database does not answer", "the connection to the database was lost")
    becomes(client, 200)


def test_a_database_that_takes_no_writes_is_told(client: httpx.Client, cluster: Cluster) -> None:
    """As after a failover that the name has not followed yet."""
    cluster.reconfigure(cluster.settings | {"default_transaction_read_only": "on"}, whole=True)
    try:
        becomes(client, 503, "takes no writes")
    finally:
        settings = {name: value for name, value in cluster.settings.items() if name != "default_transaction_read_only"}
        cluster.reconfigure(settings, whole=True)
    becomes(client, 200)


@pytest.mark.parametrize(
    ("spoil", "mend", "words"),
    [
        ("REVOKE DELETE ON events FROM adk_user", "GRANT DELETE ON events TO adk_user", "may not do that"),
        ("ALTER TABLE user_states RENAME TO gone", "ALTER TABLE gone RENAME TO user_states", "missing: user_states"),
        (
            "UPDATE adk_internal_metadata SET value = '2'",
            "UPDATE adk_internal_metadata SET value = '1'",
            "schema version is 2, not 1",
        ),
        (
            "ALTER TABLE session_db_history RENAME TO gone",
            "ALTER TABLE gone RENAME TO session_db_history",
            "missing: session_db_history",
        ),
    ],
    ids=["a right", "a table", "the version", "the history"],
)
def test_what_the_schema_lacks_is_told(
    client: httpx.Client, cluster: Cluster, spoil: str, mend: str, words: str
) -> None:
    """A server that starts would refuse; one that runs must not go on as if nothing were."""
    cluster.execute(spoil, "sessions")
    try:
        becomes(client, 503, words)
    finally:
        cluster.execute(mend, "sessions")
    becomes(client, 200)


def test_a_full_pool_is_no_database_that_is_gone(client: httpx.Client, cluster: Cluster) -> None:
    """Its probes have a connection of their own: the other replicas are as busy, and would get its requests too."""
    made = client.post("/apps/echo/users/ada/sessions", json={"sessionId": "busy"})
    assert made.status_code == 200, made.text
    with (
        cluster.superuser.connect(cluster.address, "sessions") as other,
        ThreadPoolExecutor() as threads,
    ):
        other.autocommit = False
        other.execute("SELECT FROM sessions WHERE id = 'busy' FOR UPDATE")
        path = "/apps/echo/users/ada/sessions/busy"
        held = threads.submit(client.patch, path, json={"stateDelta": {"a": 1}})
        while not cluster.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not held.done(), held.result().text

        refused = client.get(path)
        answer = client.get("/readyz")
        other.rollback()
        finished = held.result()

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1"), refused.text
    assert "all of this server's connections" in refused.json()["detail"]
    assert answer.status_code == 200, answer.text
    assert finished.status_code == 200, finished.text


def test_a_frozen_database_is_told_within_the_bound(client: httpx.Client, cluster: Cluster) -> None:
    """Its kernel still acknowledges whatever is sent; only the bound of the probe ends the wait."""
    postmaster = psutil.Process(int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0]))
    frozen = [postmaster, *postmaster.children()]
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    try:
        becomes(client, 503, "does not answer within 2 s")
        assert client.get("/livez").status_code == 200
    finally:
        for process in frozen:
            process.send_signal(signal.SIGCONT)
    becomes(client, 200)


def test_a_database_that_takes_writes_again_is_ready(client: httpx.Client, cluster: Cluster) -> None:
    """What the probe's own connection began with has ended with that connection."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'adk_user'"
    cluster.execute("ALTER DATABASE sessions SET default_transaction_read_only = on")
    cluster.execute(ended)
    try:
        becomes(client, 503, "takes no writes")
    finally:
        cluster.execute("ALTER DATABASE sessions RESET default_transaction_read_only")

    becomes(client, 200)


def test_no_reason_names_a_host_or_shows_a_secret(client: httpx.Client, cluster: Cluster, url: URL) -> None:
    """Whoever reaches the port may ask, without a token."""
    cluster.execute("ALTER ROLE adk_user PASSWORD 'another'")
    cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'adk_user'")
    try:
        reason = becomes(client, 503)
    finally:
        cluster.execute(f"ALTER ROLE adk_user PASSWORD '{url.password}'")
    becomes(client, 200)

    assert reason == "the database does not accept this server's login"


def test_many_probes_are_one_question() -> None:
    """However many balancers there are."""
    questions = []

    class Counting:
        async def __call__(self) -> None:
            questions.append(1)
            await asyncio.sleep(0)

        async def forget(self) -> None:
            """Nothing is kept."""

    async def ask() -> set[Any]:
        readiness = Readiness(Counting())
        return {answer.reason for answer in await asyncio.gather(*(readiness() for _ in range(100)))}

    assert asyncio.run(ask()) == {None}
    assert len(questions) == 1


def test_a_file_that_cannot_be_used_is_told(serve: Serve, tmp_path: Path) -> None:
    """SQLite's as well: gone, then without its tables."""
    file = tmp_path.resolve() / "sessions.db"
    url = dsn.parse(f"sqlite:///{file}")
    verbs.make_ready(url)
    client = serve(url)
    assert client.get("/readyz").status_code == 200

    file.rename(file.with_suffix(".away"))
    for side in ("-wal", "-shm"):
        Path(f"{file}{side}").unlink(missing_ok=True)
    assert becomes(client, 503) == "the database is not there"

    file.touch(mode=0o600)
    becomes(client, 503, "tables are missing")
