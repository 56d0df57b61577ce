"""What a request may say: each of these is a 500 where nothing stands in front of ADK, on one database or on both."""

import json
import socket
import sys
from typing import Any

import httpx
import pytest
from google.adk.events import Event
from pydantic.alias_generators import to_camel

from app.api.content.words import NUMBERS, fault_of_id

USER = "/apps/echo/users/ada/sessions"
JSON = {"Content-Type": "application/json"}

pytestmark = pytest.mark.filterwarnings("ignore:Please use create_session instead:DeprecationWarning")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, serve: Any) -> httpx.Client:
    """Of a server on each database."""
    served: httpx.Client = serve(request.getfixturevalue(f"{request.param}_url"))
    return served


def refused(answer: httpx.Response, status: int, words: str) -> None:
    """The answer is a problem of that status, and says why."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "auth0|5f7c", "Ада", "a b", "x" * 128, "...", "🙂"])
def test_a_name_that_both_databases_keep_is_good(name: str) -> None:
    """Whatever an identity provider makes of a user."""
    assert fault_of_id(name) is None


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 129, "a\0b", "a\nb", "a\x7fb", "a\x9fb", "..", ".", "a/b", "../x", "a\\b", "\ud800"]
)
def test_a_name_that_one_of_them_does_not_keep_is_none(name: str) -> None:
    """Nor one that a path means something by."""
    assert fault_of_id(name) is not None


def bare(client: httpx.Client, target: str) -> tuple[int, dict[str, Any]]:
    """Asks for a path that no client library would leave as it is."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "target",
    [
        "/apps/../users/ada/sessions",
        "/apps/%2e%2e/users/ada/sessions",
        "/apps/..%2fx/users/ada/sessions",
        "/apps/echo/users/ada%2Fsessions%2Fother/sessions",
        "/apps/echo/users/ada%5c..%5cx/sessions",
        "/apps/echo/users/a%00b/sessions",
        "/apps/echo/users/a%0ab/sessions",
        "/apps/echo/users/%ff/sessions",
        "/apps/echo/users/%ed%a0%80/sessions",
        "/apps/echo/users/ada/sessions/s/artifacts/../../../../bob/sessions/t/artifacts/x",
        "/apps/artifacts/users/ada%2Fsessions",
        "/apps/artifacts/users/ada%2Fsessions%2Fs",
        "/apps/echo/users/artifacts/sessions/a%2Fartifacts",
        "/apps/artifacts/users/a%2Fsessions/s/artifacts/x",
        "/apps/echo/users/ada/sessions/s/artifacts%2Fx",
        "/list-apps?user_id=ada&user_id=bob",
        "/list-apps?user_id=ada&user_id=",
        "/list-apps?user_id=ada&userId=ada",
        "/list-apps?app%5fname=a&appName=b",
        "/list-apps?session_id&session_id=s",
        "/list-apps?detailed=%ff",
        "/list-apps?x=%00",
        "/list-apps?" + "x=&" * 101,
    ],
)
def test_a_path_that_means_two_things_is_refused(client: httpx.Client, target: str) -> None:
    """As the app, a proxy and a file system would each read it in their own way."""
    status, answer = bare(client, target)

    assert (status, answer["status"]) == (400, 400), answer


@pytest.mark.parametrize("name", ["dir%2Ffile.txt", "artifacts%2Fa%2Fartifacts", "versions%2F0%2Fb"])
def test_the_name_of_an_artifact_may_have_slashes(client: httpx.Client, name: str) -> None:
    """Encoded or not, behind whatever app, user and session: it is one of its session, and there is none."""
    for before in ("/apps/echo/users/ada/sessions/s", "/apps/artifacts/users/artifacts/sessions/artifacts"):
        status, answer = bare(client, f"{before}/artifacts/{name}")

        assert (status, answer["detail"]) == (404, "Artifact not found")


def test_a_path_is_looked_at_as_it_was_sent_where_adk_rewrites_it(serve: Any) -> None:
    """With a default app it also replaces the path as sent, by one that it cannot write for most of the world."""
    client = serve(ADK_DEFAULT_APP_NAME="echo", API_ARTIFACTS="memory://")

    for before in ("", "/apps/echo"):
        assert client.get(f"{before}/users/Ада/sessions").json() == []
        assert bare(client, f"{before}/users/ada%2Fsessions")[0] == 400
        assert bare(client, f"{before}/users/ada/sessions/a%2Fartifacts")[0] == 400
        assert bare(client, f"{before}/users/ada/sessions/%252e")[0] == 404, "decoded once"
        status, answer = bare(client, f"{before}/users/ada/sessions/s/artifacts/a%2Fb")
        assert (status, answer["detail"]) == (404, "Artifact not found")


@pytest.mark.parametrize(
    "part", ["apps/{}/users/ada/sessions", "apps/echo/users/{}/sessions", "apps/echo/users/ada/sessions/{}"]
)
@pytest.mark.parametrize("name", ["x" * 129, "%20", "%C2%85"])
def test_a_name_that_no_column_keeps_is_refused_in_every_part_of_a_path(
    client: httpx.Client, part: str, name: str
) -> None:
    """Before the database is asked."""
    answer = client.get(f"/{part.format(name)}")

    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["sessionId", "session_id"])
@pytest.mark.parametrize("value", ["x" * 129, "a\0b", "..", "a/b", " "])
def test_a_name_in_a_body_is_held_to_the_same(client: httpx.Client, name: str, value: str) -> None:
    """Under either of the names that ADK takes."""
    refused(client.post(USER, json={name: value}), 422, "expected")


@pytest.mark.parametrize("name", ["appName", "userId", "sessionId"])
def test_so_is_one_of_a_run(client: httpx.Client, name: str) -> None:
    """Which loads an agent of the name from a folder."""
    turn = {"appName": "echo", "userId": "ada", "sessionId": "s", "newMessage": {"role": "user", "parts": []}}

    for route in ("/run", "/run_sse"):
        refused(client.post(route, json=turn | {name: "../echo"}), 422, "neither . nor ..")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"state": {"a": NaN}}', 422, "numbers that JSON has words for"),
        ('{"state": {"a": -Infinity}}', 422, "numbers that JSON has words for"),
        ('{"state": {"a": 1e999}}', 422, "64 bits"),
        ('{"state": {"a": "\\ud800"}}', 422, "surrogate pair"),
        ('{"state": {"\\udfff": 1}}', 422, "surrogate pair"),
        ('{"state": ' + '{"a":' * 101 + "1" + "}" * 102, 422, "100 levels"),
        ('{"state": ' + "[" * 50_000, 422, "100 levels"),
        ('{"state": {"a": [' + "{}," * 50_000 + "1]}}", 422, "100000 values"),
        ('{"state": {"a": ["' + '","' * 200_000 + '"]}}', 422, "100000 values"),
        ('{"state": {"a": ["' + '\\\\","' * 100_000 + '"]}}', 422, "100000 values"),
        ('{"state": {"a": ' + "9" * 5000 + "}}", 400, "JSON in UTF-8"),
        ('{"state": {"a": "\ud800"}}', 400, "JSON in UTF-8"),
        ('\ufeff{"state": {}}', 400, "JSON in UTF-8"),
        ('{"state": ', 400, "JSON in UTF-8"),
        ('{"events": [{"author": "user", "id": "' + "x" * 129 + '"}]}', 422, "the id of an event"),
        ('{"events": [{"author": "user", "id": "a\\u0000"}]}', 422, "NUL"),
        ('{"events": [{"author": "user", "invocationId": "' + "x" * 257 + '"}]}', 422, "the invocation"),
        ('{"events": [{"author": "user", "timestamp": 1e300}]}', 422, "year 10000"),
        ('{"events": [{"author": "user", "timestamp": -1}]}', 422, "year 10000"),
        *(
            (f'{{"events": [{{"author": "user", "timestamp": "{time}"}}]}}', 422, "year 10000")
            for time in ("1e300", "-1e300", "nan", "inf", "-Infinity", " 1e12 ", "-1", "1_000_000_000_000")
        ),
        *(
            (f'{{"events": [{{"author": "user", {field}}}]}}', 422, "finite")
            for field in (
                '"avgLogprobs": "nan"',
                '"avg_logprobs": "Infinity"',
                '"actions": {"compaction": {"startTimestamp": " -inf "}}',
                '"content": {"parts": [{"videoMetadata": {"fps": "NaN"}}]}',
            )
        ),
        ('{"sessionId": "a", "sessionId": "a"}', 422, "session_id once"),
        ('{"sessionId": "a", "session_id": "b"}', 422, "session_id once"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_a_body_that_a_database_would_refuse_is_refused(
    client: httpx.Client, body: str, status: int, words: str
) -> None:
    """In the same words on both."""
    refused(client.post(USER, content=body.encode(errors="surrogatepass"), headers=JSON), status, words)


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_body_of_another_kind_is_refused(client: httpx.Client, kind: str) -> None:
    """ADK would say that it wants an object and got text."""
    refused(client.post(USER, content=b"{}", headers={"Content-Type": kind}), 415, "Content-Type: application/json")


def test_a_nul_is_kept_where_the_database_keeps_it(serve: Any, sqlite_url: Any, postgresql_url: Any) -> None:
    """SQLite gives it back; PostgreSQL's jsonb cannot hold it, which is said before it is asked."""
    on_sqlite, on_postgresql = serve(sqlite_url), serve(postgresql_url)
    created = on_sqlite.post(USER, json={"state": {"a": "x\0y"}})

    assert created.json()["state"] == {"a": "x\0y"}
    refused(on_postgresql.post(USER, json={"state": {"a": "x\0y"}}), 422, "PostgreSQL does not keep")
    refused(on_postgresql.post(USER, json={"state": {"x\0y": 1}}), 422, "PostgreSQL does not keep")


def test_a_body_that_is_refused_makes_no_session(client: httpx.Client) -> None:
    """Also where the database would have noticed only at its event."""
    body = {"sessionId": "half", "events": [{"author": "user", "timestamp": "1e300"}]}

    assert client.post(USER, json=body).status_code == 422
    assert client.get(f"{USER}/half").status_code == 404


def test_a_time_may_be_a_text(client: httpx.Client) -> None:
    """As pydantic takes it."""
    created = client.post(USER, json={"events": [{"author": "user", "timestamp": "1700000000.5"}]})

    assert created.status_code == 200, created.text
    assert client.get(f"{USER}/{created.json()['id']}").json()["events"][0]["timestamp"] == 1700000000.5


@pytest.mark.parametrize(
    "value", ["[{}] " * 100_000, '", \\"' * 100_000, "\\" * 500_000, [[[]]] * 33_000], ids=lambda value: str(value)[:5]
)
def test_what_is_large_is_kept(client: httpx.Client, value: Any) -> None:
    """A text may be as long as a body; what is counted is what JSON is made of, outside of texts."""
    created = client.post(USER, json={"state": {"a": value}})

    assert created.status_code == 200, created.text[:200]
    assert client.get(f"{USER}/{created.json()['id']}").json()["state"] == {"a": value}


def test_a_text_that_is_called_like_no_number_stays_a_text(client: httpx.Client) -> None:
    """Users may say inf, and states may hold it."""
    events = [{"author": "user", "content": {"parts": [{"text": "nan"}]}, "avgLogprobs": "-0.5"}]
    created = client.post(USER, json={"state": {"avgLogprobs": "nan", "b": {"fps": "inf"}}, "events": events})

    assert created.status_code == 200, created.text


def test_every_number_of_an_event_is_known() -> None:
    """Those of google-adk as it is installed: a later release may have more."""
    found = set()
    schema = Event.model_json_schema(by_alias=False)
    for model in (schema, *schema["$defs"].values()):
        for name, field in model.get("properties", {}).items():
            if "number" in {field.get("type"), *(each.get("type") for each in field.get("anyOf", ()))}:
                found |= {name, to_camel(name)}

    assert found == NUMBERS


def test_a_state_may_use_any_key(client: httpx.Client) -> None:
    """Also one that is an identifier's elsewhere: the deprecated route takes the state itself as its body."""
    state = {"sessionId": "x" * 300, "id": "y" * 300, "timestamp": -1, "a": {"b": [1.5, None, "🙂"]}}
    client.delete(f"{USER}/any")

    created = client.post(f"{USER}/any", json=state)

    assert (created.status_code, created.json()["state"]) == (200, state)
    assert client.get(f"{USER}/any").json()["state"] == state


def test_what_adk_refuses_by_an_exception_is_no_error_of_the_server(client: httpx.Client) -> None:
    """A name that a Windows drive could have: its artifact service raises."""
    refused(client.get("/apps/echo/users/C:x/sessions/s/artifacts"), 422, "drive-qualified")


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ({}, "requires either a new_message or an invocation_id"),
        ({"newMessage": {"parts": []}}, "No parts in the new_message"),
        ({"newMessage": {"parts": [{"functionCall": {"name": "x"}}]}}, "cannot contain function calls"),
        ({"invocationId": "x"}, "requires a new_message or a resumable app"),
        ({"newMessage": {"parts": [{"functionResponse": {"scheduling": False}}]}}, "expected texts where"),
    ],
)
def test_so_is_a_run_that_makes_no_sense(client: httpx.Client, turn: dict[str, Any], words: str) -> None:
    """Though the words come from within the run."""
    client.post(USER, json={"sessionId": "senseless"})

    refused(client.post("/run", json={"appName": "echo", "userId": "ada", "sessionId": "senseless"} | turn), 422, words)


def test_an_error_of_an_agent_stays_one_of_the_server(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote the agent is to see it, and the client is not to be blamed."""
    client.post(USER, json={"sessionId": "broken"})
    turn = {"appName": "echo", "userId": "ada", "sessionId": "broken", "newMessage": {"parts": [{"text": "a"}]}}
    assert client.post("/run", json=turn).status_code == 200, "ADK loads an agent with its first turn"
    (agent,) = (module.root_agent for name, module in sys.modules.items() if name == "echo.agent")

    async def broken(*_: Any) -> Any:
        message = "not for clients"
        raise ValueError(message)
        yield

    monkeypatch.setattr(type(agent), "_run_async_impl", broken)
    answer = client.post("/run", json=turn)

    assert answer.status_code == 500
    assert "not for clients" not in answer.text
