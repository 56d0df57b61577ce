"""What holds for all three clouds: server generations, roles and parameters."""

import re
from collections.abc import Iterator
from typing import Final

from infra.preflight import lists
from infra.settings.managed import ManagedSettings
from infra.settings.refusals import Refusal
from infra.settings.servers import servers_refusal

OWN_PARAMETERS: Final = frozenset({"timezone", "max_connections", "ssl", "password_encryption"})
"""Parameters that the program sets itself, since ADK or a promise of this project rests on them."""

_PARAMETER: Final = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?\Z")
"""As PostgreSQL writes them; it takes any case, and a second spelling would get past what is refused by name."""


def check(section: str, settings: ManagedSettings) -> Iterator[Refusal]:
    """What is wrong with a cloud's section in a way that is the same for every cloud; read-only.

    Args:
        section: The section's key, for example `gcp`.
        settings: The section.
    """
    if reason := servers_refusal(settings.servers, settings.active):
        yield Refusal(f"{section}.servers", reason, "{servers: [{id: g1}], active: g1}")
    yield from _roles(section, settings)
    yield from lists.check(section, settings)
    for name in sorted(name for name in settings.parameters if not _PARAMETER.match(name)):
        yield Refusal(
            f"{section}.parameters",
            f"names of parameters in small letters, got {name!r}",
            "{parameters: {log_min_duration_statement: '500'}}",
        )
    for name in sorted(settings.parameters.keys() & OWN_PARAMETERS):
        yield Refusal(
            f"{section}.parameters",
            f"no {name}, which the program sets itself",
            "{parameters: {log_min_duration_statement: '500'}}",
        )


def _roles(section: str, settings: ManagedSettings) -> Iterator[Refusal]:
    if settings.owner_user in {settings.app_user, second_role(settings.app_user)}:
        yield Refusal(
            f"{section}.owner_user",
            f"another role than the app's, which are {settings.app_user} and {second_role(settings.app_user)}",
            "{owner_user: adk_owner, app_user: adk_user}",
        )


def second_role(app_user: str) -> str:
    """The app's other role, which rotation alternates with; read-only."""
    return f"{app_user}_2"
