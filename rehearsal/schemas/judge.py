"""Holds a tree of inputs to a schema: unknown keys, missing keys, types and enums."""

import difflib
from collections.abc import Collection, Iterator

from rehearsal.refusal import Refusal
from rehearsal.schemas.kinds import Anything, Choice, Kind, ListOf, MapOf, Object, OneOf, Scalar
from rehearsal.values import UNKNOWN, Path, Secret, Tree, dotted

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


class Judge:
    """Holds inputs to a schema.

    Args:
        opened: Dotted paths of enums that the vendor has outgrown: there any string passes here, for the vendor's
            own model to judge.
    """

    def __init__(self, opened: Collection[str] = ()) -> None:
        """Nothing is imported yet."""
        self._opened = frozenset(opened)

    def refusals(self, inputs: Tree, schema: Object) -> Iterator[Refusal]:
        """Everything in `inputs` that the schema does not allow."""
        yield from self._value(inputs, schema, (), shown=True)

    def _value(self, value: Tree, kind: Kind, path: Path, *, shown: bool) -> Iterator[Refusal]:
        if isinstance(value, Secret):
            yield from self._value(value.value, kind, path, shown=False)
        elif value is UNKNOWN or value is None or isinstance(kind, Anything):
            return
        elif isinstance(kind, Object):
            yield from self._object(value, kind, path, shown=shown)
        elif isinstance(kind, ListOf | MapOf):
            yield from self._many(value, kind, path, shown=shown)
        elif isinstance(kind, OneOf):
            yield from self._union(value, kind, path, shown=shown)
        else:
            yield from self._plain(value, kind, path, shown=shown)

    def _object(self, value: Tree, kind: Object, path: Path, *, shown: bool) -> Iterator[Refusal]:
        if not isinstance(value, dict):
            yield _wrong(path, f"an object ({kind.name})", value, shown=shown)
            return
        for key, item in value.items():
            if key in kind.fields:
                yield from self._value(item, kind.fields[key], (*path, key), shown=shown)
            elif not key.startswith("__"):
                yield Refusal(dotted((*path, key)), _unknown_key(key, kind))
        for key in sorted(kind.required):
            if value.get(key) is None:
                yield Refusal(dotted((*path, key)), f"expected a value: {kind.name} requires it")
        for key, constant in kind.constants.items():
            if value.get(key) not in (constant, None, UNKNOWN):
                yield Refusal(dotted((*path, key)), f'expected "{constant}", got {value[key]!r}')

    def _many(self, value: Tree, kind: ListOf | MapOf, path: Path, *, shown: bool) -> Iterator[Refusal]:
        wanted = list if isinstance(kind, ListOf) else dict
        if not isinstance(value, wanted):
            yield _wrong(path, "a list" if wanted is list else "a map", value, shown=shown)
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from self._value(item, kind.item, (*path, key), shown=shown)

    def _union(self, value: Tree, kind: OneOf, path: Path, *, shown: bool) -> Iterator[Refusal]:
        alternatives = [list(self._value(value, each, path, shown=shown)) for each in kind.kinds]
        if all(alternatives):
            # What fits best says best what is missing: an object's own kind is recognised by its constant.
            yield from min(alternatives, key=len)

    def _plain(self, value: Tree, kind: Scalar | Choice, path: Path, *, shown: bool) -> Iterator[Refusal]:
        if isinstance(kind, Choice):
            pattern = ".".join(step for step in path if isinstance(step, str))
            if value not in kind.values and not (pattern in self._opened and isinstance(value, str)):
                yield _wrong(path, f"one of {_listed(kind.values)}", value, shown=shown)
        elif not isinstance(value, _TYPES[kind.name]) or (isinstance(value, bool) and kind.name != "boolean"):
            yield _wrong(path, f"a value of type {kind.name}", value, shown=shown)


def _wrong(path: Path, expected: str, value: Tree, *, shown: bool) -> Refusal:
    got = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return Refusal(dotted(path), f"expected {expected}, got {got if shown else 'another secret value'}")


def _unknown_key(key: str, kind: Object) -> str:
    near = difflib.get_close_matches(key, kind.fields, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f'{kind.name} has no property "{key}"{hint}'


def _listed(values: tuple[str | int | float, ...], most: int = 12) -> str:
    shown = ", ".join(repr(value) for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
