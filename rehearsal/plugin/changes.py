"""Two trees compared, path by path, as a provider's detailed diff does."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rehearsal.values import UNKNOWN, Inputs, Path, Secret, Tree, dotted


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        path: Where, for example `("settings", "tier")`.
        kind: What happens to the value there.
        old: The value before, without marks of secrecy.
        new: The value after.
    """

    path: Path
    kind: Literal["add", "delete", "update"]
    old: Tree = None
    new: Tree = None

    @property
    def where(self) -> str:
        """The path as the engine writes it."""
        return dotted(self.path)

    def touches(self, pattern: str) -> bool:
        """Whether this changes what a dotted pattern such as `settings.collation` names, list positions aside."""
        here = tuple(step for step in self.path if isinstance(step, str))
        there = tuple(pattern.split("."))
        if here[: len(there)] == there:
            return True
        if there[: len(here)] != here:
            return False
        below = there[len(here) :]
        return _holds(self.old, below) or _holds(self.new, below)


def changes(old: Inputs, new: Inputs, ignored: Iterable[str] = ()) -> list[Change]:
    """Every difference between two sets of inputs, secrets compared by value, engine's own keys left out.

    Args:
        old: The inputs as of the last operation.
        new: The inputs now.
        ignored: Paths under which nothing counts, for example `settings.diskSize`.
    """
    blind = tuple(re.sub(r'\["?([^\]"]*)"?\]', r".\1", path) for path in ignored)
    return [change for change in _compare(old, new, ()) if not _under(change.path, blind)]


def _under(path: Path, blind: tuple[str, ...]) -> bool:
    steps = [str(step) for step in path]
    return any(_matches(steps, pattern.split(".")) for pattern in blind)


def _matches(steps: list[str], pattern: list[str]) -> bool:
    return len(steps) >= len(pattern) and all(p in ("*", s) for s, p in zip(steps, pattern, strict=False))


def _compare(old: Tree, new: Tree, path: Path) -> Iterator[Change]:
    old, new = _bare(old), _bare(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if not key.startswith("__"):
                yield from _compare(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _compare(before, after, (*path, index))
    elif new is UNKNOWN or old != new:
        yield Change(path, _kind(old, new), old, new)


def _kind(old: Tree, new: Tree) -> Literal["add", "delete", "update"]:
    if old is None:
        return "add"
    return "delete" if new is None else "update"


def _bare(tree: Tree) -> Tree:
    return _bare(tree.value) if isinstance(tree, Secret) else tree


def _holds(tree: Tree, steps: tuple[str, ...]) -> bool:
    """Whether something stands under the steps."""
    tree = _bare(tree)
    if isinstance(tree, list):
        return any(_holds(item, steps) for item in tree)
    if not steps or tree is UNKNOWN:
        return tree is not None
    return isinstance(tree, dict) and _holds(tree.get(steps[0]), steps[1:])
