"""Mixes of settings that no cloud would take, refused before anything is asked of one: offline, by name, with a fix."""

from collections.abc import Iterator

from infra.errors import SettingsError
from infra.preflight import aws, azure, common, gcp, postgres, waivers
from infra.settings import Settings
from infra.settings.refusals import Refusal

__all__ = ["check", "require"]


def require(settings: Settings, *, project: str, stack: str) -> None:
    """Refuse what cannot be; read-only and offline.

    Args:
        settings: What the stack file says.
        project: The Pulumi project, for the refusal.
        stack: The stack's name, for the refusal.

    Raises:
        SettingsError: One line for each mix that cannot be, with the value that would do.
    """
    if lines := [refusal.line(project, stack) for refusal in check(settings)]:
        raise SettingsError("\n".join(lines))


def check(settings: Settings) -> Iterator[Refusal]:
    """Everything that is wrong with the section of the chosen backend and with waivers; read-only and offline."""
    yield from waivers.check(settings)
    match settings.backend:
        case "gcp":
            yield from common.check("gcp", settings.gcp)
            yield from gcp.check(settings.gcp)
        case "aws":
            yield from common.check("aws", settings.aws)
            yield from aws.check(settings.aws)
        case "azure":
            yield from common.check("azure", settings.azure)
            yield from azure.check(settings.azure)
        case "postgres":
            yield from postgres.check(settings.postgres)
        case "sqlite":
            return
