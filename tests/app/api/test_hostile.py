"""Hostile input by the thousand, made from the server's own description: never a 500, whatever the database."""

import contextlib
import itertools
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

SESSIONS: Final = "/apps/echo/users/ada/sessions"
HOME: Final = {"app_name": "echo", "user_id": "ada", "session_id": "home"}
BODY: Final = {"appName": "echo", "userId": "ada", "sessionId": "home"}

EXAMPLES: Final = 4
"""For each route, database and mode; derandomized, so that each run tries the same, in half a minute of one core."""

pytestmark = pytest.mark.filterwarnings(
    "ignore:Please use create_session instead:DeprecationWarning",
    r"ignore:\[EXPERIMENTAL\] get_adk_app_info:UserWarning",
    r"ignore:.* is not a valid \w+:UserWarning",  # google.genai takes any word for a known one.
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, serve: Any) -> httpx.Client:
    """Of a server on each database, with one session that is there."""
    served: httpx.Client = serve(request.getfixturevalue(f"{request.param}_url"))
    served.post(SESSIONS, json={"sessionId": "home"}).raise_for_status()
    return served


def faults(client: httpx.Client, mode: GenerationMode) -> list[str]:
    """Tries every route; gives the answers that no server should give.

    Every other input is aimed at the session that is there, so that it reaches the agent and the database.

    Args:
        client: Of the server.
        mode: Whether the input keeps to the description or breaks it.
    """
    found: list[str] = []
    turn = itertools.count()
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        client.post(SESSIONS, json={"sessionId": "home"})  # The last route may have deleted it.

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Case[Any]) -> None:
            if next(turn) % 2:
                _aim(case)
            answer = _sent(client, case)
            if answer is not None and answer.status_code >= 500:
                found.append(
                    f"{case.method} {answer.request.url} {case.body!r:.300}: {answer.status_code} {answer.text:.300}"
                )

        with contextlib.suppress(Unsatisfiable):  # A route without input has none that breaks its description.
            attempt()
    return found


def _aim(case: Case[Any]) -> None:
    if case.path_parameters:
        case.path_parameters |= {name: HOME[name] for name in HOME if name in case.path_parameters}
    if isinstance(case.body, dict) and case.path.startswith("/run"):
        case.body |= BODY


def _sent(client: httpx.Client, case: Case[Any]) -> httpx.Response | None:
    asked = case.as_transport_kwargs(base_url=str(client.base_url))
    asked = {name: asked[name] for name in ("method", "url", "headers", "params", "json") if name in asked} | (
        {"content": asked["data"]} if isinstance(asked.get("data"), str | bytes) else {}
    )
    try:
        return client.request(**asked)
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, ValueError):
        return None  # What no client can send.


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_no_input_is_an_error_of_the_servers(client: httpx.Client, mode: GenerationMode) -> None:
    """Whether it keeps to the description of the routes or breaks it."""
    assert faults(client, mode) == []
    assert client.get(SESSIONS).status_code == 200, "nothing that cannot be read back may be kept"
