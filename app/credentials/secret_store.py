"""A password in a cloud's secret store, where the stack keeps it and a rotation changes it."""

import re
from collections.abc import Callable
from typing import Final

from sqlalchemy import URL

from app.credentials import vendors
from app.credentials.content import Content
from app.credentials.renewed import Lease, RenewedCredentials
from app.errors import InvalidSettingError

VARIABLE: Final = "SESSION_DB_PASSWORD_SECRET"

_EVERY: Final = 300.0
"""Seconds between two looks: a rotation is followed within minutes, long before the next one."""

FLOOR: Final = 1.0
"""Seconds in which a secret is not read twice: connections that fail one after another would each cost a request."""

FORMS: Final = {
    "aws": re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+"),
    "gcp": re.compile(r"projects/[^/\s]+/(?:locations/[^/\s]+/)?secrets/[\w-]+(?:/versions/\w+)?"),
    "azure": re.compile(r"https://[a-z0-9-]{3,24}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)/secrets/[\w/-]+"),
}
"""What a `secret_ref` of each cloud looks like; the cloud's identity is shown to no other address."""


def credentials(url: URL, reference: str) -> RenewedCredentials:
    """Logins out of a secret; nothing is read yet.

    Args:
        url: The database, as SESSION_DB_URI names it.
        reference: The stack's `secret_ref`.

    Raises:
        InvalidSettingError: It is of no secret store, or that cloud's package is missing.
    """
    cloud = next((cloud for cloud, form in FORMS.items() if form.fullmatch(reference)), None)
    if cloud is None:
        message = (
            "expected SESSION_DB_PASSWORD_SECRET to be the `secret_ref` of a stack: the ARN of a secret on AWS, "
            "projects/PROJECT/secrets/NAME on Google Cloud, or https://VAULT.vault.azure.net/secrets/NAME on Azure"
        )
        raise InvalidSettingError(message)
    return reading(url, reference, vendors.imported(cloud).secret(reference))


def reading(url: URL, reference: str, read: Callable[[], str]) -> RenewedCredentials:
    """The same by whatever reads the secret.

    Args:
        url: The database, as SESSION_DB_URI names it.
        reference: The secret's name, for messages.
        read: Gets what it holds; blocks, for a bounded time.
    """
    content = Content(url, f"{reference}, which {VARIABLE} names")

    def fetch(now: float) -> Lease:
        return Lease(content.login(read()), now + _EVERY, float("inf"))

    return RenewedCredentials(fetch, floor=FLOOR)
