"""What a client is told when the database fails under its request: a status, whether to try again, what was stored."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from app import dsn, verbs
from rehearsal.cluster import Cluster

Serve = Callable[..., httpx.Client]
USER = "/apps/echo/users/ada/sessions"


@pytest.fixture(scope="module")
def client(serve: Serve, url: URL) -> httpx.Client:
    """A client of a server on it."""
    return serve(url, SESSION_DB_STATEMENT_TIMEOUT="5")


@pytest.fixture
def session(client: httpx.Client) -> str:
    """The path of a session of the test's own."""
    made = client.post(USER, json={})
    assert made.status_code == 200, made.text
    return f"{USER}/{made.json()['id']}"


def refused(answer: httpx.Response, status: int, *words: str, retry: bool) -> dict[str, Any]:
    """Hold an answer against RFC 9457 and what every client relies on, and give its members."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) >= {"type", "title", "status", "detail", "retry", "request_id"}
    assert (found["status"], found["retry"]) == (status, retry)
    assert found["request_id"] == answer.headers["X-Request-ID"]
    for each in words:
        assert each in found["detail"]
    for secret in ("s3cret", "127.0.0.1", "adk_user", "INSERT", "SELECT", "UPDATE", "Traceback"):
        assert secret not in answer.text, "nobody who calls need know it"
    return found


def run(client: httpx.Client, session: str, route: str = "/run") -> httpx.Response:
    """A turn with the sample agent."""
    message = {"role": "user", "parts": [{"text": "hello"}]}
    turn = {"appName": "echo", "userId": "ada", "sessionId": session.rpartition("/")[2], "newMessage": message}
    return client.post(route, json=turn)


def events(client: httpx.Client, session: str) -> list[str]:
    """Who wrote what is stored."""
    return [event["author"] for event in client.get(session).json()["events"]]


@contextlib.contextmanager
def locked(cluster: Cluster, session: str) -> Iterator[Callable[[int], None]]:
    """Holds the row of a session; gives what waits until so many others want it."""
    with cluster.superuser.connect(cluster.address, "sessions") as connection:
        connection.autocommit = False
        connection.execute("SELECT FROM sessions WHERE id = %s FOR UPDATE", [session.rpartition("/")[2]])

        def wanted(by: int) -> None:
            query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'adk_user' AND wait_event_type = 'Lock'"
            while cluster.execute(query) != [(by,)]:
                pass

        yield wanted
        connection.rollback()


@contextlib.contextmanager
def failing(cluster: Cluster, table: str, state: str, when: str = "true") -> Iterator[None]:
    """Has the server answer an INSERT with an SQLSTATE, as it would where it cannot be provoked here."""
    cluster.execute(
        f"CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN "
        f"RAISE 'a row of ada' USING ERRCODE = '{state}'; END IF; RETURN new; END $$",
        "sessions",
    )
    cluster.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fails()", "sessions")
    try:
        yield
    finally:
        cluster.execute("DROP FUNCTION fails() CASCADE", "sessions")


def test_two_replicas_on_one_session_are_told_apart(
    client: httpx.Client, serve: Serve, url: URL, cluster: Cluster, session: str
) -> None:
    """One wins; the other one may read and send again. ADK alone answers 500."""
    other = serve(url)
    with ThreadPoolExecutor() as threads, locked(cluster, session) as wanted:
        both = [threads.submit(each.patch, session, json={"stateDelta": {"a": 1}}) for each in (client, other)]
        wanted(2)
    won, lost = sorted((future.result() for future in both), key=lambda answer: answer.status_code)

    assert won.status_code == 200, won.text
    refused(lost, 409, "Read the session", retry=True)
    assert client.patch(session, json={"stateDelta": {"b": 2}}).status_code == 200


def test_two_streams_on_one_session_are_told_apart_in_the_same_words(
    client: httpx.Client, serve: Serve, url: URL, cluster: Cluster, session: str
) -> None:
    """ADK's own words would be in the last line, and differ with the database."""
    other = serve(url)
    with ThreadPoolExecutor() as threads, locked(cluster, session) as wanted:
        both = [threads.submit(run, each, session, "/run_sse") for each in (client, other)]
        wanted(2)
    lost = [future.result().text for future in both if "error" in future.result().text]

    assert len(lost) == 1, lost
    assert '"error": "StaleSessionError: another request changed the session after this one had read it.' in lost[0]


@pytest.mark.parametrize("what", ["read", "create", "run"])
def test_a_database_that_is_gone_is_told(client: httpx.Client, cluster: Cluster, session: str, what: str) -> None:
    """With when to come back; nothing was stored."""
    requests: dict[str, Callable[[], httpx.Response]] = {
        "read": lambda: client.get(session),
        "create": lambda: client.post(USER, json={}),
        "run": lambda: run(client, session),
    }
    cluster.stop()
    try:
        answer = requests[what]()
    finally:
        cluster.start()

    refused(answer, 503, "nothing of this request was stored", retry=True)
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get(session).status_code == 200, "the pool comes back by itself"


def test_a_statement_that_takes_too_long_is_told(client: httpx.Client, cluster: Cluster, session: str) -> None:
    """It is another's fault: a gateway's timeout."""
    with locked(cluster, session):
        answer = client.patch(session, json={"stateDelta": {"a": 1}})

    refused(answer, 504, "took too long", "nothing of this request was stored", retry=True)


def test_a_server_that_takes_no_writes_is_told(client: httpx.Client, cluster: Cluster, session: str) -> None:
    """Reads go on."""
    cluster.execute("ALTER DATABASE sessions SET default_transaction_read_only = on")
    cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'adk_user'")
    try:
        assert client.get(session).status_code == 200
        answer = client.patch(session, json={"stateDelta": {"a": 1}})
    finally:
        cluster.execute("ALTER DATABASE sessions RESET default_transaction_read_only")

    refused(answer, 503, "takes no writes", retry=True)
    assert client.patch(session, json={"stateDelta": {"a": 1}}).status_code == 200


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53100", (507, "no room left", False)),
        ("40001", (503, "others hold a lock", True)),
        ("22001", (422, "cannot keep a value", False)),
        ("23505", (409, "wrote the same", True)),
        ("42703", (503, "has not the tables", True)),
        ("42601", (500, "unforeseen", False)),
    ],
)
def test_what_the_server_answers_is_told(
    client: httpx.Client,
    cluster: Cluster,
    session: str,
    state: str,
    told: tuple[int, str, bool],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And never in its own words, which quote rows."""
    status, words, retry = told
    with failing(cluster, "events", state):
        answer = client.patch(session, json={"stateDelta": {"a": 1}})

    found = refused(answer, status, words, "nothing of this request was stored", retry=retry)
    assert "a row of ada" not in found["detail"]
    assert "a row of ada" not in caplog.text
    assert status != 500 or f"(SyntaxError, SQLSTATE {state})" in caplog.text, "or nobody would find out"


def test_a_table_that_is_missing_is_told(client: httpx.Client, cluster: Cluster, session: str) -> None:
    """As in the middle of a migration: it passes, and readiness says more."""
    cluster.execute("ALTER TABLE events RENAME TO events_of_yesterday", "sessions")
    try:
        answers = [client.get(session), run(client, session)]
    finally:
        cluster.execute("ALTER TABLE events_of_yesterday RENAME TO events", "sessions")

    for answer in answers:
        refused(answer, 503, "has not the tables", "nothing of this request was stored", retry=True)
        assert int(answer.headers["Retry-After"]) >= 1
    assert client.get(session).status_code == 200


def test_a_table_that_is_missing_before_the_first_use_is_told_alike(
    serve: Serve, url: URL, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """ADK makes at its first use what is missing, and the app role may not make tables."""
    client = serve(url)
    cluster.execute("ALTER TABLE events RENAME TO events_of_yesterday", "sessions")
    try:
        answer = client.get(f"{USER}/any")
    finally:
        cluster.execute("ALTER TABLE events_of_yesterday RENAME TO events", "sessions")

    refused(answer, 503, "has not the tables", "nothing of this request was stored", retry=True)
    assert "has not the tables" in caplog.text
    assert "rights" not in caplog.text, "it has every right that it needs"


def test_a_table_that_is_missing_in_a_file_is_told(serve: Serve, sqlite_url: URL) -> None:
    """The same words as of a server."""
    assert sqlite_url.database is not None
    client = serve(sqlite_url)
    session = f"{USER}/{client.post(USER, json={}).json()['id']}"
    with contextlib.closing(sqlite3.connect(sqlite_url.database)) as file:
        file.execute("ALTER TABLE events RENAME TO events_of_yesterday")
        answer = client.get(session)
        file.execute("ALTER TABLE events_of_yesterday RENAME TO events")

    refused(answer, 503, "has not the tables", retry=True)


@pytest.mark.parametrize("name", ["sessions.db", "a b'.db"])
def test_a_file_that_is_gone_is_not_made_anew(serve: Serve, tmp_path: Path, name: str) -> None:
    """An empty one would be served after a restart, as if nobody had ever said anything."""
    url = dsn.parse(f"sqlite:///{tmp_path / name}")
    verbs.make_ready(url)
    client = serve(url)
    assert client.post(USER, json={"sessionId": "s"}).status_code == 200
    (tmp_path / "elsewhere").mkdir()
    for file in list(tmp_path.glob("*.db*")):
        file.rename(tmp_path / "elsewhere" / file.name)

    refused(client.post(USER, json={}), 503, "the database", retry=True)
    assert not list(tmp_path.glob("*.db*"))

    for file in (tmp_path / "elsewhere").iterdir():
        file.rename(tmp_path / file.name)
    assert client.get(f"{USER}/s").status_code == 200


def test_a_session_that_cannot_be_made_is_told(client: httpx.Client, cluster: Cluster) -> None:
    """ADK makes a 500 of it by itself, with the statement in it."""
    with failing(cluster, "sessions", "53100"):
        refused(client.post(USER, json={}), 507, "no room left", retry=False)


def test_a_run_that_fails_half_way_says_what_is_kept(client: httpx.Client, cluster: Cluster, session: str) -> None:
    """Sent again as it is, the user's message would be there twice."""
    with failing(cluster, "events", "53100", "new.event_data->>'author' = 'echo'"):
        answer = run(client, session)

    refused(answer, 507, "What this request had stored before is kept: read the session", retry=False)
    assert events(client, session) == ["user"]


def test_a_stream_that_fails_half_way_says_the_same(client: httpx.Client, cluster: Cluster, session: str) -> None:
    """Its status is sent already: ADK puts the error into a last line, which says it in our words."""
    with failing(cluster, "events", "53100", "new.event_data->>'author' = 'echo'"):
        answer = run(client, session, "/run_sse")

    assert answer.status_code == 200
    assert '"error": "DiskFullError: the database has no room left' in answer.text
    assert "What this request had stored before is kept" in answer.text
    for secret in ("psycopg", "INSERT", "127.0.0.1", "a row of ada"):
        assert secret not in answer.text


def test_a_pooler_that_says_farewell_beside_the_server_has_lost_the_connection(
    serve: Serve, url: URL, session: str, proxied: Callable[[URL], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The answers of both arrive together, of which psycopg expects one; and what was stored is as unknown as ever."""
    proxy = proxied(url)
    through = serve(url.set(port=proxy.port))
    assert through.get(session).status_code == 200
    proxy.farewell = fatal("57P01", "terminating connection") + fatal("08P01", "server conn crashed?")
    proxy.lose = 1

    answer = through.patch(session, json={"stateDelta": {"a": 1}})

    assert proxy.lost == 1
    refused(answer, 503, "the connection to the database was lost", "whether it did is unknown", retry=True)
    assert through.get(session).status_code == 200, "the connection is not used again"
    assert "unforeseen" not in caplog.text


def fatal(state: str, words: str) -> bytes:
    """ErrorResponse (PostgreSQL, "Message Formats")."""
    fields = f"SFATAL\0VFATAL\0C{state}\0M{words}\0".encode()
    return b"E" + (len(fields) + 5).to_bytes(4, "big") + fields + b"\0"


def test_an_answer_to_a_commit_that_never_came_is_unknown(
    client: httpx.Client, serve: Serve, url: URL, session: str, proxied: Callable[[URL], Any]
) -> None:
    """Here it was stored; nobody can tell from this side, and the answer does not pretend to."""
    proxy = proxied(url)
    through = serve(url.set(port=proxy.port))
    assert through.get(session).status_code == 200
    proxy.lose = 1

    answer = through.patch(session, json={"stateDelta": {"a": 1}})

    assert proxy.lost == 1
    refused(answer, 503, "whether it did is unknown", "Read the session", retry=True)
    assert client.get(session).json()["state"] == {"a": 1}


def test_a_request_that_fits_nothing_is_told_without_what_was_sent(client: httpx.Client) -> None:
    """FastAPI's own answer repeats it."""
    answer = client.post("/run", json={"appName": "echo", "newMessage": "my secret wish"})

    found = refused(answer, 422, "body", "userId", retry=False)
    assert "my secret wish" not in answer.text
    assert {"body.userId", "body.sessionId"} <= {each["at"] for each in found["errors"]}


def test_an_agent_that_fails_is_told_and_logged(
    client: httpx.Client, session: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets an id, and the log the rest under it."""

    async def fails(*_: Any, **__: Any) -> None:
        message = "the model's key is wrong"
        raise RuntimeError(message)

    monkeypatch.setattr("google.adk.runners.Runner._setup_context_for_new_invocation", fails)

    answer = run(client, session)

    refused(answer, 500, "its log has more", retry=False)
    assert "key" not in answer.text
    (record,) = [each for each in caplog.records if each.name == "app.api.storage.failures"]
    assert record.exc_info is not None
    assert "the model's key is wrong" in str(record.exc_info[1])
