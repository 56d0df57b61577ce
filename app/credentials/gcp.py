"""Cloud SQL IAM tokens and Google Secret Manager, by google-auth."""

import base64
import calendar
import functools
import warnings
from collections.abc import Callable
from typing import Any, Final

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from requests import RequestException
from sqlalchemy import URL

from app.credentials.failures import NoLoginError, read_as_documented, translated
from app.credentials.interface import Login
from app.credentials.renewed import Lease

_SCOPE: Final = "https://www.googleapis.com/auth/sqlservice.login"
"""All that a token for a login may do. Source: Cloud SQL for PostgreSQL, "Log in using IAM database authentication"."""

_PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"
"""Source: Secret Manager API, "Method: projects.secrets.versions.access"."""

_SECRETS: Final = "https://secretmanager.googleapis.com"

_SECONDS: Final = 5.0

_LOGIN: Final = "give the service an identity, or gcloud auth application-default login"


def token(url: URL) -> Callable[[float], Lease]:
    """What fetches tokens by the application default credentials; nothing is asked yet.

    Args:
        url: The database; its user is a service account's address without `.gserviceaccount.com`.
    """
    known: list[Any] = []

    def fetch(now: float) -> Lease:
        with translated("a token of Cloud SQL IAM", _LOGIN, GoogleAuthError, RequestException):
            if not known:
                known.append(_default(_SCOPE))
            (credentials,) = known
            credentials.refresh(functools.partial(Request(), timeout=_SECONDS))
        ends_at = float(calendar.timegm(credentials.expiry.utctimetuple()))
        return Lease.until(Login(url.username, credentials.token), ends_at, now)

    return fetch


def secret(reference: str, service: str = _SECRETS) -> Callable[[], str]:
    """What reads a secret's version.

    Args:
        reference: `projects/PROJECT/secrets/NAME`, with `/versions/VERSION` where it is not the latest.
        service: Where Secret Manager answers.
    """
    version = reference if "/versions/" in reference else f"{reference}/versions/latest"
    known: list[AuthorizedSession] = []

    def read() -> str:
        with translated(f"the secret {reference}", _LOGIN, GoogleAuthError, RequestException):
            if not known:
                known.append(AuthorizedSession(_default(_PLATFORM)))  # type: ignore[no-untyped-call]  # Google's.
            answer = known[0].get(f"{service}/v1/{version}:access", timeout=_SECONDS)
        if answer.status_code != 200:  # noqa: PLR2004  # HTTP's OK.
            message = (
                f"expected the secret {reference}, but Secret Manager answers {answer.status_code} {answer.reason}"
            )
            raise NoLoginError(message)
        with read_as_documented(f"the secret {reference}"):
            # What is no UTF-8 is told by whoever reads the text, without its bytes.
            return base64.b64decode(answer.json()["payload"]["data"]).decode(errors="surrogateescape")

    return read


def _default(scope: str) -> Any:
    with warnings.catch_warnings():
        # A person's own login has no quota project, which neither a login nor a secret needs.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.auth")
        credentials, _ = google.auth.default(scopes=[scope])
    return credentials
