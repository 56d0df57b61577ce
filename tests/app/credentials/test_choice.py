"""Which settings go together, and that a cloud's package is needed only where it is chosen."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import URL

from app import dsn
from app.credentials import choice
from app.credentials.interface import Login
from app.credentials.secret_store import FORMS
from app.environment import ROOT
from app.errors import InvalidSettingError

ENDPOINT = "sessions.abc123.eu-central-1.rds.amazonaws.com"


def read(**settings: str) -> choice.Proof:
    """As from an environment with these settings."""
    return choice.Proof.read(settings.get)


def test_the_password_is_that_of_the_uri_where_nothing_else_is_set(url: URL) -> None:
    """Role and password."""
    assert choice.of(url, read()).login() == Login("adk_user", "change-me")


def test_a_login_makes_a_url_of_its_own(url: URL) -> None:
    """With role and password replaced, or taken away, and all else as it was."""
    other = Login("adk_user_2", "p@ss").on(url)

    assert (other.username, other.password, other.host, other.query) == ("adk_user_2", "p@ss", url.host, url.query)
    assert Login("adk_user", None).on(url).password is None
    assert "p@ss" not in str(other)


@pytest.mark.parametrize(
    "settings",
    [
        {"SESSION_DB_PASSWORD_FILE": "/run/secrets/p", "SESSION_DB_PASSWORD_SECRET": "projects/p/secrets/s"},
        {"SESSION_DB_PASSWORD_FILE": "/run/secrets/p", "SESSION_DB_IDENTITY": "entra"},
        {"SESSION_DB_PASSWORD_SECRET": "projects/p/secrets/s", "SESSION_DB_IDENTITY": "rds_iam"},
    ],
)
def test_two_sources_are_refused(settings: dict[str, str]) -> None:
    """Nobody could say which one counts."""
    with pytest.raises(InvalidSettingError, match=r"^expected one of SESSION_DB_PASSWORD_FILE, "):
        read(**settings)


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?sslmode=disable"])
def test_tokens_are_not_sent_in_clear(mode: str) -> None:
    """Unlike a password's proof, a token is sent as it is."""
    url = dsn.parse(f"postgresql://adk_user@{ENDPOINT}/adk_sessions{mode}")

    with pytest.raises(InvalidSettingError, match=r"^expected sslmode=verify-full, or at least require, "):
        choice.of(url, read(SESSION_DB_IDENTITY="rds_iam"))


def test_a_token_is_of_a_role_that_the_uri_names() -> None:
    """Else libpq would take the name of the machine's user."""
    url = dsn.parse(f"postgresql://{ENDPOINT}/adk_sessions?sslmode=verify-full")

    with pytest.raises(InvalidSettingError, match=r"^expected the role in SESSION_DB_URI with "):
        choice.of(url, read(SESSION_DB_IDENTITY="entra"))


def test_a_proxy_on_this_machine_needs_no_tls() -> None:
    """It encrypts the rest of the way."""
    url = dsn.parse("postgresql://adk_user@127.0.0.1/adk_sessions?sslmode=disable")

    choice.of(url, read(SESSION_DB_IDENTITY="cloudsql_iam"))


@pytest.mark.parametrize(
    ("cloud", "reference"),
    [
        ("aws", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sessions-prod-uri-1a2b3c4-AbCdEf"),
        ("aws", "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:sessions/uri-AbCdEf"),
        ("gcp", "projects/my-project/secrets/sessions-prod-uri-1a2b3c4/versions/latest"),
        ("gcp", "projects/123456789012/secrets/sessions-prod-uri-1a2b3c4"),
        ("azure", "https://sessions-kv1a2b3c4.vault.azure.net/secrets/sessions-prod-uri-1a2b3c4d"),
    ],
)
def test_every_form_of_a_secret_ref_is_known(cloud: str, reference: str) -> None:
    """As the stacks export them, and as the clouds' consoles show them."""
    assert [name for name, form in FORMS.items() if form.fullmatch(reference)] == [cloud]


@pytest.mark.parametrize(
    "reference",
    [
        "sessions-uri",
        "https://vault.example.org/secrets/sessions-uri",
        "https://sessions.vault.azure.net.example.org/secrets/sessions-uri",
        "http://sessions.vault.azure.net/secrets/sessions-uri",
        "projects/p/secrets/s/versions/../../other",
    ],
)
def test_any_other_secret_is_refused_in_one_line(url: URL, reference: str) -> None:
    """A token of the machine's identity goes to no address but the cloud's."""
    with pytest.raises(InvalidSettingError, match=r"^expected SESSION_DB_PASSWORD_SECRET to be the `secret_ref`"):
        choice.of(url, read(SESSION_DB_PASSWORD_SECRET=reference))


@pytest.mark.parametrize(
    ("identity", "package", "extra"),
    [
        ("rds_iam", "boto3", "rds-iam"),
        ("cloudsql_iam", "google.auth", "cloudsql-iam"),
        ("entra", "azure.core", "entra"),
    ],
)
def test_a_missing_package_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, identity: str, package: str, extra: str
) -> None:
    """In one line."""
    for cloud in ("aws", "gcp", "azure"):
        monkeypatch.delitem(sys.modules, f"app.credentials.{cloud}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    url = dsn.parse(f"postgresql://adk_user@{ENDPOINT}/adk_sessions?sslmode=verify-full")

    with pytest.raises(InvalidSettingError, match=f"To install it: make environment EXTRAS={extra}, "):
        choice.of(url, read(SESSION_DB_IDENTITY=identity))


def test_no_clouds_package_is_loaded_where_it_is_not_chosen() -> None:
    """They take seconds and megabytes, and need not be installed."""
    program = (
        "import json, sys, app.engine, app.credentials.choice\n"
        "print(json.dumps(sorted({'boto3', 'botocore', 'google.auth', 'azure.core', 'requests'} & sys.modules.keys())))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == []
