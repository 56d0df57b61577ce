"""The stack file as one frozen, typed tree; whatever does not fit is refused in one readable line."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from infra.errors import SettingsError


class Section(BaseModel):
    """A group of settings: frozen, closed to unknown keys, and silent about rejected values, which may be secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


FilePath = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^?#%\x00-\x1f]*[^?#%\x00-\x1f/]$"),
]
"""A path that survives in a SQLite URI: ADK keeps %-escapes raw and cuts at `?` and `#` (google-adk 2.13 registry)."""


class SqliteSettings(Section):
    """One SQLite file on this machine."""

    path: FilePath = Field(
        default="data/sessions/sessions.db",
        description="the path of the database file, without ? # or %, absolute or relative to the repository",
        examples=["data/sessions/sessions.db"],
    )
    backups: FilePath = Field(
        default="data/backups",
        description="the folder that keeps destroyed databases, absolute or relative to the repository",
        examples=["data/backups"],
    )


class Settings(Section):
    """What a stack file says: the backend, and one section for it."""

    backend: Literal["sqlite"] = Field(description="the backend, one of: sqlite", examples=["sqlite"])
    sqlite: SqliteSettings = Field(
        default=SqliteSettings(),
        description="a section with the keys path and backups",
        examples=["{path: data/sessions/sessions.db}"],
    )


def load(config: Mapping[str, str], *, project: str, stack: str) -> Settings:
    """Read the settings of one stack; pure: no file, network or clock is consulted.

    Args:
        config: The engine's configuration, `project:key` to text; structured values are JSON text.
        project: The Pulumi project, whose keys are ours; other namespaces belong to providers.
        stack: The stack's name, to name its file in a refusal.

    Returns:
        The frozen settings, defaults filled in.

    Raises:
        SettingsError: One line for each key that is unknown, missing or of a wrong type or value.
    """
    prefix = f"{project}:"
    own = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
    try:
        return Settings.model_validate(own)
    except ValidationError as error:
        lines = [_line(details["type"], details["loc"], project, stack) for details in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def documented() -> Iterator[tuple[str, str, str]]:
    """Every setting as (key, default, meaning), for the documentation and its test; read-only."""
    yield from _leaves(Settings, "")


def _leaves(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, f"{prefix}{name}.")
        else:
            default = "required" if field.is_required() else str(field.default)
            yield f"{prefix}{name}", default, field.description or ""


def _decoded(value: str) -> Any:
    """Structured values arrive as JSON text, scalars as they are (`pulumi.Config.get_object`)."""
    if value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _line(kind: str, loc: tuple[int | str, ...], project: str, stack: str) -> str:
    where = f"Pulumi.{stack}.yaml: {project}:{'.'.join(str(part) for part in loc)}"
    if kind == "extra_forbidden":
        parent = _section(loc[:-1])
        known = ", ".join(parent.model_fields)
        example = _example(parent, loc[:-1], project)
        return f"{where}: unknown key; expected one of: {known}. For example: {example}"
    section, field = _section(loc[:-1]), str(loc[-1])
    expected = section.model_fields[field].description
    return f"{where}: expected {expected}. For example: {_example(section, loc, project)}"


def _section(loc: tuple[int | str, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Settings
    for part in loc:
        annotation = section.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        section = annotation
    return section


def _example(section: type[BaseModel], loc: tuple[int | str, ...], project: str) -> str:
    """The YAML that would be right at this place."""
    name = str(loc[-1]) if loc and str(loc[-1]) in section.model_fields else next(iter(section.model_fields))
    leaf = f"{name}: {(section.model_fields[name].examples or [''])[0]}"
    if section is Settings:
        return f"{project}:{leaf}"
    return f"{project}:{loc[0]}: {{{leaf}}}"
