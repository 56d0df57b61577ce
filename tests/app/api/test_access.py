"""Who may come in: nobody from afar by default, and by every other way only whom it lets in."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app import server
from app.api.entry.access import Access, tokens_of
from app.api.entry.tokens import RefusedTokenError, SharedTokens
from app.errors import InvalidSettingError
from tests.app.api.conftest import Provider

USER = "/apps/echo/users/ada/sessions"
TOKEN, OTHER = "x" * 32, "y" * 32
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JWT = {
    "API_ACCESS": "jwt",
    "API_JWT_ISSUER": "https://login.example.com/",
    "API_JWT_AUDIENCE": "sessions",
    "API_JWT_KEYS": "https://login.example.com/jwks.json",
}


@pytest.fixture(scope="module")
def token(serve: Any) -> httpx.Client:
    """Of a server that takes one token."""
    served: httpx.Client = serve(host="127.0.0.1", API_ACCESS="token", API_TOKEN=TOKEN)
    return served


def read(variables: dict[str, str]) -> Access:
    """As from an environment that holds the variables."""
    return Access.read(lambda name: variables.get(name) or None)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"API_ACCESS": "open"}, "API_ACCESS"),
        ({"API_ACCESS": "token"}, "expected API_TOKEN or API_TOKEN_FILE with API_ACCESS=token"),
        ({"API_ACCESS": "token", "API_TOKEN": "hunter2"}, "API_TOKEN: one token a line, each of 32 or more"),
        ({"API_JWT_ISSUER": "x"}, "expected no settings of tokens with API_ACCESS=loopback, which checks none"),
        ({"API_ACCESS": "proxy", "API_TOKEN_FILE": "/run/secrets/x"}, "with API_ACCESS=proxy, which checks none"),
        ({"API_ACCESS": "token", "API_TOKEN": TOKEN, "API_JWT_ISSUER": "x"}, "with API_ACCESS=token"),
        ({"API_ACCESS": "jwt"}, "expected API_JWT_ISSUER, API_JWT_AUDIENCE, API_JWT_KEYS with API_ACCESS=jwt"),
        (JWT | {"API_JWT_AUDIENCE": ""}, "expected API_JWT_AUDIENCE with API_ACCESS=jwt"),
        (JWT | {"API_JWT_KEYS": "http://login.example.com/jwks.json"}, "API_JWT_KEYS: it is to be https"),
        (JWT | {"API_TOKEN_FILE": "/run/secrets/x"}, "expected no settings of tokens with API_ACCESS=jwt"),
        ({"API_ALLOW_ORIGINS": "*"}, "API_ALLOW_ORIGINS: an origin is a scheme, a host and a port"),
        ({"API_ALLOW_ORIGINS": "https://*.example.com"}, "API_ALLOW_ORIGINS"),
        ({"API_ALLOW_ORIGINS": "regex:.*"}, "API_ALLOW_ORIGINS"),
        ({"API_ALLOW_ORIGINS": "https://chat.example.com/"}, "API_ALLOW_ORIGINS"),
        ({"API_ALLOW_ORIGINS": "chat.example.com"}, "API_ALLOW_ORIGINS"),
        ({"API_ALLOW_ORIGINS": "https://x@chat.example.com"}, "API_ALLOW_ORIGINS"),
        ({"API_ALLOW_ORIGINS": "null"}, "API_ALLOW_ORIGINS"),
    ],
)
def test_settings_that_let_in_whom_nobody_meant_are_refused(variables: dict[str, str], words: str) -> None:
    """In one line, which shows no token."""
    with pytest.raises(InvalidSettingError) as caught:
        read(variables)

    said = str(caught.value)
    assert words in said
    assert said.endswith("It is set in the environment, .env.local or .env")
    assert "hunter2" not in said
    assert TOKEN not in said


@pytest.mark.parametrize("origin", ["https://chat.example.com", "http://localhost:5173", "http://[::1]:8080"])
def test_origins_are_taken_as_browsers_send_them(origin: str) -> None:
    """With a scheme, and a port where it is not the scheme's own."""
    found = read({"API_ALLOW_ORIGINS": f"{origin}, https://other.example.com"})

    assert found.origins == [origin, "https://other.example.com"]


@pytest.mark.parametrize("variables", [{}, {"API_ACCESS": "proxy"}, JWT], ids=str)
def test_a_token_of_docker_composes_keeps_nobody_from_another_way(tmp_path: Path, variables: dict[str, str]) -> None:
    """`make staging` makes it in the `.env` that every server reads; it is not asked for there, which is told."""
    keys = tmp_path / "keys"
    Provider(keys)
    files = {"API_JWT_KEYS": str(keys)} if variables == JWT else {}
    found = read(variables | files | {"API_TOKEN": TOKEN})

    assert not isinstance(tokens_of(found), SharedTokens)
    assert (found.unasked is None) == (found.access == "loopback"), "on this machine nobody expects one to be asked for"
    if found.unasked:
        assert found.unasked == f"API_TOKEN is set, and not asked for with API_ACCESS={found.access}"


def test_a_file_of_tokens_wins_over_a_token(tmp_path: Path) -> None:
    """For the same reason: the file is what somebody has chosen, and a token left over would open what it closes."""
    file = tmp_path / "tokens"
    file.write_text("b" * 40)
    found = read({"API_ACCESS": "token", "API_TOKEN": TOKEN, "API_TOKEN_FILE": str(file)})
    tokens = tokens_of(found)

    assert tokens is not None
    assert asyncio.run(tokens.caller("b" * 40)).operator
    with pytest.raises(RefusedTokenError):
        asyncio.run(tokens.caller(TOKEN))
    assert found.unasked == "API_TOKEN is set, and not asked for, since API_TOKEN_FILE is set"


def test_a_token_is_not_shown_by_the_settings() -> None:
    """They may be printed by whoever looks for an error."""
    assert TOKEN not in repr(read({"API_ACCESS": "token", "API_TOKEN": TOKEN}))


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("API_TOKEN_FILE", {"API_ACCESS": "token"}),
        ("API_JWT_KEYS", {name: value for name, value in JWT.items() if name != "API_JWT_KEYS"}),
    ],
)
@pytest.mark.parametrize("text", [None, "", "hunter2"])
def test_a_file_that_says_nothing_of_use_is_refused_at_the_start(
    serve: Any, tmp_path: Path, name: str, variables: dict[str, str], text: str | None
) -> None:
    """By the setting's name and in the file system's words, and never with what it says."""
    file = tmp_path / "file"
    if text is not None:
        file.write_text(text)

    with pytest.raises(InvalidSettingError, match=f"^expected {name} to name a file that can be used: ") as caught:
        serve(**variables, **{name: str(file)})

    assert "hunter2" not in str(caught.value)
    assert (str(file) in str(caught.value)) == (text is None), "of a path that leads nowhere one wants to see it"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104  # What is refused.
def test_nothing_listens_where_nobody_checks_callers(host: str) -> None:
    """And the line names the three ways to have somebody check them."""
    with pytest.raises(InvalidSettingError) as caught:
        read({}).require(host)

    assert str(caught.value).count("\n") == 0
    assert all(f"API_ACCESS={way}" in str(caught.value) for way in ("token", "jwt", "proxy"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.10"])
def test_this_machine_alone_needs_no_check(host: str) -> None:
    """Whoever is on it can read the database itself."""
    read({}).require(host)


def test_where_somebody_checks_callers_any_address_is_good() -> None:
    """Also that of a container, which is all of them."""
    for variables in ({"API_ACCESS": "token", "API_TOKEN": TOKEN}, JWT, {"API_ACCESS": "proxy"}):
        read(variables).require("0.0.0.0")  # noqa: S104  # What is meant.


def test_serve_refuses_a_wide_address_before_it_opens_anything(session_db: Any, path: Path) -> None:
    """Exit code 2, in one line, and no database is made."""
    done = session_db("serve", "--host", "0.0.0.0", "--port", "0", uri=path)  # noqa: S104

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: expected a loopback address")
    assert "API_ACCESS=proxy" in done.stderr
    assert not path.exists()


def test_a_caller_from_afar_is_refused_whatever_the_server_is_bound_to(serve: Any) -> None:
    """As behind `uvicorn --factory … --host 0.0.0.0`, or behind a proxy on this machine that names its caller."""
    client = serve()

    answer = client.get(USER, headers={"X-Forwarded-For": "192.0.2.1"})

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert client.get("/health", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200
    assert client.get(USER).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {OTHER}"},
        {"Authorization": f"Bearer {TOKEN}, Bearer {OTHER}"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"X-Authorization": f"Bearer {TOKEN}"},
        {"Cookie": f"token={TOKEN}"},
    ],
)
def test_without_a_token_nothing_is_told(token: httpx.Client, headers: dict[str, str]) -> None:
    """And the client learns which kind is expected (RFC 6750 section 3)."""
    answer = token.get(USER, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert TOKEN not in answer.text
    assert token.get(f"{USER}?token={TOKEN}&access_token={TOKEN}").status_code == 401, "a query is in every log"


@pytest.mark.parametrize("tokens", [(TOKEN, OTHER), (OTHER, TOKEN), (TOKEN, TOKEN)])
def test_two_tokens_are_none(token: httpx.Client, tokens: tuple[str, str]) -> None:
    """Whoever checks callers in front may look at the other one."""
    answer = token.get(USER, headers=[("Authorization", f"Bearer {each}") for each in tokens])

    assert (answer.status_code, answer.json()["detail"]) == (400, "expected one header Authorization")


def test_with_a_token_everything_is_open(token: httpx.Client) -> None:
    """The scheme in any case, as RFC 9110 wants it."""
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert token.get(USER, headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200
    assert token.get("/docs", headers=BEARER).status_code == 200
    assert token.get("/openapi.json", headers=BEARER).status_code == 200


def test_a_body_is_not_read_for_who_has_no_token(token: httpx.Client) -> None:
    """Nobody makes the server keep 10 MB without one."""
    refused = token.post(USER, content=b"x" * 11 * 2**20)

    assert refused.status_code == 401


def test_with_a_proxy_in_front_nobody_is_asked(serve: Any) -> None:
    """By an explicit word alone."""
    client = serve(API_ACCESS="proxy")

    assert client.get(USER, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


def test_a_request_for_another_host_is_rejected_with_a_token_too(token: httpx.Client) -> None:
    """A page in the browser of somebody on this machine (DNS rebinding): ADK's own check stays."""
    assert token.get(USER, headers=BEARER | {"Host": "evil.example"}).status_code == 403
    assert token.get(USER, headers=BEARER).status_code == 200


@pytest.mark.parametrize("path", [USER, "/readyz"])
def test_nor_is_one_where_the_address_is_not_known(serve: Any, path: str) -> None:
    """As under `uvicorn --factory`: whoever is let in is on this machine, and names it."""
    client = serve()
    port = client.base_url.port

    assert client.get(path, headers={"Host": f"evil.example:{port}"}).status_code == 403
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert client.get(path, headers={"Host": f"{name}:{port}"}).status_code == 200


def test_pages_of_other_origins_are_kept_out(token: httpx.Client) -> None:
    """Unless they are named."""
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    assert token.options(USER, headers=preflight).status_code == 403
    answer = token.get(USER, headers=BEARER | {"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_an_origin_that_is_named_is_answered(serve: Any) -> None:
    """The browser asks first, without a token, and reads refusals only where they carry the header as well."""
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN, API_ALLOW_ORIGINS="https://chat.example.com")
    origin = {"Origin": "https://chat.example.com"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    preflight = client.options(USER, headers=origin | asked)
    refused = client.get(USER, headers=origin)
    answered = client.get(USER, headers=origin | BEARER)

    assert (preflight.status_code, refused.status_code, answered.status_code) == (200, 401, 200)
    for answer in (preflight, refused, answered):
        assert answer.headers["access-control-allow-origin"] == "https://chat.example.com"
    evil = client.options(USER, headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in evil.headers


def test_a_stream_passes_as_it_is_made(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part by part, through all layers: the second part is made only when the first one has arrived."""
    arrived = threading.Event()
    adk_app = server.adk_app

    def parts() -> Iterator[bytes]:
        yield b"first"
        yield b"second" if arrived.wait(30) else b"too late"

    def with_stream(*arguments: Any) -> FastAPI:
        app = adk_app(*arguments)
        app.add_api_route("/stream", lambda: StreamingResponse(parts()), response_model=None)
        return app

    monkeypatch.setattr(server, "adk_app", with_stream)
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN)
    with client.stream("GET", "/stream", headers=BEARER) as answer:
        stream = answer.iter_raw()
        first = next(stream)
        arrived.set()
        rest = b"".join(stream)

    assert (first, rest) == (b"first", b"second")
