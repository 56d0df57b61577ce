"""Microsoft Entra tokens and Azure Key Vault, by azure-identity and azure-core."""

from collections.abc import Callable
from typing import Final

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import DefaultAzureCredential
from sqlalchemy import URL

from app.credentials.failures import read_as_documented, translated
from app.credentials.interface import Login
from app.credentials.renewed import Lease

_SCOPE: Final = "https://ossrdbms-aad.database.windows.net/.default"
"""Source: Azure Database for PostgreSQL, "Use Microsoft Entra ID for authentication"."""

_VAULT: Final = "https://vault.azure.net/.default"
"""Source: Azure Key Vault, "Authentication, requests and responses"."""

_CONNECT: Final = 3

_READ: Final = 5

_LOGIN: Final = "give the app a managed identity, or az login"


def token(url: URL) -> Callable[[float], Lease]:
    """What fetches tokens by azure-identity's default chain; nothing is asked yet.

    Args:
        url: The database; its user is the name of the identity's role.
    """
    credential = DefaultAzureCredential()

    def fetch(now: float) -> Lease:
        with translated("a token of Microsoft Entra", _LOGIN, AzureError):
            found = credential.get_token(_SCOPE)
        return Lease.until(Login(url.username, found.token), float(found.expires_on), now)

    return fetch


def secret(reference: str, *, plain: bool = False) -> Callable[[], str]:
    """What reads a secret's newest value, or the version that its address names.

    Args:
        reference: Its address, `https://VAULT.vault.azure.net/secrets/NAME`.
        plain: Whether the vault may answer without TLS, as a test's does on the loopback address.
    """
    proof = BearerTokenCredentialPolicy(DefaultAzureCredential(), _VAULT)
    vault: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
        reference,
        policies=[RetryPolicy(retry_total=1), proof],
        transport=RequestsTransport(connection_timeout=_CONNECT, read_timeout=_READ),
    )

    def read() -> str:
        with translated(f"the secret {reference}", _LOGIN, AzureError):
            answer = vault.send_request(
                HttpRequest("GET", reference, params={"api-version": "7.4"}), enforce_https=not plain
            )
            answer.raise_for_status()
            with read_as_documented(f"the secret {reference}"):
                return str(answer.json()["value"])

    return read
