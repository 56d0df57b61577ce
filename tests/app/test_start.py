"""How a server begins: it waits for a database that is not up yet, and for nothing else."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from app import start
from app.backends.interface import Target
from app.environment import ROOT
from app.errors import AuthenticationError, ClosedPortError, MissingDatabaseError, NotReadyError
from app.verbs import bootstrap, differences
from rehearsal.cluster import Cluster
from rehearsal.managed import ManagedDatabase, managed


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> ManagedDatabase:
    """An empty database on it."""
    return managed(cluster, "sessions")


@pytest.fixture
def url(database: ManagedDatabase) -> URL:
    """The same, bootstrapped, as the app role sees it."""
    url = database.admin.set(username="adk_user", password="s3cret-change-me")
    bootstrap(Target(url, database.admin))
    return url


def waiting(mend: Callable[[], object]) -> tuple[list[str], Callable[[str], None]]:
    """What is reported; the first line has the database mended."""
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        if len(said) == 1:
            mend()

    return said, report


def test_a_server_that_is_not_up_yet_is_waited_for(cluster: Cluster, url: URL) -> None:
    """As in a deployment that starts both."""
    cluster.stop()
    said, report = waiting(cluster.start)

    start.make_ready(url, report)

    assert said[0].startswith("waiting for the database, up to 60 s more: expected to use the database sessions")
    assert "nothing answers there" in said[0]
    assert "s3cret" not in " ".join(said)


def test_a_server_without_a_connection_left_is_waited_for(cluster: Cluster, url: URL) -> None:
    """As where all replicas start at once."""
    cluster.execute("ALTER ROLE adk_user CONNECTION LIMIT 0")
    said, report = waiting(lambda: cluster.execute("ALTER ROLE adk_user CONNECTION LIMIT -1"))

    start.make_ready(url, report)

    assert "no connection left" in said[0]


def test_the_wait_has_an_end(cluster: Cluster, url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then the error that a script can tell from others."""
    monkeypatch.setenv("SESSION_DB_WAIT", "0.6")
    cluster.stop()
    said, report = waiting(lambda: None)
    try:
        with pytest.raises(ClosedPortError):
            start.make_ready(url, report)
    finally:
        cluster.start()

    assert len(said) == 1, "the same is said once in ten seconds"
    cluster.execute("ALTER ROLE adk_user CONNECTION LIMIT 0")
    try:
        monkeypatch.setenv("SESSION_DB_WAIT", "0")
        with pytest.raises(NotReadyError):
            start.make_ready(url)
    finally:
        cluster.execute("ALTER ROLE adk_user CONNECTION LIMIT -1")


def test_what_stays_wrong_is_not_waited_for(url: URL) -> None:
    """Whoever waits a minute for the news of a typing error has lost a minute."""
    said: list[str] = []

    with pytest.raises(AuthenticationError, match="Look at both in SESSION_DB_URI"):
        start.make_ready(url.set(password="wrong"), said.append)
    with pytest.raises(MissingDatabaseError):
        start.make_ready(url.set(database="nowhere"), said.append)

    assert said == []


def test_a_job_has_its_password_as_a_server_has_it(database: ManagedDatabase, tmp_path: Path, session_db: Any) -> None:
    """From a mounted file, with no word of it in a variable; and the same for whoever looks afterwards."""
    (tmp_path / "password").write_text(str(database.admin.password))
    job = {
        "uri": database.admin.set(password=None).render_as_string(),
        "SESSION_DB_PASSWORD_FILE": str(tmp_path / "password"),
    }

    for verb in ("bootstrap", "verify"):
        done = session_db(verb, **job)
        assert done.returncode == 0, done.stderr

    refused = session_db("verify", "--app-identity", "password", uri=job["uri"], SESSION_DB_IDENTITY="entra")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "expected --app-identity entra" in refused.stderr


def test_eight_replicas_start_at_once_on_an_empty_database(cluster: Cluster) -> None:
    """Each as its own process; ADK alone fails in seven of them."""
    admin = managed(cluster, "fresh", master="fresh_master").admin
    code = "import sys; from app import dsn, start; sys.stdin.read(); start.make_ready(dsn.parse(sys.argv[1]), print)"
    uri = admin.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, uri],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("SESSION_DB")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    ended = [(process.communicate()[0], process.returncode) for process in processes]

    assert [code for _, code in ended] == [0] * 8
    told = [line for said, _ in ended for line in said.splitlines()]
    assert Counter(told).most_common(1)[0][1] == 1, "each step is taken by one of them"
    assert "create table events" in told
    assert differences(Target.of(admin)) == ()
