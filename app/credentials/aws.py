"""RDS IAM tokens and AWS Secrets Manager, by boto3."""

import re
from collections.abc import Callable
from typing import Final

import boto3  # type: ignore[import-untyped]  # It ships without types.
from botocore.config import Config  # type: ignore[import-untyped]  # As above.
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # As above.
from sqlalchemy import URL

from app.credentials.failures import translated
from app.credentials.interface import Login
from app.credentials.renewed import Lease
from app.errors import InvalidSettingError

_LIFE: Final = 900.0
"""Seconds. Source: Amazon RDS User Guide, "IAM database authentication for MariaDB, MySQL, and PostgreSQL"."""

_REGION: Final = re.compile(r"\.([a-z]{2,}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com")
"""In the name of every endpoint. Source: Amazon RDS User Guide, "Connecting to an Amazon RDS DB instance"."""

_BOUNDED: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3})

_LOGIN: Final = "give the task or the instance a role, or aws sso login, or set AWS_PROFILE"


def token(url: URL) -> Callable[[float], Lease]:
    """What signs tokens for a database; nothing is asked of the network but, by boto3, the machine's own identity.

    Args:
        url: The database by the name of its endpoint, which is a part of what is signed.

    Raises:
        InvalidSettingError: No region is known, or the URL names several hosts.
    """
    if not url.host:
        message = (
            "expected one host for tokens of RDS IAM, which are of one host each. Name the endpoint of the instance or "
            "of the cluster in SESSION_DB_URI; it follows a failover"
        )
        raise InvalidSettingError(message)
    host, port, user = url.host, url.port or 5432, url.username
    found = _REGION.search(host)
    try:
        client = boto3.Session().client("rds", region_name=found[1] if found else None, config=_BOUNDED)
    except BotoCoreError as error:
        message = f"expected a region for tokens of RDS IAM, but: {error}. For example AWS_REGION=eu-central-1"
        raise InvalidSettingError(message) from None

    def fetch(now: float) -> Lease:
        with translated("a token of RDS IAM", _LOGIN, BotoCoreError, ClientError):
            signed = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
        return Lease.until(Login(user, signed), now + _LIFE, now)

    return fetch


def secret(reference: str) -> Callable[[], str]:
    """What reads a secret's newest value.

    Args:
        reference: Its ARN.
    """
    client = boto3.Session().client("secretsmanager", region_name=reference.split(":")[3], config=_BOUNDED)

    def read() -> str:
        with translated(f"the secret {reference}", _LOGIN, BotoCoreError, ClientError):
            return str(client.get_secret_value(SecretId=reference).get("SecretString", ""))

    return read
