"""What the server says of itself: a client that is made from it knows the token and every refusal."""

from typing import Any

import pytest

TOKEN = "x" * 32
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def described(serve: Any) -> dict[str, Any]:
    """By a server that takes one token."""
    served = serve(API_ACCESS="token", API_TOKEN=TOKEN)
    found: dict[str, Any] = served.get("/openapi.json", headers=BEARER).json()
    return found


def test_a_token_is_asked_for_everywhere_but_at_health(described: dict[str, Any]) -> None:
    """So that `/docs` has a button for it, and a generated client a parameter."""
    (scheme,) = described["components"]["securitySchemes"].values()

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert described["security"] == [{"token": []}]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation.get("security") == ([] if path in ("/livez", "/readyz", "/health") else None), path


def test_every_refusal_is_a_problem(described: dict[str, Any]) -> None:
    """FastAPI would promise its own document of a 422, which this server does not send."""
    for path, operations in described["paths"].items():
        for operation in operations.values():
            refusals = {status: said for status, said in operation["responses"].items() if status >= "400"}
            if path in ("/livez", "/readyz", "/health"):
                assert set(refusals) <= {"503"}
                continue
            assert set(refusals) >= {"401", "403", "413", "422", "429", "503"}, path
            for said in refusals.values():
                (content,) = said["content"].items()
                assert content == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}})


def test_a_refusal_is_as_it_is_described(serve: Any, described: dict[str, Any]) -> None:
    """Its members, and the headers that say what next."""
    schema = described["components"]["schemas"]["Problem"]
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN, API_RATE="1/hour")
    answers = [client.get("/list-apps"), *(client.post("/run", headers=BEARER, json={}) for _ in range(2))]

    assert [answer.status_code for answer in answers] == [401, 422, 429]
    for answer in answers:
        assert set(schema["required"]) <= set(answer.json()) <= set(schema["properties"])
        said = described["paths"]["/run"]["post"]["responses"][str(answer.status_code)]
        assert all(header in answer.headers for header in said.get("headers", {}))


def test_where_nobody_is_asked_for_a_token_none_is_described(serve: Any) -> None:
    """As on this machine."""
    document = serve().get("/openapi.json").json()

    assert "securitySchemes" not in document["components"]
    assert "security" not in document
    assert "401" not in document["paths"]["/run"]["post"]["responses"]


def test_the_pages_of_the_description_are_there(serve: Any) -> None:
    """With a token."""
    client = serve(API_ACCESS="token", API_TOKEN=TOKEN)

    assert client.get("/docs", headers=BEARER).status_code == 200
    assert client.get("/docs").status_code == 401
