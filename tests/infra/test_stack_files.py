"""The stack files that are shipped: each is accepted as it stands, and says what its environment is said to be."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import preflight, settings
from infra.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "session-database"
FILES = sorted(ROOT.glob("Pulumi.*.yaml"))
CLOUDS = ("gcp", "aws", "azure")


def config(stack: str) -> dict[str, Any]:
    """The keys of a shipped stack file."""
    found: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return found


def load(stack: str, **other: str) -> Settings:
    """The file as the engine hands it over, with other values for single keys; preflight passed."""
    keys = config(stack) | {f"{PROJECT}:{key}": value for key, value in other.items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    loaded = settings.load(texts, project=PROJECT, stack=stack)
    preflight.require(loaded, project=PROJECT, stack=stack)
    return loaded


def test_each_environment_has_its_file_and_its_backend() -> None:
    """As the table of environments says."""
    backends = {stack: load(stack).backend for stack in ("dev", "staging", "prod")}

    assert backends == {"dev": "sqlite", "staging": "postgres", "prod": "gcp"}
    assert {file.name for file in FILES} == {f"Pulumi.{stack}.yaml" for stack in backends}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_one_key_moves_production_to_another_cloud(cloud: str) -> None:
    """Nothing else in the file has to change before a preview."""
    chosen = load("prod", backend=cloud)

    assert chosen.managed is getattr(chosen, cloud)
    assert chosen.profile == "prod"
    assert chosen.waivers == {}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_production_is_on_no_floor(cloud: str) -> None:
    """What a waiver would be needed for is not in an example."""
    section: Any = load("prod", backend=cloud).managed

    assert section.high_availability
    assert section.deletion_protection
    assert section.alerts.enabled
    assert section.alerts.emails == ("oncall@example.com",)
    assert section.network.mode == "private"
    assert section.backup.retention_days >= 7


@pytest.mark.parametrize("cloud", CLOUDS)
def test_production_keeps_a_copy_of_its_backups_elsewhere(cloud: str) -> None:
    """A region that is lost takes no backup along."""
    section: Any = load("prod", backend=cloud).managed

    assert section.backup.copy_region not in {"", section.region}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("profile", ["dev", "staging"])
def test_the_sections_of_production_are_fine_in_a_smaller_profile(cloud: str, profile: str) -> None:
    """What the file leaves out is then cheaper, and still goes together."""
    section = load("prod", backend=cloud, profile=profile).managed

    assert section is not None
    assert not section.high_availability


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("profile", ["dev", "staging", "prod"])
def test_a_profile_alone_is_a_whole_stack_file(cloud: str, profile: str) -> None:
    """The defaults go together, without any key but the one that Google Cloud cannot do without."""
    section = {"project": "example-project"} if cloud == "gcp" else {}
    texts = {"backend": cloud, "profile": profile, cloud: json.dumps(section)}
    loaded = settings.load({f"{PROJECT}:{key}": text for key, text in texts.items()}, project=PROJECT, stack="x")

    assert list(preflight.check(loaded)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_says_what_to_do_first(file: Path) -> None:
    """Whoever opens it reads the first command, and where all settings are."""
    comments = [line for line in file.read_text().splitlines() if line.startswith("#")]

    assert any(f"make up{'' if 'dev' in file.name else ' STACK='}" in line for line in comments)
    assert any("docs/SESSION_DATABASE_CONFIG.md" in line for line in comments)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_backend_stands_alone_in_its_line(file: Path) -> None:
    """`make` reads it from there: every cloud that a comment beside it named would be installed."""
    (line,) = [line for line in file.read_text().splitlines() if line.strip().startswith(f"{PROJECT}:backend:")]

    assert len(line.split()) == 2


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_no_secret_and_no_salt_is_shipped(stack: str) -> None:
    """Those belong to one passphrase, which nobody else has."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()

    assert not {"encryptionsalt", "secretsprovider", "encryptedkey"} & yaml.safe_load(text).keys()
    assert "secure:" not in text
