"""What comes over a websocket of `/run_live`: nothing that a body could not bring, and no end without a word."""

import contextlib
import gc
import logging
import re
import socket as sockets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.genai.types import Part
from sqlalchemy import URL
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.uri import parse_uri

from app import server
from app.api.sockets import backlog, live
from rehearsal.cluster import Cluster

AGENT = '''
"""Stores what it is told to, over a websocket."""

import asyncio

from google.adk.agents import BaseAgent
from google.adk.events import Event, EventActions
from google.genai.types import Content, Part


class Parrot(BaseAgent):
    async def _run_live_impl(self, ctx):
        while not (request := await ctx.live_request_queue.get()).close:
            said = request.content.parts[0].text if request.content else ""
            if said.startswith("fail"):
                raise RuntimeError(said)
            if said.startswith("wait"):
                await asyncio.Event().wait()
            if said.startswith("much"):
                for _ in range(50):
                    yield Event(author=self.name, content=Content(parts=[Part(text="x" * 2**20)]), partial=True)
            if said.startswith("slow"):
                await asyncio.sleep(0.05)
                said = f"slow, {ctx.live_request_queue._queue.qsize()} more"
            yield Event(
                invocation_id=ctx.invocation_id,
                author=self.name,
                content=Content(role="model", parts=[Part(text=f"heard {said}")]),
                actions=EventActions(state_delta=request.state_delta or {}),
            )


root_agent = Parrot(name="parrot")
'''


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one agent that can be talked to."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "parrot").mkdir()
    (folder / "parrot" / "agent.py").write_text(AGENT)
    (folder / "parrot" / "__init__.py").write_text("from . import agent\n")
    return folder


@pytest.fixture(scope="module")
def client(serve: Any, provider: Any, url: URL, agents: Path) -> httpx.Client:
    """Of a server on PostgreSQL that takes the provider's tokens; ada has a session."""
    served: httpx.Client = serve(url, **provider.settings, AGENTS_DIR=str(agents))
    served.post(SESSIONS, json={"sessionId": "s"}, headers=provider.headers("ada")).raise_for_status()
    return served


SESSIONS = "/apps/parrot/users/ada/sessions"
SHARED = '{"state_delta": {"app:price": 0}}'


@contextlib.contextmanager
def talk(client: httpx.Client, headers: dict[str, str], app: str = "parrot", more: str = "") -> Iterator[Connection]:
    """A websocket of ada's."""
    base = str(client.base_url).replace("http", "ws", 1)
    query = f"app_name={app}&user_id=ada&session_id=s{more}"
    with connect(f"{base}/run_live?{query}", additional_headers=headers, proxy=None, max_size=None) as socket:
        yield socket


def end(socket: Connection) -> tuple[int, str]:
    """With which code and reason it is closed."""
    with pytest.raises(ConnectionClosed) as caught:
        list(iter(lambda: socket.recv(30), None))
    assert caught.value.rcvd is not None, "the server has gone without a word"
    return caught.value.rcvd.code, caught.value.rcvd.reason


def words(text: str) -> str:
    """A message of a user."""
    return f'{{"content": {{"role": "user", "parts": [{{"text": "{text}"}}]}}}}'


def test_an_agent_hears_and_answers(client: httpx.Client, provider: Any) -> None:
    """Message by message, and what it stores is there."""
    with talk(client, provider.headers("ada")) as socket:
        for text in ("hello", "again"):
            socket.send(words(text))
            assert f"heard {text}" in socket.recv(30)
        socket.send('{"state_delta": {"colour": "blue"}}')
        socket.recv(30)

    assert client.get(f"{SESSIONS}/s", headers=provider.headers("ada")).json()["state"]["colour"] == "blue"


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (SHARED, 1008, "expected no state under app:"),
        ('{"stateDelta": {"app:price": 0}}', 1008, "expected no state under app:"),
        ('{"state_delta": {"\\u0061pp:price": 0}}', 1008, "expected no state under app:"),
        ('{"state_delta": {"app:price": 0}, "state_delta": {}}', 1008, "expected no state under app:"),
        ('{"state_delta": {"a": 1, "app:price": 0}, "content": {"parts": [{"text": "a"}]}}', 1008, "app:"),
        (b"{}", 1003, "expected messages of text"),
        ("hello", 1007, "expected JSON in UTF-8"),
        ('{"state_delta": {"a": NaN}}', 1007, "numbers that JSON has words for"),
        ('{"state_delta": {"a": 1e999}}', 1007, "64 bits"),
        ('{"state_delta": {"a": "\\u0000"}}', 1007, "NUL"),
        ('{"state_delta": {"a": "\\ud800"}}', 1007, "surrogate pair"),
        ('{"state_delta": {"a": ' + "[" * 150 + "]" * 150 + "}}", 1007, "100 levels"),
        ('{"state_delta": {"a": [' + "{}," * 100_000 + "1]}}", 1007, "100000 values"),
        ("[]", 1007, "expected a LiveRequest of ADK's: "),
        ('{"content": "my secret wish"}', 1007, "expected a LiveRequest of ADK's: content: "),
    ],
    ids=range(15),
)
def test_a_message_is_held_to_what_a_body_is_held_to(
    client: httpx.Client, provider: Any, message: str | bytes, code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """ADK alone stores it, or goes on in silence; and nothing of it is in the log."""
    with talk(client, provider.headers("ada")) as socket:
        socket.send(message)
        closed = end(socket)

    assert closed[0] == code, closed
    assert reason in closed[1]
    state = client.get(f"{SESSIONS}/s", headers=provider.headers("ada")).json()["state"]
    assert not {"app:price", "a"} & set(state)
    assert "my secret wish" not in caplog.text + closed[1]


def test_what_all_users_share_is_an_operators_to_write(client: httpx.Client, provider: Any) -> None:
    """Over a websocket as by a body."""
    operator = provider.headers("grace", scope="sessions.operate")
    with talk(client, operator) as socket:
        socket.send('{"state_delta": {"app:open": true}}')
        socket.recv(30)

    assert client.get(f"{SESSIONS}/s", headers=operator).json()["state"]["app:open"] is True


def test_a_websocket_ends_with_its_token(client: httpx.Client, provider: Any) -> None:
    """Which may be 30 seconds later by another clock; a client then comes with a new one."""
    with talk(client, provider.headers("ada", exp=int(time.time()) - 28)) as socket:
        assert end(socket) == (1008, "the token has expired")


def test_an_agent_that_is_not_there_is_told(
    client: httpx.Client, provider: Any, agents: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """ADK looks for it only when the websocket is open; nobody else's mistake is an error of the server's."""
    with caplog.at_level(logging.WARNING), talk(client, provider.headers("ada"), app="nosuch") as socket:
        code, reason = end(socket)

    assert code == 1008
    assert "nosuch" in reason
    assert str(agents) not in reason
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "app"))]


def test_a_database_that_fails_ends_the_talk_in_words(client: httpx.Client, provider: Any, cluster: Cluster) -> None:
    """With the kind that a body would be answered with."""
    raising = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a row' USING ERRCODE = '53100'; END $$"
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words("hello"))
        socket.recv(30)
        cluster.execute(f"CREATE FUNCTION full_disk() {raising}", "sessions")
        cluster.execute(
            "CREATE TRIGGER fails BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()", "sessions"
        )
        try:
            socket.send(words("hello"))
            code, reason = end(socket)
        finally:
            cluster.execute("DROP FUNCTION full_disk() CASCADE", "sessions")

    assert code == 1011
    assert reason.startswith("the database has no room left")


def test_an_agent_that_raises_ends_the_talk(
    client: httpx.Client, provider: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """However long its words are: a reason of more than 123 bytes would be an error of the protocol."""
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words("fail" + "ä" * 200))
        code, reason = end(socket)

    assert code == 1011
    assert reason.startswith("failä")
    assert "failä" not in capfd.readouterr().err, "ADK logs and prints it, and only the log leaves out what it quotes"


@pytest.mark.parametrize(
    ("more", "headers", "status"),
    [
        ("&modalities=SMELL", {}, 422),
        ("", {"Origin": "https://evil.example"}, 403),
    ],
)
def test_a_websocket_that_is_not_opened_is_refused_in_a_problem_document(
    client: httpx.Client, provider: Any, more: str, headers: dict[str, str], status: int
) -> None:
    """Also where ADK is the one who refuses."""
    with pytest.raises(InvalidStatus) as caught, talk(client, provider.headers("ada") | headers, more=more):
        """Not reached."""

    response = caught.value.response
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


LARGE = "x" * 2**20


def send_all(socket: Connection, texts: list[str]) -> None:
    """As fast as they are taken."""
    for text in texts:
        socket.send(text)


def test_messages_come_in_as_the_agent_takes_them(client: httpx.Client, provider: Any) -> None:
    """All of them, but what waits for a slow agent stays with the client, not in the server's memory."""
    with talk(client, provider.headers("ada")) as socket:
        sending = threading.Thread(target=send_all, args=(socket, [words(f"slow {LARGE}")] * 30))
        sending.start()
        answers = [str(socket.recv(30)) for _ in range(30)]
        sending.join()

    waiting = [int(found.group(1)) for each in answers if (found := re.search(r"slow, (\d+) more", each))]
    assert len(waiting) == 30
    assert max(waiting) <= 9, "10 MiB, with that which is worked on"


def test_what_a_websocket_brought_goes_with_it(client: httpx.Client, provider: Any) -> None:
    """Its objects refer to one another; Python's collector counts objects alone, and lets gigabytes pile up."""
    gc.disable()  # As far from its next turn as it may be.
    try:
        with talk(client, provider.headers("ada")) as socket:
            for _ in range(20):
                socket.send(words("x" * 2**20))
                assert "heard" in socket.recv(30)
        client.delete(f"{SESSIONS}/s", headers=provider.headers("ada")).raise_for_status()
        client.post(SESSIONS, json={"sessionId": "s"}, headers=provider.headers("ada")).raise_for_status()

        assert any(client.get("/livez").is_success and not large_parts() for _ in range(2000))
    finally:
        gc.enable()


def large_parts() -> int:
    """How many parts of contents of a MiB or more are in memory; read-only."""
    return sum(isinstance(each, Part) and len(each.text or "") >= 2**20 for each in gc.get_objects())


def test_an_agent_that_takes_nothing_is_sent_nothing(
    client: httpx.Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A websocket that goes on for nothing is closed, so that its client knows, and its room is free again."""
    monkeypatch.setattr(backlog, "_PATIENCE", 0.1)
    with talk(client, provider.headers("ada")) as socket:
        with contextlib.suppress(ConnectionClosed):
            for text in ("wait", *[LARGE] * 30):
                socket.send(words(text))
        code, reason = end(socket)
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words(LARGE[: 2**19]))
        socket.recv(30)

    assert code == 1013
    assert reason.startswith("expected fewer messages at one time")


def test_many_small_values_count_for_what_they_take(
    client: httpx.Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message of 60 KB may be a list of parts that takes 15 MB."""
    monkeypatch.setattr(backlog, "_PATIENCE", 0.1)
    with talk(client, provider.headers("ada")) as socket:
        with contextlib.suppress(ConnectionClosed):
            socket.send(words("wait"))
            for _ in range(5):
                socket.send('{"content": {"parts": [' + "{}," * 20_000 + "{}]}}")
        code, _ = end(socket)

    assert code == 1013


@pytest.mark.usefixtures("client")
def test_a_turn_over_a_websocket_counts_as_a_request(serve: Any, provider: Any, url: URL, agents: Path) -> None:
    """Or one websocket would be a way round `API_RATE`; sound comes in many messages and is none."""
    client = serve(url, **provider.settings, AGENTS_DIR=str(agents), API_RATE="5/hour")
    with talk(client, provider.headers("ada")) as socket:
        for text in ('{"blob": {"mimeType": "audio/pcm", "data": "AAAA"}}',) * 10 + (words("hello"),) * 4:
            socket.send(text)
            assert "heard" in socket.recv(30)
        socket.send('{"state_delta": {"k": 1}}')
        closed = end(socket)

    assert closed[0] == 1013
    assert closed[1].startswith("expected fewer requests: ask again in ")


def test_a_websocket_brings_so_much_and_no_more(
    client: httpx.Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ADK holds all events of a session for as long as the websocket is open; sound passes by."""
    monkeypatch.setattr(backlog, "_KEPT", 3 * 2**20)
    sound = '{"blob": {"mimeType": "audio/pcm", "data": "' + "A" * 2**20 + '"}}'
    with contextlib.ExitStack() as stack:
        for texts in ((sound, sound, sound, words(LARGE)), (words(LARGE),)):
            socket = stack.enter_context(talk(client, provider.headers("ada")))
            for text in texts:
                socket.send(text)
                socket.recv(30)
        socket.send(words(LARGE))
        code, reason = end(socket)
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words(LARGE))
        socket.recv(30)

    assert code == 1013
    assert reason.endswith("connect again")


def test_a_message_that_is_larger_than_the_room_comes_in_alone(
    client: httpx.Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as `API_MAX_BODY` allows it, which is the operator's."""
    for bound in ("_WAITING", "_KEPT", "_ALL"):
        monkeypatch.setattr(backlog, bound, 2**10)
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words(LARGE))
        assert "heard" in socket.recv(30)


def test_all_websockets_bring_so_much_and_no_more(
    client: httpx.Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whosever they are; and all of it is given back, however they end."""
    with talk(client, provider.headers("ada")) as socket:
        socket.send(words(LARGE))
        socket.recv(30)
        held = backlog.Room.of_all
        monkeypatch.setattr(backlog, "_ALL", held + 2**20)
        with talk(client, provider.headers("grace", scope="sessions.operate")) as other:
            other.send(words(LARGE))
            code, reason = end(other)

    assert held > 2**20
    assert (code, reason) == (1013, "expected less over all websockets of this server: connect again later")


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    """Whatever a test brings over websockets is let go, once it has closed them."""
    yield
    while backlog.Room.of_all:
        time.sleep(0.01)


@pytest.mark.usefixtures("client")
def test_a_client_that_hangs_up_is_no_error(
    serve: Any, provider: Any, url: URL, agents: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Also in the middle of what is sent to it, where ADK would go on to read from what has ended."""
    settings = provider.settings | {"AGENTS_DIR": str(agents), "API_CLIENT_CONCURRENCY": "1"}
    client, headers = serve(url, **settings), provider.headers("ada")
    gc.collect()  # What agents of other tests have raised is told when it is found.
    caplog.clear()
    for _ in range(20):
        with talk(client, headers) as socket, contextlib.suppress(ConnectionClosed):
            for _ in range(30):
                socket.send('{"blob": {"mimeType": "audio/pcm", "data": "AAAA"}}')
            socket.recv(30)
            socket.socket.shutdown(sockets.SHUT_RDWR)
        while client.get("/list-apps", headers=headers).status_code == 429:
            """It has not ended yet."""

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@contextlib.contextmanager
def deaf(client: httpx.Client, headers: dict[str, str]) -> Iterator[tuple[sockets.socket, ClientProtocol]]:
    """A websocket of bob's that reads nothing but the handshake."""
    uri = f"ws://{client.base_url.netloc.decode()}/run_live?app_name=parrot&user_id=bob&session_id=s"
    protocol = ClientProtocol(parse_uri(uri))
    request = protocol.connect()
    request.headers.update(headers)
    protocol.send_request(request)
    with sockets.create_connection((client.base_url.host, client.base_url.port or 0)) as socket:
        socket.sendall(b"".join(protocol.data_to_send()))
        protocol.receive_data(socket.recv(4096))
        yield socket, protocol


def test_who_never_reads_does_not_keep_its_place(
    serve: Any, provider: Any, url: URL, agents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much an agent has to say."""
    monkeypatch.setattr(live, "_UNREAD", 0.1)
    settings = provider.settings | {"AGENTS_DIR": str(agents), "API_CLIENT_CONCURRENCY": "1"}
    client, headers = serve(url, **settings), provider.headers("bob")
    client.post("/apps/parrot/users/bob/sessions", json={"sessionId": "s"}, headers=headers).raise_for_status()

    with deaf(client, headers) as (socket, protocol):
        protocol.send_text(words("much").encode())
        socket.sendall(b"".join(protocol.data_to_send()))
        while (answer := client.get("/list-apps", headers=headers)).status_code == 429:
            """Its one place is taken."""

    assert answer.status_code == 200


def test_nothing_is_compressed(sqlite_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or 180 KB of a client are 180 MB of messages before the first is looked at; uvicorn stops reading in between."""
    monkeypatch.setenv("API_ACCESS", "loopback")
    monkeypatch.setattr("app.api.telemetry.logs.install", lambda *_: None)  # It is the whole process's.
    made = server.running("127.0.0.1", sqlite_url)
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=made.run, args=([listener],))
        thread.start()
        try:
            port = listener.getsockname()[1]
            uri = f"ws://127.0.0.1:{port}/run_live?app_name=echo&user_id=ada&session_id=s"
            with connect(uri, proxy=None, compression="deflate") as socket:
                extensions = socket.protocol.extensions
        finally:
            made.should_exit = True
            thread.join()

    assert list(extensions) == []
