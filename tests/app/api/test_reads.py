"""What is read of the database is bounded: for one request, and for all of them at one time."""

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from google.adk.sessions.base_session_service import GetSessionConfig
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from sqlalchemy import URL
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.api.storage import memory
from app.api.storage.sizes import HeavyError, PostgresqlSizes, Read, SqliteSizes
from app.backends.sqlite.uri import adk_uri
from app.engine import Pool, create
from app.start import credentials
from rehearsal.cluster import Cluster

AGENT = '''
"""Does what it is told to, with its session in memory."""

import asyncio
import sys

from google.adk.agents import BaseAgent
from google.adk.events import Event
from google.genai.types import Content, Part

gate = sys.modules["session_db_gate"]


class Keeper(BaseAgent):
    async def _run_async_impl(self, ctx):
        said = ctx.user_content.parts[0].text
        if said.startswith("raise"):
            raise RuntimeError(said)
        if said.startswith("exit"):
            raise SystemExit(said)
        if said.startswith("wait"):
            gate.begun.set()
            await asyncio.to_thread(gate.go.wait)
        yield Event(invocation_id=ctx.invocation_id, author=self.name, content=Content(parts=[Part(text="done")]))

    async def _run_live_impl(self, ctx):
        yield Event(invocation_id=ctx.invocation_id, author=self.name, content=Content(parts=[Part(text="live")]))
        while not (await ctx.live_request_queue.get()).close:
            pass


root_agent = Keeper(name="keeper")
'''

BOUND = 2 * 2**20
LARGE = 1_500_000
"""Bytes that have room once, and not twice."""


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one agent, which waits at a gate."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "keeper").mkdir()
    (folder / "keeper" / "agent.py").write_text(AGENT)
    (folder / "keeper" / "__init__.py").write_text("from . import agent\n")
    return folder


@pytest.fixture
def gate() -> Iterator[Any]:
    """Two events: a turn has begun, and it may go on."""
    gate: Any = sys.modules.setdefault("session_db_gate", ModuleType("session_db_gate"))
    gate.begun, gate.go = threading.Event(), threading.Event()
    yield gate
    gate.go.set()


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest) -> URL:
    """Of either kind."""
    name = "url" if request.param == "postgresql" else "sqlite_url"
    found: URL = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="module")
def client(serve: Any, place: URL, agents: Path) -> httpx.Client:
    """Of a server with room for one that is large, for which nobody waits long."""
    sys.modules.setdefault("session_db_gate", ModuleType("session_db_gate"))
    served: httpx.Client = serve(place, AGENTS_DIR=str(agents), API_MAX_READ=str(BOUND), SESSION_DB_POOL_TIMEOUT="0.5")
    return served


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """The path of a user of the test's own."""
    return f"/apps/keeper/users/{abs(hash(request.node.nodeid))}/sessions"


def store(client: httpx.Client, user: str, name: str = "s", **state: Any) -> str:
    """The path of a new session with a state."""
    made = client.post(user, json={"sessionId": name, "state": state})
    assert made.status_code == 200, made.text
    return f"{user}/{name}"


def run(client: httpx.Client, session: str, words: str = "hello", route: str = "/run") -> httpx.Response:
    """A turn."""
    _, _, app, _, user, _, name = session.split("/")
    message = {"role": "user", "parts": [{"text": words}]}
    return client.post(route, json={"appName": app, "userId": user, "sessionId": name, "newMessage": message})


def refused(answer: httpx.Response, *words: str) -> None:
    """Hold an answer against what is told where too much is stored."""
    assert answer.status_code == 507, answer.text[:300]
    told = answer.json()
    assert told["retry"] is False
    for each in ("API_MAX_READ", str(BOUND), "nothing of this request was stored", *words):
        assert each in told["detail"]


def has_room(client: httpx.Client, session: str) -> bool:
    """Whether all that was taken is free again; a server sees that a client has gone in its own time."""
    return any(client.get(session).status_code == 200 for _ in range(20))


def test_a_list_that_is_too_large_is_refused_and_each_of_it_is_read(client: httpx.Client, user: str) -> None:
    """And another user's list; nobody waits for what will never be."""
    paths = [store(client, user, f"s{number}", a="x" * 900_000) for number in range(3)]
    others = store(client, f"{user}".replace("/users/", "/users/bob-"), a="x")

    refused(client.get(user), "list of sessions", "delete some by their ids")
    assert [client.get(path).status_code for path in paths] == [200] * 3
    assert client.get(others.removesuffix("/s")).status_code == 200


def test_what_is_too_large_to_be_listed_is_deleted(client: httpx.Client, user: str) -> None:
    """By its id, and then the list is there."""
    paths = [store(client, user, f"s{number}", a="x" * 900_000) for number in range(3)]
    refused(client.get(user))

    assert client.delete(paths[0]).status_code == 200
    assert len(client.get(user).json()) == 2


def large(client: httpx.Client, user: str) -> str:
    """A session of which state and events together are too large."""
    session = store(client, user)
    assert client.patch(session, json={"stateDelta": {"a": "x" * LARGE}}).status_code == 200
    return session


def test_a_session_with_too_many_events_is_refused(client: httpx.Client, user: str) -> None:
    """Whoever reads it: a run would load all of them."""
    session = large(client, user)

    refused(client.get(session), "session with its events")
    refused(run(client, session), "session with its events")
    refused(client.patch(session, json={"stateDelta": {"b": 1}}))
    assert client.delete(session).status_code == 200


def test_a_websocket_on_it_says_so(client: httpx.Client, user: str) -> None:
    """And that connecting again would not help."""
    session = large(client, user)
    _, _, app, _, name, _, _ = session.split("/")
    base = str(client.base_url).replace("http", "ws", 1)
    query = f"app_name={app}&user_id={name}&session_id=s"
    with connect(f"{base}/run_live?{query}", proxy=None) as ws, pytest.raises(ConnectionClosed) as caught:
        ws.recv(30)

    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, "API_MAX_READ" in caught.value.rcvd.reason) == (1011, True)


def test_a_websocket_holds_what_it_has_read(client: httpx.Client, user: str) -> None:
    """Its session is in memory until it ends."""
    session = store(client, user, a="x" * LARGE)
    name = session.split("/")[4]
    base = str(client.base_url).replace("http", "ws", 1)
    with connect(f"{base}/run_live?app_name=keeper&user_id={name}&session_id=s", proxy=None, max_size=None) as ws:
        ws.recv(30)
        assert client.get(session).status_code == 503

    assert has_room(client, session)


def test_many_objects_weigh_more_than_their_text(client: httpx.Client, user: str) -> None:
    """Each of two bytes becomes hundreds in memory."""
    session = store(client, user, a=[{}] * 30_000)

    refused(client.get(session))


def test_a_users_state_weighs_in_each_session(client: httpx.Client, user: str) -> None:
    """Since it is merged into each of a list."""
    session = store(client, user, **{"user:a": "x" * 300_000})
    assert client.get(user).status_code == 200
    for number in range(7):
        store(client, user, f"s{number}")

    refused(client.get(user), "list of sessions")
    assert client.get(session).status_code == 200


def test_a_users_state_that_is_too_large_is_no_more_read(client: httpx.Client, user: str) -> None:
    """A new session would load it as well."""
    store(client, user, "s0", **{"user:a": "x" * LARGE})
    store(client, user, "s1", **{"user:b": "x" * LARGE})

    refused(client.post(user, json={"sessionId": "s2"}), "states of the user")


def test_what_others_read_is_waited_for(
    client: httpx.Client, user: str, gate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For so long; and then both have been read."""
    session, full = store(client, user, a="x" * LARGE), threading.Event()
    take = memory.Room.take

    async def spied(self: memory.Room, size: int, *, more: bool) -> None:
        if size > self.free:
            full.set()
        await take(self, size, more=more)

    monkeypatch.setattr(memory.Room, "take", spied)
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(run, client, session, "wait")
        assert gate.begun.wait(30)
        crowded = client.get(session)
        assert (crowded.status_code, crowded.headers["retry-after"]) == (503, "1")
        assert crowded.json()["retry"] is True
        assert "nothing of this request was stored" in crowded.json()["detail"]
        full.clear()
        waiting = threads.submit(client.get, session)
        assert full.wait(30)
        gate.go.set()

        assert (turn.result().status_code, waiting.result().status_code) == (200, 200)


def test_one_user_leaves_room_for_another(client: httpx.Client, user: str, gate: Any) -> None:
    """Whose session may be as large; a third one waits."""
    users = [user.replace("/users/", f"/users/{name}-") for name in ("a", "b", "c")]
    sessions = [store(client, each, a="x" * LARGE) for each in users]
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(run, client, sessions[0], "wait")
        assert gate.begun.wait(30)
        assert client.get(sessions[1]).status_code == 200
        gate.begun.clear()
        other = threads.submit(run, client, sessions[1], "wait")
        assert gate.begun.wait(30)
        assert client.get(sessions[2]).status_code == 503
        gate.go.set()

        assert (turn.result().status_code, other.result().status_code) == (200, 200)
    assert has_room(client, sessions[2])


def test_what_is_small_never_waits(client: httpx.Client, user: str, gate: Any) -> None:
    """Though all of the room is taken."""
    session, small = store(client, user, a="x" * LARGE), user.replace("/users/", "/users/bob-")
    path = store(client, small, a="x" * 900_000)
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(run, client, session, "wait")
        assert gate.begun.wait(30)
        assert client.get(session).status_code == 503

        assert [run(client, path).status_code for _ in range(3)] == [200] * 3
        assert client.get(small).status_code == 200
        gate.go.set()
        assert turn.result().status_code == 200


@pytest.mark.parametrize("route", ["/run", "/run_sse"])
@pytest.mark.parametrize("words", ["raise", "exit", "hello"])
def test_a_turn_that_ends_gives_back_what_it_held(client: httpx.Client, user: str, words: str, route: str) -> None:
    """However it ends."""
    session = store(client, user, a="x" * LARGE)
    for _ in range(3):
        with contextlib.suppress(httpx.RemoteProtocolError):  # Of a stream that its agent has cut off.
            run(client, session, words, route)

        assert has_room(client, session)


def test_a_client_that_hangs_up_gives_back_what_it_held(client: httpx.Client, user: str, gate: Any) -> None:
    """Whether it held it already or waited for it."""
    session = store(client, user, a="x" * LARGE)
    host, port = client.base_url.host, client.base_url.port or 80
    with ThreadPoolExecutor() as threads:
        turn = threads.submit(run, client, session, "wait", "/run_sse")
        assert gate.begun.wait(30)
        for _ in range(5):
            with socket.create_connection((host, port)) as gone:
                gone.sendall(f"GET {session} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        gate.go.set()
        turn.result()

    assert has_room(client, session)
    with socket.create_connection((host, port)) as unread:
        unread.sendall(f"GET {session} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert unread.recv(1)

        assert has_room(client, session), "an answer that is not read is bytes alone"


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # A file does not end in the middle.
def test_a_database_that_fails_takes_no_room(client: httpx.Client, user: str, cluster: Cluster) -> None:
    """And the client is told, as of any other read."""
    session = store(client, user, a="x" * LARGE)
    cluster.stop()
    try:
        answer = client.get(session)
    finally:
        cluster.start()

    assert (answer.status_code, answer.json()["retry"]) == (503, True)
    assert has_room(client, session)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # SQLite keeps what it is given.
def test_what_is_compressed_weighs_what_it_is_in_memory(client: httpx.Client, user: str, cluster: Cluster) -> None:
    """On PostgreSQL's disk it is a hundredth, and numbers are short."""
    texts, numbers = store(client, user, "s0", a="x" * 3_000_000), store(client, user, "s1", a=[1e300] * 8000)
    stored = cluster.execute("SELECT max(pg_column_size(state)) FROM sessions WHERE id IN ('s0', 's1')", "sessions")
    assert stored[0][0] < 100_000

    refused(client.get(texts))
    refused(client.get(numbers))


def test_what_refused_them_is_counted(client: httpx.Client, user: str) -> None:
    """Apart from a disk that is full."""
    refused(client.get(large(client, user)))

    assert 'session_db_errors_total{kind="too_large_read"}' in client.get("/metrics").text


def test_who_is_cancelled_while_it_waits_leaves_the_room_as_it_was() -> None:
    """Before it is served, and at the very moment; whoever waits behind it comes next."""

    async def room_after(*, served: bool) -> tuple[int, bool]:
        room, first, held = memory.Room(10), memory.Held(), memory.Held()
        await first.grow([room], 8)
        waiting, behind = (
            asyncio.create_task(each.grow([room], size)) for each, size in ((memory.Held(), 5), (held, 2))
        )
        await asyncio.sleep(0)
        if served:
            first.end()
        waiting.cancel()
        await asyncio.wait({waiting, behind})
        first.end()
        held.end()
        return room.free, waiting.cancelled()

    assert asyncio.run(room_after(served=False)) == (10, True)
    assert asyncio.run(room_after(served=True)) == (10, True)


def test_who_holds_some_and_needs_more_comes_first() -> None:
    """Else it would wait for whoever waits for it."""

    async def grown() -> list[bool]:
        room, held, another = memory.Room(10), memory.Held(), memory.Held()
        await held.grow([room], 4)
        waiting = asyncio.create_task(another.grow([room], 9))
        await asyncio.sleep(0)
        await held.grow([room], 8)
        told = [waiting.done()]
        held.end()
        await waiting
        return [*told, room.free == 1]

    assert asyncio.run(grown()) == [False, True]


def test_a_request_that_ends_while_a_task_of_it_waits_leaves_nothing_behind() -> None:
    """An agent may start tasks that nobody waits for."""

    async def room_after() -> int:
        room, first, held = memory.Room(10), memory.Held(), memory.Held()
        await first.grow([room], 8)
        waiting = asyncio.create_task(held.grow([room], 5))
        await asyncio.sleep(0)
        held.end()
        first.end()
        await waiting
        return room.free

    assert asyncio.run(room_after()) == 10


def weigh(place: URL, read: Read) -> int:
    """How large it is, asked of the database; 0 where it is small."""
    config = GetSessionConfig(num_recent_events=read.recent, after_timestamp=read.after)

    async def weighed() -> None:
        if place.get_backend_name() == "sqlite":
            sizes: Any = SqliteSizes(place, BOUND)
            service: Any = SqliteSessionService(adk_uri(place))
        else:
            sizes = PostgresqlSizes(BOUND)
            service = DatabaseSessionService(db_engine=(engine := create(place, Pool(), credentials(place))))
        named = {"app_name": read.app, "user_id": read.user}
        more = {"session_id": read.session, "config": config}
        try:
            await sizes.small(
                read, lambda: service.list_sessions(**named) if read.all else service.get_session(**named, **more)
            )
        finally:
            if place.get_backend_name() != "sqlite":
                await engine.dispose()

    try:
        asyncio.run(weighed())
    except HeavyError as error:
        return error.size
    return 0


def test_only_what_is_asked_for_weighs(client: httpx.Client, place: URL, user: str) -> None:
    """As many events, and of such a time, as ADK reads for a GetSessionConfig."""
    session, name = store(client, user), user.split("/")[4]
    for number in range(6):
        assert client.patch(session, json={"stateDelta": {"a": f"{number}" * 250_000}}).status_code == 200
    moments = [event["timestamp"] for event in client.get(session).json()["events"]]

    def of(**asked: Any) -> int:
        return weigh(place, Read("keeper", name, "s", **asked))

    assert of() == pytest.approx(7 * 250_000, rel=0.05)
    assert of(recent=4) == pytest.approx(5 * 250_000, rel=0.05)
    assert of(recent=0) == 0, "the state alone"
    assert of(after=moments[2]) == pytest.approx(5 * 250_000, rel=0.05)
    assert of(after=moments[1], recent=4) == pytest.approx(5 * 250_000, rel=0.05)


def test_no_more_is_decompressed_than_shows_that_it_is_too_large(url: URL, serve: Any) -> None:
    """Gigabytes of text would keep the database's processors busy with each request."""
    served, path = serve(url), "/apps/packed/users/ada/sessions"
    for number in range(6):
        store(served, path, f"s{number}", a="x" * LARGE)

    assert BOUND < weigh(url, Read("packed", "ada", all=True)) < BOUND + 2 * LARGE


def test_a_list_of_all_users_weighs_each_users_state_as_often(client: httpx.Client, place: URL, user: str) -> None:
    """An agent may ask for it."""
    for each in (user, f"{user}".replace("/users/", "/users/bob-")):
        path = each.replace("keeper", "listed")
        for number in range(2):
            store(client, path, f"s{number}", **({"user:a": "x" * 300_000} if number else {}))

    # Each user's once as it is read, and once in each of two sessions.
    assert weigh(place, Read("listed", None, all=True)) == pytest.approx(6 * 300_000, rel=0.05)


def test_a_session_under_a_padded_id_weighs(client: httpx.Client, place: URL, user: str) -> None:
    """ADK takes blanks around an id off before it reads a file."""
    store(client, user, a="x" * LARGE)
    read = client.get(f"{user}/%20s").status_code == 200

    assert (weigh(place, Read("keeper", user.split("/")[4], " s")) > LARGE) == read
