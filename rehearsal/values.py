"""What crosses the wire besides plain data: secrets, which no message may show, and what is not known yet."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Tree: TypeAlias = Any
"""None, a bool, a number, a string, a list, a dict by wire names, a `Secret`, or `UNKNOWN`."""

Inputs: TypeAlias = dict[str, Tree]

Path: TypeAlias = tuple[str | int, ...]


class Unknown(enum.Enum):
    """A value that only the operation itself brings to light; there is one, and copies of it are itself."""

    UNKNOWN = enum.auto()

    def __repr__(self) -> str:
        """As previews show it."""
        return "[unknown]"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that the program marked secret; its text never shows the value."""

    value: Tree

    def __repr__(self) -> str:
        """What stands in for the value in messages."""
        return "[secret]"


def reveal(tree: Tree) -> Tree:
    """The same tree without marks of secrecy: for checks and computations, never for messages."""
    if isinstance(tree, Secret):
        return reveal(tree.value)
    if isinstance(tree, dict):
        return {key: reveal(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [reveal(value) for value in tree]
    return tree


def known(tree: Tree) -> bool:
    """Whether nothing in the tree is unknown."""
    if isinstance(tree, Secret):
        return known(tree.value)
    if isinstance(tree, dict):
        return all(known(value) for value in tree.values())
    if isinstance(tree, list):
        return all(known(value) for value in tree)
    return tree is not UNKNOWN


def secret_paths(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """The paths of everything that is marked secret."""
    if isinstance(tree, Secret):
        yield path
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from secret_paths(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from secret_paths(value, (*path, index))


def secret_texts(tree: Tree) -> list[str]:
    """All texts under marks of secrecy, for taking them out of messages; the longest first."""
    if isinstance(tree, Secret):
        return sorted(set(_texts(tree.value)), key=len, reverse=True)
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return sorted({text for part in parts for text in secret_texts(part)}, key=len, reverse=True)


def _texts(tree: Tree) -> Iterator[str]:
    tree = reveal(tree)
    if isinstance(tree, str) and tree:
        yield tree
    elif isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _texts(part)


def at(tree: Tree, path: str) -> Tree:
    """What stands under a dotted path such as `settings.tier`, marks of secrecy taken off; None where nothing does.

    >>> at({"settings": {"tier": "db-custom-2-7680"}}, "settings.tier")
    'db-custom-2-7680'
    """
    for key in path.split("."):
        tree = tree.value if isinstance(tree, Secret) else tree
        if not isinstance(tree, dict):
            return UNKNOWN if tree is UNKNOWN else None
        tree = tree.get(key)
    return tree.value if isinstance(tree, Secret) else tree


def dotted(path: Path) -> str:
    """A path as the engine writes it.

    >>> dotted(("settings", "databaseFlags", 0, "value"))
    'settings.databaseFlags[0].value'
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
