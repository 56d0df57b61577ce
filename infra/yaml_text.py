"""The text of a stack file, held to what the engine takes of YAML before the engine is asked."""

import copy
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import yaml

from infra.errors import SettingsError
from infra.layout import PROJECT
from infra.settings.refusals import shown

_EXAMPLE: Final = f"`{PROJECT}:backend: sqlite` under `config:`"

_CONFIG: Final = "config"

_KEY: Final = re.compile(r"[^:]+(:(config:)?[^:]+)?")
"""A name, with or without a namespace."""


def parsed(text: str, name: str) -> dict[str, Any]:
    """The content of a stack file or of Pulumi.yaml; pure, and each text is read once: a command asks ten times.

    Args:
        text: What is in it.
        name: The file's name, for a refusal.

    Raises:
        SettingsError: It is no YAML mapping, has a key twice, which PyYAML would take and the engine does not
            (go-yaml v3, `decode.go`, `uniqueKeys`), or has a `config:` that is no mapping of names.
    """
    return copy.deepcopy(_parsed(text, name))


@lru_cache(maxsize=16)
def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-13-45.
        mark = getattr(error, "problem_mark", None)
        message = f"{name}:{f' line {mark.line + 1}' if mark else ''} expected YAML such as {_EXAMPLE}"
        raise SettingsError(message) from None
    if not isinstance(content, dict | None):
        message = f"{name}: expected a mapping with the key `config:`, got {type(content).__name__}"
        raise SettingsError(message)
    if wrong := "\n".join(f"{name}: {each}" for each in (*_repeated(node), *_misplaced(node))):
        raise SettingsError(wrong)
    return content or {}


def _repeated(root: yaml.Node | None) -> Iterator[str]:
    """A line for each key that its mapping has already."""
    for mapping in _mappings(root):
        lines: dict[str, int] = {}
        for key in (key for key, _value in mapping.value if isinstance(key, yaml.ScalarNode)):
            # To the engine a key without a namespace is the project's, and of two it takes either.
            name = key.value.removeprefix(f"{PROJECT}:")
            if name in lines:
                yield (
                    f"line {_line(key)}: expected each key once, but `{shown(key.value)}` is on line {lines[name]} "
                    f"already: put both into one. For example: {_EXAMPLE}, once"
                )
            lines.setdefault(name, _line(key))


def _mappings(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """All mappings, each once: an alias leads to one that was seen, or even to one that it is in."""
    seen, left = set(), [root] if root else []
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            left += [each for pair in reversed(node.value) for each in reversed(pair)]
        elif isinstance(node, yaml.SequenceNode):
            left += reversed(node.value)


def _misplaced(root: yaml.Node | None) -> Iterator[str]:
    """A line for what is under `config:` and is no key of a configuration (pulumi `config/key.go`, `ParseKey`)."""
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for value in (value for key, value in pairs if key.value == _CONFIG and not _empty(value)):
        if not isinstance(value, yaml.MappingNode):
            yield f"line {_line(value)}: expected a mapping under `config:`. For example: {_EXAMPLE}"
            continue
        for key, _value in value.value:
            if not (key.tag.endswith((":str", ":merge")) and _KEY.fullmatch(key.value)):
                got = f"`{shown(str(key.value))}`"
                wanted = f"expected keys such as `{PROJECT}:backend`"
                yield f"line {_line(key)}: {wanted}, got {got}. For example: {_EXAMPLE}"


def _empty(node: yaml.Node) -> bool:
    return bool(node.tag.endswith(":null"))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
