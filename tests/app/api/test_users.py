"""Whose sessions a user may touch: its own, by every route that ADK has, and by none that it gets tomorrow."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import URL
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app import server
from app.api.entry.users import OPEN, ROUTES, Reach

SESSIONS = "/apps/echo/users/{}/sessions"
JSON = {"Content-Type": "application/json"}

pytestmark = pytest.mark.filterwarnings("ignore:Please use create_session instead:DeprecationWarning")


@pytest.fixture(scope="module")
def app(sqlite_url: URL) -> FastAPI:
    """ADK's app as it comes."""
    return server.adk_app(None, sqlite_url)


@pytest.fixture(scope="module")
def client(serve: Any, provider: Any) -> httpx.Client:
    """Of a server that takes the provider's tokens; ada, bob and an operator have one session each."""
    served: httpx.Client = serve(**provider.settings, API_RATE="100000/minute")
    for user in ("ada", "bob"):
        mine = {"headers": provider.headers(user)}
        state = {"sessionId": f"of-{user}", "state": {"secret": f"{user}'s", "user:colour": user}}
        served.post(SESSIONS.format(user), json=state, **mine).raise_for_status()
    return served


@pytest.fixture(scope="module")
def ada(provider: Any) -> dict[str, str]:
    """The headers of ada."""
    found: dict[str, str] = provider.headers("ada")
    return found


@pytest.fixture(scope="module")
def operator(provider: Any) -> dict[str, str]:
    """The headers of somebody who looks after all."""
    found: dict[str, str] = provider.headers("grace", scope="sessions.operate")
    return found


def turn(**changes: Any) -> dict[str, Any]:
    """A message of ada's in her own session."""
    message = {"role": "user", "parts": [{"text": "hello"}]}
    return {"appName": "echo", "userId": "ada", "sessionId": "of-ada", "newMessage": message} | changes


def test_every_route_of_adk_is_known(app: FastAPI) -> None:
    """Whoever takes a new ADK decides here who may use its new routes; until then they are operators' alone."""
    declared = {getattr(route, "path", "") for route in app.routes}

    assert declared <= set(ROUTES) | OPEN, "a route that nobody has looked at"
    assert set(ROUTES) <= declared, "a route that ADK no longer has"


def test_what_adk_declares_of_users_is_what_is_looked_at(app: FastAPI) -> None:
    """A user in a path, in a body or in a query that no rule reads would be anybody's."""
    document = app.openapi()
    for path, methods in document["paths"].items():
        if path in OPEN:
            continue
        template = next(each for each in ROUTES if each.replace(":path}", "}") == path)
        in_path = "{user_id}" in path
        assert in_path == (ROUTES[template] is Reach.PATH), path
        text = json.dumps([_resolved(method, document) for method in methods.values()])
        if not in_path and ("user_id" in text or "userId" in text):
            assert ROUTES[template] in (Reach.BODY, Reach.OPERATOR), path


def _resolved(part: Any, document: dict[str, Any]) -> Any:
    """A request's declaration with the schema of its body in place."""
    body = part.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = document["components"]["schemas"].get(str(body.get("$ref", "")).rpartition("/")[2], body)
    return [part.get("parameters", []), list(schema.get("properties", {}))]


def requests(app: FastAPI, user: str) -> list[tuple[str, str]]:
    """A request for everything of a user that has a path, by every method."""
    filled = {"app_name": "echo", "user_id": user, "session_id": f"of-{user}", "artifact_name": "a", "version_id": "0"}
    return [
        (method.upper(), path.format(**filled))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if "{user_id}" in path
    ]


def test_nobody_reaches_the_sessions_of_another_by_any_route(
    app: FastAPI, client: httpx.Client, ada: dict[str, str]
) -> None:
    """Nor learns whether there are any."""
    tried = requests(app, "bob") + requests(app, "nobody")
    assert len(tried) >= 30

    for method, path in tried:
        answer = client.request(method, path, headers=ada)
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
        assert answer.json()["detail"].startswith("expected the user that the token names")


def test_everybody_reaches_their_own(client: httpx.Client, ada: dict[str, str], operator: dict[str, str]) -> None:
    """By the same routes."""
    own = SESSIONS.format("ada")

    assert [session["id"] for session in client.get(own, headers=ada).json()] == ["of-ada"]
    assert client.get(f"{own}/of-ada", headers=ada).json()["state"]["secret"] == "ada's"
    assert client.get(f"{own}/of-ada/artifacts", headers=ada).json() == []
    assert client.patch(f"{own}/of-ada", headers=ada, json={"stateDelta": {"a": 1}}).status_code == 200
    assert client.patch("/apps/echo/users/ada/memory", headers=ada, json={"sessionId": "of-ada"}).status_code == 200
    assert client.post("/run", headers=ada, json=turn()).status_code == 200
    assert client.get(SESSIONS.format("bob") + "/of-bob", headers=operator).json()["state"]["secret"] == "bob's"


def test_a_session_of_another_is_not_there_under_ones_own_name(client: httpx.Client, ada: dict[str, str]) -> None:
    """Its id alone opens nothing."""
    own = SESSIONS.format("ada")

    assert client.get(f"{own}/of-bob", headers=ada).status_code == 404
    assert client.patch(f"{own}/of-bob", headers=ada, json={"stateDelta": {}}).status_code == 404
    assert client.patch("/apps/echo/users/ada/memory", headers=ada, json={"sessionId": "of-bob"}).status_code == 404
    for route in ("/run", "/run_sse"):
        assert client.post(route, headers=ada, json=turn(sessionId="of-bob")).status_code == 404


def test_an_artifact_that_points_to_anothers_is_refused(
    client: httpx.Client, ada: dict[str, str], provider: Any
) -> None:
    """ADK follows `artifact://` when it loads one."""
    file = {"filename": "a", "artifact": {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}}
    theirs = f"{SESSIONS.format('bob')}/of-bob/artifacts"
    client.post(theirs, headers=provider.headers("bob"), json=file).raise_for_status()
    uri = "artifact://apps/echo/users/bob/sessions/of-bob/artifacts/a/versions/0"
    pointing = {"filename": "a", "artifact": {"fileData": {"fileUri": uri, "mimeType": "text/plain"}}}

    saved = client.post(f"{SESSIONS.format('ada')}/of-ada/artifacts", headers=ada, json=pointing)

    assert saved.status_code == 400, saved.text
    assert client.get(f"{SESSIONS.format('ada')}/of-ada/artifacts", headers=ada).json() == []


@pytest.mark.parametrize("route", ["/run", "/run_sse"])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps(turn(userId="bob", sessionId="of-bob")),
        json.dumps({"user_id": "bob"} | turn(sessionId="of-bob")),
        json.dumps(turn(sessionId="of-bob") | {"user_id": "bob"}),
        json.dumps(turn(sessionId="of-bob"))[:-1] + ', "userId": "bob"}',
        '{"userId": "bob", ' + json.dumps(turn(sessionId="of-bob"))[1:],
        json.dumps(turn(sessionId="of-bob"))[:-1] + ', "user\\u0049d": "bob"}',
        json.dumps(turn(sessionId="of-bob"))[:-1] + ', "user_\\u0069d": "bob"}',
        json.dumps(turn(userId=None, sessionId="of-bob")),
        json.dumps(turn(userId=["ada"], sessionId="of-bob")),
        json.dumps(turn(userId="ada\u200b", sessionId="of-bob")),
        json.dumps(turn(userId="ADA", sessionId="of-bob")),
        json.dumps([turn()]),
        "{}",
        '"ada"',
        "",
    ],
    ids=range(15),
)
def test_a_body_that_names_another_is_refused_however_it_is_written(
    client: httpx.Client, ada: dict[str, str], route: str, body: str
) -> None:
    """Twice, escaped, under both names, or not at all: parsers differ in which they take."""
    answer = client.post(route, headers=ada | JSON, content=body)

    repeated = answer.status_code == 422 and "user_id once" in answer.json()["detail"]
    assert repeated or answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("user_id=bob", 403),
        ("user_id=", 403),
        ("", 403),
        ("user%5fid=bob", 403),
        ("userId=ada", 403),
        ("user_id=ada&user_id=bob", 400),
        ("user_id=bob&user_id=ada", 400),
        ("user_id=ada&user_id=", 400),
        ("user_id=&user_id=ada", 400),
        ("user_id=ada&userId=bob", 400),
    ],
)
def test_a_live_run_of_another_is_refused(client: httpx.Client, ada: dict[str, str], query: str, status: int) -> None:
    """Before the websocket is there."""
    with pytest.raises(InvalidStatus) as caught:
        live(client, f"{query}&app_name=echo&session_id=of-bob", ada)

    assert caught.value.response.status_code == status


@pytest.mark.parametrize("query", ["user_id=", "user_id=ada&user_id=", "user_id=ada&user_id=bob", "user_id=%20"])
def test_nobody_lives_as_two_or_as_no_user(serve: Any, query: str) -> None:
    """Where something in front has compared the user with its caller, it may have read the other one."""
    with pytest.raises(InvalidStatus) as caught:
        live(serve(API_ACCESS="proxy"), f"{query}&app_name=echo&session_id=s", {})

    assert caught.value.response.status_code in (400, 422)


def live(client: httpx.Client, query: str, headers: dict[str, str]) -> None:
    """Opens a websocket, and closes it."""
    base = str(client.base_url).replace("http", "ws", 1)
    with connect(f"{base}/run_live?{query}", additional_headers=headers, proxy=None):
        """Accepted."""


def test_a_live_run_of_ones_own_is_accepted(client: httpx.Client, ada: dict[str, str]) -> None:
    """What the agent makes of it is the agent's."""
    live(client, "user_id=ada&app_name=echo&session_id=of-ada", ada)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YWRhOmFkYQ=="}])
def test_a_live_run_without_a_token_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    """Also with the user's name."""
    with pytest.raises(InvalidStatus) as caught:
        live(client, "user_id=ada&app_name=echo&session_id=of-ada", headers)

    assert caught.value.response.status_code == 401
    assert json.loads(caught.value.response.body)["status"] == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", SESSIONS.format("ada"), {"state": {"app:price": 0}}),
        ("POST", SESSIONS.format("ada") + "/shared", {"app:price": 0}),
        ("PATCH", SESSIONS.format("ada") + "/of-ada", {"stateDelta": {"app:price": 0}}),
        ("PATCH", SESSIONS.format("ada") + "/of-ada", {"state_delta": {"app:price": 0}}),
        ("POST", "/run", turn(stateDelta={"app:price": 0})),
        ("POST", "/run_sse", turn(state_delta={"app:price": 0})),
    ],
)
def test_what_all_users_share_is_not_a_users_to_write(
    client: httpx.Client, ada: dict[str, str], operator: dict[str, str], method: str, path: str, body: dict[str, Any]
) -> None:
    """An agent may; a client that could would speak to the agents of all others."""
    refused = client.request(method, path, headers=ada, json=body)

    assert refused.status_code == 403, refused.text
    assert "app:" in refused.json()["detail"]
    assert "app:price" not in client.get(SESSIONS.format("ada") + "/of-ada", headers=operator).json()["state"]


def test_a_route_that_the_next_adk_brings_is_closed_to_users(
    serve: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not open, until somebody has looked at it."""
    adk_app = server.adk_app

    def with_more(*arguments: Any) -> FastAPI:
        app = adk_app(*arguments)
        app.add_api_route("/tomorrow", lambda: "all of it")
        return app

    monkeypatch.setattr(server, "adk_app", with_more)
    client = serve(**provider.settings)

    assert client.get("/tomorrow", headers=provider.headers("ada")).status_code == 403
    assert client.get("/tomorrow", headers=provider.headers("grace", scope="sessions.operate")).json() == "all of it"
    assert client.get("/tomorrow").status_code == 401


def test_metrics_are_an_operators(client: httpx.Client, ada: dict[str, str], operator: dict[str, str]) -> None:
    """They tell how much all others do."""
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=ada).status_code == 403
    assert client.get("/metrics", headers=operator).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
def test_health_is_told_to_everybody(client: httpx.Client, path: str) -> None:
    """An orchestrator has no token."""
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200, "as some balancers ask"


@pytest.mark.parametrize("path", ["/version", "/list-apps", "/docs", "/openapi.json", "/nowhere", "/run", "/apps/echo"])
def test_nobody_learns_anything_without_a_token(client: httpx.Client, path: str) -> None:
    """Not even which routes there are."""
    answers = [client.request(method, path) for method in ("GET", "POST", "OPTIONS", "HEAD", "PUT")]

    assert {answer.status_code for answer in answers} == {401}
    assert client.get("/health").status_code == 200
    assert client.get("/health/").status_code == 401
    assert client.get("//health").status_code == 401


def test_a_route_without_its_package_is_not_there(client: httpx.Client, operator: dict[str, str]) -> None:
    """ADK would answer 500."""
    assert client.post("/agent-identity/finalize", headers=operator, json={}).status_code == 404
