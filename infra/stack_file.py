"""The stack file: found, read, and handed to the engine without ever letting it write into a tracked one."""

import contextlib
from pathlib import Path
from typing import Any, Final

import yaml

from infra import yaml_text
from infra.errors import SettingsError
from infra.layout import PROJECT, ROOT

_ENCRYPTION: Final = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""Keys with which a stack file says how its own secrets are encrypted."""

_HARMLESS: Final = frozenset({"name", "description", "config"})
"""Keys of Pulumi.yaml that a rehearsal has as well."""

_BACKEND: Final = ("backend", f"{PROJECT}:backend", f"{PROJECT}:config:backend")
"""The spellings of one key (pulumi `config.ParseKey`; `workspace`, on keys without a namespace)."""

STAND_IN: Final = "rehearsal"
"""What a rehearsal reads in a secret's place: it has another passphrase, and no use for a real one."""


def require(stack: str) -> None:
    """Refuse a stack without a readable file, so that a typo creates nothing; read-only.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    read(ROOT / f"Pulumi.{stack}.yaml")


def backend(stack: str) -> str:
    """What the stack file says its backend is, unchecked; empty where it says nothing or two things. Read-only.

    As the engine reads it: with or without the project's name in front, else from Pulumi.yaml (Pulumi, "Configuration":
    "Project level configuration").

    Raises:
        SettingsError: There is no such stack file, or it or Pulumi.yaml is no YAML.
    """
    said = _backends(read(ROOT / f"Pulumi.{stack}.yaml")) or _backends(read(ROOT / "Pulumi.yaml"))
    return said.pop() if len(said) == 1 else ""


def section(stack: str, name: str) -> dict[str, Any]:
    """A section as the stack file has it, unchecked; empty where there is none that is a map. Read-only.

    Args:
        stack: The stack's name.
        name: For example `postgres`.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    config = read(ROOT / f"Pulumi.{stack}.yaml").get("config")
    found = [config.get(key) for key in (f"{PROJECT}:{name}", name)] if isinstance(config, dict) else []
    return next((each for each in found if isinstance(each, dict)), {})


def _backends(content: dict[str, Any]) -> set[str]:
    """All that a file's configuration says of the backend, under whichever spelling of the key."""
    config = content.get("config")
    told = [config[key] for key in _BACKEND if key in config] if isinstance(config, dict) else []
    plain = (each.get("value", each.get("default", "")) if isinstance(each, dict) else each for each in told)
    return set(map(str, plain))


def for_engine(stack: str, folder: Path) -> Path:
    """The stack file the engine reads: the tracked one, or a copy that takes the salt the engine adds.

    The engine writes `encryptionsalt` into the stack file of every stack with a passphrase. A generated passphrase is
    this clone's alone, so its salt goes into a copy and the tracked file stays clean. A file that has encryption
    settings of its own is used as it is.

    Args:
        stack: The stack's name.
        folder: Where copies are kept.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    tracked = ROOT / f"Pulumi.{stack}.yaml"
    if any(key in read(tracked) for key in _ENCRYPTION):
        return tracked
    return _copied(tracked.read_text(), folder / "config" / tracked.name)


def for_rehearsal(stack: str, folder: Path) -> Path:
    """A copy of the stack file without its secrets: they cannot be decrypted with a rehearsal's own passphrase.

    Args:
        stack: The stack's name.
        folder: Where copies are kept.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    tracked = ROOT / f"Pulumi.{stack}.yaml"
    whole = read(tracked)
    content = {key: _without_secrets(value) for key, value in whole.items() if key not in _ENCRYPTION}
    # As it is where nothing has to go: YAML written anew could read otherwise to the engine.
    text = tracked.read_text() if content == whole else yaml.safe_dump(content, sort_keys=False)
    return _copied(text, folder / "config" / tracked.name)


def project_for_rehearsal(folder: Path) -> Path:
    """A folder with a copy of Pulumi.yaml that has nothing in it by which another plugin or state could come in.

    The engine takes what stands under `plugins` before anything on PATH (pulumi `plugins.go`, `getPluginInfoAndPath`).

    Args:
        folder: Where copies are kept.

    Raises:
        SettingsError: Pulumi.yaml is missing, or no YAML.
    """
    content = {key: value for key, value in read(ROOT / "Pulumi.yaml").items() if key in _HARMLESS}
    copy = folder / "project" / "Pulumi.yaml"
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = copy.with_name(copy.name + ".partial")
    fresh.write_text(yaml.safe_dump(content | {"runtime": "python"}, sort_keys=False))
    fresh.rename(copy)
    return copy.parent


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return STAND_IN
        return {key: _without_secrets(each) for key, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


def _copied(text: str, copy: Path) -> Path:
    """The text in a private copy, with the salt that the engine gave the copy before."""
    with contextlib.suppress(SettingsError):  # A copy that is missing or damaged gets a new salt.
        if salt := read(copy).get("encryptionsalt"):
            text += f"\nencryptionsalt: {salt}\n"
    copy.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = copy.with_name(copy.name + ".partial")
    fresh.write_text(text)
    fresh.rename(copy)
    return copy


def read(path: Path) -> dict[str, Any]:
    """The content of a stack file or of Pulumi.yaml; read-only.

    Raises:
        SettingsError: It is missing, no YAML mapping, or no configuration that the engine takes.
    """
    try:
        return yaml_text.parsed(path.read_text(), path.name)
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem.removeprefix("Pulumi.") for file in ROOT.glob("Pulumi.*.yaml")))
        message = f"expected a stack file {path.name}; there are: {known}. For example: --stack dev"
        raise SettingsError(message) from None
    except UnicodeDecodeError:
        message = f"{path.name}: expected UTF-8 text such as `{PROJECT}:backend: sqlite` under `config:`"
        raise SettingsError(message) from None
