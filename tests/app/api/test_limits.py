"""How much one client may ask: bodies that are too large, too slow or never end, and requests without a pause."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.api.bounds.limits import Limits
from app.api.bounds.room import SMALL, Held, NoRoomError, Room, weight
from app.api.found import Caller
from app.errors import InvalidSettingError

USER = "/apps/echo/users/ada/sessions"
JSON = {"Content-Type": "application/json"}
TOKEN = "x" * 32
LARGE = 2 * SMALL


@pytest.fixture(scope="module")
def client(serve: Any) -> httpx.Client:
    """Of a server with small bounds."""
    served: httpx.Client = serve(API_MAX_BODY="2000", API_BODY_TIMEOUT="1")
    return served


def body(size: int) -> bytes:
    """JSON of that many bytes."""
    return b'{"state": {"a": "' + b"x" * (size - 20) + b'"}}'


def test_a_body_of_the_largest_size_is_taken(client: httpx.Client) -> None:
    """And not one byte more, which is told before the body is there."""
    assert client.post(USER, content=body(2000), headers=JSON).status_code == 200
    refused = client.post(USER, content=body(2001), headers=JSON)

    assert (refused.status_code, refused.json()["detail"]) == (413, "expected a body of at most 2000 bytes")
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_body_of_an_unknown_size_is_counted_as_it_comes(client: httpx.Client) -> None:
    """It is not read to its end."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 65536
            yield b"x" * 65536

    # A server that hangs up in the middle is heard of as its answer, or as an error of the client's next write.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert client.post(USER, content=endless(), headers=JSON).status_code == 413

    assert sent < 65536 * 10_000


def test_large_bodies_have_room_for_so_many_at_once(serve: Any) -> None:
    """Each may be as large as it is; together they would be more than the memory of a container."""
    client = serve(API_MAX_BODY=str(LARGE))
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(unfinished(client))
        refused = next(answer for answer in posts(client) if answer.status_code != 200)

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "fewer large bodies" in refused.json()["detail"]
        assert client.post(USER, content=body(SMALL - 1000), headers=JSON).status_code == 200, "a small one"

    assert any(answer.status_code == 200 for answer in posts(client))


def test_one_users_large_bodies_leave_room_for_anothers(serve: Any, provider: Any) -> None:
    """A quarter is a user's; who sends more is told to come again."""
    client = serve(**provider.settings, API_MAX_BODY=str(LARGE))
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(unfinished(client, **provider.headers("ada")))
        refused = next(answer for answer in posts(client, **provider.headers("ada")) if answer.status_code != 200)

        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "of one user" in refused.json()["detail"]
        bobs = client.post(USER.replace("ada", "bob"), content=body(LARGE), headers=JSON | provider.headers("bob"))
        assert bobs.status_code == 200

    assert any(answer.status_code == 200 for answer in posts(client, **provider.headers("ada")))


@pytest.mark.usefixtures("kept")
def test_a_body_that_is_read_takes_half_of_its_room() -> None:
    """A turn may take minutes, in which there is one copy of what was four; and all is given back, once."""
    room = Room(LARGE)
    turns = [Held(room, None) for _ in range(15)]
    for turn in turns:
        turn.grow(LARGE)
        turn.settle()
    with pytest.raises(NoRoomError):
        Held(room, None).grow(LARGE)

    for turn in turns:
        turn.let_go()
        turn.settle()
        turn.let_go()

    assert (room.free, room.of_user) == (8 * LARGE, {})


@pytest.mark.usefixtures("kept")
def test_a_body_of_many_parts_takes_the_room_of_what_it_becomes() -> None:
    """Two bytes of JSON are an object of hundreds; and where nobody else is, there is room for it."""
    parts = weight(b'{"parts":[' + b"{}," * 50_000 + b"{}]}")
    ada, room = Caller("ada", "ada"), Room(10 * 2**20)
    first = Held(room, ada)
    first.grow(parts)
    Held(room, ada).grow(parts)
    with pytest.raises(NoRoomError, match="of one user") as refused:
        Held(room, ada).grow(parts)
    assert refused.value.status == 429

    small = Room(2000)
    alone = Held(small, ada)
    alone.grow(parts)
    with pytest.raises(NoRoomError):
        Held(small, None).grow(SMALL + 1)
    alone.let_go()
    assert (small.free, small.of_user) == (8 * 2000, {})


def posts(client: httpx.Client, **headers: str) -> Iterator[httpx.Response]:
    """One large body after the other."""
    return (client.post(USER, content=body(LARGE), headers=JSON | headers) for _ in range(1000))


@contextlib.contextmanager
def unfinished(client: httpx.Client, **headers: str) -> Iterator[None]:
    """A large body of which the last byte does not come."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with connected(client) as waiting:
        waiting.sendall(f"{HEAD}{lines}Content-Length: {LARGE}\r\n\r\n".encode() + body(LARGE)[:-1])
        yield


def connected(client: httpx.Client) -> socket.socket:
    """A bare connection to the server."""
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30)


def answered(connection: socket.socket) -> bytes:
    """Everything until the server hangs up."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


HEAD = f"POST {USER} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_body_that_does_not_come_is_not_waited_for(client: httpx.Client) -> None:
    """The connection is closed: what comes later would be taken for another request."""
    with connected(client) as connection:
        connection.sendall(f'{HEAD}Content-Length: 100\r\n\r\n{{"state"'.encode())
        answer = answered(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert b"expected the body within 1 s" in answer


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("Content-Length: 9999999999999999999\r\n", b"413"),
        ("Content-Length: -1\r\n", b"400"),
        ("Content-Length: 5, 6\r\n", b"400"),
        ("Content-Length: x\r\n", b"400"),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"400"),
        ("Content-Length: 2\r\nX-Long: " + "x" * 40_000 + "\r\n", b"431"),
        ("Content-Length: 2\r\n" + "X-Many: xxx\r\n" * 5000, b"431"),
        ("Content-Length: 2\r\nX-Lines: x\r\n y\r\n", b"200"),
    ],
)
def test_a_head_that_lies_about_its_body_is_refused(client: httpx.Client, lines: str, status: bytes) -> None:
    """Two sizes, or two ways to tell one, are how a request is smuggled behind another."""
    with connected(client) as connection:
        connection.sendall(f"{HEAD}{lines}Connection: close\r\n\r\n{{}}".encode())
        answer = answered(connection)

    assert answer.split(b" ")[1] == status, answer[:200]
    assert (b'"id"' in answer) == (status == b"200"), "no session may come of one that is refused"


def test_an_address_that_is_too_long_is_refused(client: httpx.Client) -> None:
    """Before anybody takes it apart."""
    for target in ("/version?" + "x" * 8000, "/apps/" + "x" * 8000):
        assert client.get(target).status_code == 414


def test_a_client_that_hangs_up_in_the_middle_is_no_error(client: httpx.Client) -> None:
    """The server is there for the next one."""
    with connected(client) as connection:
        connection.sendall(f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())

    assert client.get(USER).status_code == 200


def test_a_crowd_is_told_to_come_again(serve: Any) -> None:
    """While health is answered, and until there is room."""
    client = serve(API_MAX_CONCURRENCY="10")
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            waiting = stack.enter_context(connected(client))
            waiting.sendall(f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())
        # The server takes connections in its own order.
        answers = (client.get(USER) for _ in range(1000))
        refused = next(answer for answer in answers if answer.status_code != 200)

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert client.get("/health").status_code == 200

    assert any(client.get(USER).status_code == 200 for _ in range(1000)), "who hung up makes room"


@pytest.mark.parametrize("share", [{}, {"API_CLIENT_CONCURRENCY": "1"}])
def test_one_user_does_not_take_up_anothers_room(serve: Any, provider: Any, share: dict[str, str]) -> None:
    """Though the server could do more: whoever waits costs a user nothing, and would keep the others out."""
    client = serve(**provider.settings, **share, API_MAX_CONCURRENCY="10")
    paths = {user: f"/apps/echo/users/{user}/sessions" for user in ("ada", "bob")}

    def ask(user: str) -> httpx.Response:
        answer: httpx.Response = client.get(paths[user], headers=provider.headers(user))
        return answer

    with connected(client) as waiting:
        token = provider.headers("ada")["Authorization"]
        head = f"POST {paths['ada']} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        waiting.sendall(f"{head}Authorization: {token}\r\nContent-Length: 100\r\n\r\n{{".encode())
        refused = next(answer for answer in (ask("ada") for _ in range(1000)) if answer.status_code != 200)

        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "one client" in refused.json()["detail"]
        assert ask("bob").status_code == 200

    assert any(ask("ada").status_code == 200 for _ in range(1000)), "who hung up makes room"


def test_who_asks_too_often_is_told_when_to_ask_again(serve: Any) -> None:
    """And health is not counted: an orchestrator that is refused would end the server."""
    client = serve(API_RATE="3/hour")

    answers = [client.get(USER) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    assert answers[-1].json()["title"] == "Too Many Requests"
    assert [client.get("/health").status_code for _ in range(5)] == [200] * 5


def test_one_user_does_not_use_up_anothers_requests(serve: Any, provider: Any) -> None:
    """Though both come from one address."""
    client = serve(**provider.settings, API_RATE="2/hour")

    def ask(user: str) -> int:
        answer = client.get(f"/apps/echo/users/{user}/sessions", headers=provider.headers(user))
        return int(answer.status_code)

    assert [ask("ada") for _ in range(3)] == [200, 200, 429]
    assert ask("bob") == 200


@pytest.mark.parametrize("access", [{"API_ACCESS": "proxy"}, {"API_ACCESS": "token", "API_TOKEN": TOKEN}])
def test_a_client_is_what_one_subscriber_has(serve: Any, access: dict[str, str]) -> None:
    """All of the 64 bits that a provider gives; IPv4 is none of that, though a server may write it so."""
    client = serve(**access, API_RATE="1/hour")

    def ask(address: str) -> int:
        return int(client.get(USER, headers={"X-Forwarded-For": address}).status_code)

    first = ask("2001:db8:0:1::1")
    assert first in (200, 401)
    assert ask("2001:db8:0:1:ffff:ffff:ffff:ffff") == 429, "the same subscriber"
    assert ask("2001:db8:0:2::1") == first, "another one"
    assert ask("::ffff:192.0.2.1") == first
    assert ask("::ffff:192.0.2.2") == first, "another one"
    assert ask("192.0.2.1") == 429, "the same one"


def test_guesses_do_not_lock_out_who_has_a_token(serve: Any) -> None:
    """An attacker behind the same address would otherwise."""
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN, API_RATE="2/hour")

    guesses = [client.get(USER, headers={"Authorization": f"Bearer guess-{number}"}) for number in range(4)]

    assert [guess.status_code for guess in guesses] == [401, 401, 429, 429]
    assert client.get(USER, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_guesses_are_counted_where_no_rate_is_set(serve: Any) -> None:
    """600 a minute, and holders of a token, who may speak for many, are not."""
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN)

    guesses = {client.get("/version", headers={"Authorization": "Bearer x"}).status_code for _ in range(602)}
    good = {client.get("/version", headers={"Authorization": f"Bearer {TOKEN}"}).status_code for _ in range(602)}

    assert guesses == {401, 429}
    assert good == {200}


def test_a_stranger_is_counted_before_the_issuer_is_asked(
    serve: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for an issuer that hangs would otherwise take the places of those who need no answer of it."""
    monkeypatch.setattr("app.api.entry.keys._FETCH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as issuer:  # Which takes connections, and never answers.
        port = issuer.getsockname()[1]
        keys = f"http://127.0.0.1:{port}/jwks.json"
        client = serve(**provider.settings | {"API_JWT_KEYS": keys}, API_RATE="1/hour", no_proxy="*")

        answers = [client.get("/version", headers=provider.headers("ada")).status_code for _ in range(3)]

    assert answers == [503, 429, 429]


@pytest.mark.parametrize(
    "variables",
    [
        {"API_RATE": "many"},
        {"API_RATE": "\udcff"},
        {"API_RATE": "5"},
        {"API_RATE": "5/fortnight"},
        {"API_RATE": "-1/second"},
        {"API_RATE": "0/second"},
        {"API_MAX_BODY": "0"},
        {"API_MAX_BODY": "1 GiB"},
        {"API_BODY_TIMEOUT": "inf"},
        {"API_MAX_CONCURRENCY": "1"},
    ],
)
def test_a_bound_that_is_none_is_refused(variables: dict[str, str]) -> None:
    """In one line, at the start."""
    with pytest.raises(InvalidSettingError, match=r"^expected another value of API_\w+: .*For example API_"):
        Limits.read(variables.get)


def test_a_rate_may_have_several_parts() -> None:
    """A short burst and a long day."""
    assert Limits.read({"API_RATE": "20/second;600/minute"}.get).rate == "20/second;600/minute"
