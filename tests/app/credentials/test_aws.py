"""RDS IAM tokens, signed on this machine, and secrets of AWS Secrets Manager, by boto3 as it is."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import URL

from app import dsn
from app.credentials import choice
from app.credentials.failures import NoLoginError
from app.credentials.interface import Login
from app.errors import InvalidSettingError

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sessions-uri-1a2b-AbCdEf"

RDS = "sessions-prod.abc123.eu-central-1.rds.amazonaws.com"


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nobody."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "change-me")


def database(host: str) -> URL:
    """At a host, with TLS."""
    return dsn.parse(f"postgresql://adk_user@{host}/adk_sessions?sslmode=verify-full")


def of(url: URL, **settings: str) -> Login:
    """The login by some settings."""
    return choice.of(url, choice.Proof.read(settings.get)).login()


def test_a_token_is_signed_for_host_port_role_and_region() -> None:
    """For a quarter of an hour; the region is the endpoint's own."""
    login = of(database(f"{RDS}:5433"), SESSION_DB_IDENTITY="rds_iam")

    assert login.user == "adk_user"
    token = urlsplit(f"https://{login.password}")
    asked = {name: value for name, (value,) in parse_qs(token.query).items()}
    assert token.netloc == f"{RDS}:5433"
    assert (asked["Action"], asked["DBUser"], asked["X-Amz-Expires"]) == ("connect", "adk_user", "900")
    key, _, region, service, _ = asked["X-Amz-Credential"].split("/")
    assert (key, region, service) == ("AKIDEXAMPLE", "eu-central-1", "rds-db")
    assert len(asked["X-Amz-Signature"]) == 64
    assert "change-me" not in str(login.password)


def test_a_name_of_ones_own_has_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As tunnels and CNAMEs have none."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert "us-east-1" in str(of(database("db.example.org"), SESSION_DB_IDENTITY="rds_iam").password)


def test_no_region_is_told_in_one_line() -> None:
    """Before anything is connected."""
    with pytest.raises(InvalidSettingError, match=r"AWS_REGION=eu-central-1$") as caught:
        of(database("db.example.org"), SESSION_DB_IDENTITY="rds_iam")

    assert "\n" not in str(caught.value)


def test_several_hosts_are_refused() -> None:
    """A token is of one host."""
    with pytest.raises(InvalidSettingError, match="one host for tokens of RDS IAM"):
        of(database("one.example.org,two.example.org"), SESSION_DB_IDENTITY="rds_iam")


def test_a_missing_login_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(NoLoginError, match=r"^expected a token of RDS IAM, but: Unable to locate credentials\. To log"):
        of(database(RDS), SESSION_DB_IDENTITY="rds_iam")


def test_a_secret_brings_role_and_password(url: URL, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its ARN, in whose region it is asked for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.address)
    secret = "postgresql+psycopg://adk_user_2:p%40ss@db.example.org/adk_sessions"
    endpoint.answer = lambda _: (200, {"ARN": ARN, "Name": "sessions-uri", "SecretString": secret})

    assert of(url, SESSION_DB_PASSWORD_SECRET=ARN) == Login("adk_user_2", "p@ss")
    (asked,) = endpoint.asked
    assert json.loads(asked.body) == {"SecretId": ARN}
    assert asked.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
    assert "/eu-west-1/secretsmanager/" in asked.headers["Authorization"]


def test_a_secret_that_may_not_be_read_is_told_in_one_line(
    url: URL, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In AWS's own words."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.address)
    endpoint.answer = lambda _: (400, {"__type": "AccessDeniedException", "Message": "not authorized"})

    with pytest.raises(NoLoginError, match=r"AccessDeniedException.*not authorized\. To log in: "):
        of(url, SESSION_DB_PASSWORD_SECRET=ARN)
