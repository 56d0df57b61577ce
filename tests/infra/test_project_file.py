"""Pulumi.yaml describes the same keys as the settings, and neither changes what the other says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.automation import CommandError, CommandResult
from rich.console import Console

from infra import failures, layout, settings
from infra.errors import SettingsError
from infra.progress import Progress
from infra.settings import refusals

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "session-database"
SCHEMA: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]


def text(value: object) -> str:
    """A value as the engine hands it over."""
    return value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True).strip()


def test_every_key_is_described_with_its_type() -> None:
    """Those of the settings in their order, and no other: the engine would take another one for the program's."""
    fields = refusals.fields(settings.Settings)

    assert list(SCHEMA) == list(fields)
    for key, field in fields.items():
        structured = refusals.nested(field.annotation) is not None or isinstance(field.default, dict)
        assert SCHEMA[key]["type"] == ("object" if structured else "string"), key
        assert SCHEMA[key]["description"], key


def test_the_project_has_one_name() -> None:
    """That of Pulumi.yaml, written in one place of the code."""
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"] == layout.PROJECT
    prefixed = [path.name for path in (ROOT / "infra").rglob("*.py") if f"{PROJECT}:" in path.read_text()]
    assert prefixed == [], "a key with the project's name in it is made of layout.PROJECT"


def test_every_key_has_a_default_so_that_the_engine_asks_for_none() -> None:
    """It would refuse the stack file before the program can say which file, and what would do."""
    assert all("default" in declared for declared in SCHEMA.values())


def test_the_defaults_are_those_of_the_settings() -> None:
    """The engine fills them in where a stack file says nothing."""
    filled = {f"{PROJECT}:{key}": text(declared["default"]) for key, declared in SCHEMA.items()}
    chosen = {f"{PROJECT}:backend": "sqlite"}

    with_defaults = settings.load(filled | chosen, project=PROJECT, stack="dev")

    assert with_defaults == settings.load(chosen, project=PROJECT, stack="dev")


def test_no_backend_is_none_by_default() -> None:
    """A production stack that forgets it must not become a file on a laptop."""
    filled = {f"{PROJECT}:{key}": text(declared["default"]) for key, declared in SCHEMA.items()}

    with pytest.raises(SettingsError, match="session-database:backend: expected the backend, one of: sqlite"):
        settings.load(filled, project=PROJECT, stack="dev")


@pytest.mark.parametrize("key", list(SCHEMA))
def test_what_the_engine_refuses_by_type_reads_like_a_refusal_of_ours(key: str) -> None:
    """File, key, what was expected and an example; the exit code of a wrong stack file."""
    words = f"error: validating stack config: Stack 'dev' with configuration key '{key}' must be of type 'object'"
    ended = CommandResult(stdout="", stderr=words, code=255)

    with pytest.raises(SettingsError) as caught, failures.readable("dev", Progress(Console())):
        raise CommandError(ended)

    line = str(caught.value)
    assert line.startswith(f"Pulumi.dev.yaml: {PROJECT}:{key}: expected ")
    assert f"For example: {PROJECT}:{key}: " in line
