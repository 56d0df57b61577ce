"""Microsoft Entra tokens and secrets of Azure Key Vault, by azure-identity as it is, from an app's managed identity."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import URL

from app.credentials import azure, choice, secret_store
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login

SECRET = "/secrets/sessions-uri-1a2b"


@pytest.fixture
def identity(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The endpoint that App Service and Container Apps give to a container (their page "Managed identities")."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.address}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "example")
    endpoint.answer = answered
    return endpoint


def answered(request: Any) -> tuple[int, Any]:
    """A token for whatever is asked for, and the secret."""
    if request.path.startswith("/msi/token"):
        (resource,) = parse_qs(urlsplit(request.path).query)["resource"]
        ends = str(int(time.time()) + 86_000)
        return 200, {
            "access_token": f"eyJ.{resource}",
            "expires_on": ends,
            "resource": resource,
            "token_type": "Bearer",
        }
    return 200, {"value": "postgresql://adk_user_2:p%40ss@db.example.org/adk_sessions", "id": "1"}


def test_a_token_is_for_open_source_databases(url: URL, identity: Any) -> None:
    """It is fetched once for several connections, with the header that the platform wants."""
    credentials = choice.of(url, choice.Proof.read({"SESSION_DB_IDENTITY": "entra"}.get))

    logins = {credentials.login() for _ in range(3)}

    assert logins == {Login("adk_user", "eyJ.https://ossrdbms-aad.database.windows.net")}
    (asked,) = identity.asked
    assert asked.headers["X-IDENTITY-HEADER"] == "example"


def test_no_identity_is_told_in_one_line(url: URL, identity: Any) -> None:
    """What azure-identity has tried fills a page."""
    identity.answer = lambda _: (400, {"error": "invalid_request", "error_description": "no identity"})
    credentials = choice.of(url, choice.Proof.read({"SESSION_DB_IDENTITY": "entra"}.get))

    with pytest.raises(NoLoginError, match=r"^expected a token of Microsoft Entra, but: .*To log in: ") as caught:
        credentials.login()

    assert "\n" not in str(caught.value)


def test_a_secret_brings_role_and_password(url: URL, identity: Any) -> None:
    """By its address; the vault gets a token of its own."""
    address = f"{identity.address}{SECRET}"

    login = secret_store.reading(url, address, azure.secret(address, plain=True)).login()

    assert login == Login("adk_user_2", "p@ss")
    (asked,) = [each for each in identity.asked if each.path.startswith(SECRET)]
    assert asked.path == f"{SECRET}?api-version=7.4"
    assert asked.headers["Authorization"] == "Bearer eyJ.https://vault.azure.net"


def test_a_secret_that_may_not_be_read_is_told_in_one_line(url: URL, identity: Any) -> None:
    """With the status, and no token."""
    identity.answer = lambda asked: (403, {}) if asked.path.startswith(SECRET) else answered(asked)
    address = f"{identity.address}{SECRET}"

    with pytest.raises(NoLoginError, match="Forbidden") as caught:
        secret_store.reading(url, address, azure.secret(address, plain=True)).login()

    assert "eyJ" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, ["value"], {"id": "1"}])
def test_an_answer_of_another_form_is_told_in_one_line(body: Any, url: URL, identity: Any) -> None:
    """As of a proxy in between."""
    identity.answer = lambda asked: (200, body) if asked.path.startswith(SECRET) else answered(asked)
    address = f"{identity.address}{SECRET}"

    with pytest.raises(NoLoginError, match=f"expected the secret {address}, but the answer is of another form"):
        secret_store.reading(url, address, azure.secret(address, plain=True)).login()
