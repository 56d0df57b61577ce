"""The stack file as one frozen, typed tree; whatever does not fit is refused in one readable line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_origin

from pydantic import BaseModel, Field, ValidationError

from infra.errors import SettingsError
from infra.settings import profiles, refusals
from infra.settings.aws import AwsSettings
from infra.settings.azure import AzureSettings
from infra.settings.gcp import GcpSettings
from infra.settings.managed import ManagedSettings
from infra.settings.postgres import PostgresSettings
from infra.settings.section import Section
from infra.settings.sqlite import SqliteSettings
from infra.settings.types import Reason

__all__ = ["Settings", "documented", "load"]

Backend = Literal["sqlite", "postgres", "gcp", "aws", "azure"]


class Settings(Section):
    """What a stack file says: the backend, its posture, and one section for each backend."""

    backend: Backend = Field(description="the backend, one of: sqlite, postgres, gcp, aws, azure", examples=["sqlite"])
    profile: profiles.Profile = Field(
        default="prod",
        description="the posture that sets the defaults of a cloud's section, one of: dev, staging, prod",
        examples=["prod"],
    )
    waivers: dict[str, Reason] = Field(
        default={},
        description="a map of production's floors that this stack is under, each with a reason of 10 to 300 characters",
        examples=["{alerts: watched by the platform team's own monitoring}"],
    )
    sqlite: SqliteSettings = Field(default=SqliteSettings(), description="a section")
    postgres: PostgresSettings = Field(default=PostgresSettings(), description="a section")
    gcp: GcpSettings = Field(default=GcpSettings(), description="a section")
    aws: AwsSettings = Field(default=AwsSettings(), description="a section")
    azure: AzureSettings = Field(default=AzureSettings(), description="a section")

    @property
    def managed(self) -> ManagedSettings | None:
        """The section of the chosen cloud, or None where the backend is no cloud's; read-only."""
        section = getattr(self, self.backend)
        return section if isinstance(section, ManagedSettings) else None


def load(config: Mapping[str, str], *, project: str, stack: str) -> Settings:
    """Read the settings of one stack; pure: no file, network or clock is consulted.

    Args:
        config: The engine's configuration, `project:key` to text; structured values are JSON text.
        project: The Pulumi project, whose keys are ours; other namespaces belong to providers.
        stack: The stack's name, to name its file in a refusal.

    Returns:
        The frozen settings, defaults of the profile filled in.

    Raises:
        SettingsError: One line for each key that is unknown, missing or of a wrong type or value.
    """
    prefix = f"{project}:"
    own = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
    try:
        return Settings.model_validate(profiles.filled(own))
    except ValidationError as error:
        found = ((each["type"], each["loc"]) for each in refusals.innermost(error.errors()))
        lines = (refusals.line(Settings, kind, loc, project, stack) for kind, loc in found)
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None


def documented() -> Iterator[tuple[str, str, str]]:
    """Every setting as (key, default in production, meaning), for the documentation and its test; read-only."""
    yield from _leaves(Settings, "")


def _leaves(section: type[BaseModel], prefix: str, given: BaseModel | None = None) -> Iterator[tuple[str, str, str]]:
    """Of one section; `given` is what stands there by default, where it is not the section's own defaults."""
    for name, field in section.model_fields.items():
        key, inner = f"{prefix}{field.alias or name}", refusals.nested(field.annotation)
        default = field.default if given is None else getattr(given, name)
        if inner is None or field.examples:
            yield key, _default(field.is_required(), default), field.description or ""
        if inner is not None:
            below = default if isinstance(default, BaseModel) else None
            yield from _leaves(inner, f"{key}{'[]' if get_origin(field.annotation) is tuple else ''}.", below)


def _default(required: bool, value: object) -> str:  # noqa: FBT001  # Of one call, next to its meaning.
    if required:
        return "required"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[]" if not value else "[{id: g1}]"
    return "none" if value in (None, "") else str(value)


def _decoded(value: str) -> Any:
    """Structured values arrive as JSON text, scalars as they are (`pulumi.Config.get_object`)."""
    if value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value
