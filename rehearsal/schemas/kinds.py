"""The types of values that an SDK's generated classes speak of.

Pulumi's `pulumi._types` reads them out of the classes' annotations; whoever generated those classes had the provider's
schema at hand, so nothing but the provider itself knows better.
"""

import enum
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import pulumi
from pulumi import _types as pulumi_types


@dataclass(frozen=True)
class Scalar:
    """A string, an integer, a number or a boolean."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of a few values; the SDK's open enums (`Union[str, Enum]`) count as closed."""

    values: tuple[str | int | float, ...]


@dataclass(frozen=True)
class ListOf:
    """A list."""

    item: "Kind"


@dataclass(frozen=True)
class MapOf:
    """A map of keys that the user chooses."""

    item: "Kind"


@dataclass(frozen=True)
class OneOf:
    """A union of types that are no open enum, for example two kinds of objects."""

    kinds: tuple["Kind", ...]


@dataclass(frozen=True)
class Anything:
    """Any value at all, for example an asset."""


@dataclass(frozen=True)
class Object:
    """An object with known keys: one of the SDK's `...Args` classes."""

    args: type = field(repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """All that is known of it, without the class, which only its SDK has."""
        return {name: getattr(self, name) for name in ("name", "fields", "required", "constants")}

    @cached_property
    def name(self) -> str:
        """The type's name, for example `DatabaseInstanceSettings`."""
        return self.args.__name__.removesuffix("Args")

    @cached_property
    def fields(self) -> dict[str, "Kind"]:
        """The types of all keys, by wire name."""
        return {name: kind_of(hint) for name, hint in pulumi_types.input_type_types(self.args).items()}

    @cached_property
    def required(self) -> frozenset[str]:
        """The wire names without which there is none: the constructor's arguments without a default."""
        names = pulumi_types.input_type_py_to_pulumi_names(self.args)
        arguments = list(inspect.signature(self.args.__init__).parameters.values())[1:]  # type: ignore[misc]
        return frozenset(names[each.name] for each in arguments if each.default is inspect.Parameter.empty)

    @cached_property
    def constants(self) -> dict[str, str]:
        """Keys whose value the schema fixes, for example `odataType`; the SDK knows them in its code only."""
        names = pulumi_types.input_type_py_to_pulumi_names(self.args)
        # Of the constructor alone: asked for a class's text, `inspect` parses its whole module.
        text = inspect.getsource(self.args.__init__)  # type: ignore[misc]
        found = re.findall(r'pulumi\.set\(__self__, "(\w+)", \'([^\']+)\'\)', text)
        return {names[python]: value for python, value in found}


Kind: TypeAlias = Scalar | Choice | ListOf | MapOf | OneOf | Anything | Object

_SCALARS: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


def kind_of(hint: Any) -> Kind:
    """The type of a value, from an annotation as `pulumi._types` resolves it."""
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is types.UnionType:
        return _union([each for each in typing.get_args(hint) if not _plumbing(each)])
    if origin in (Sequence, list):
        return ListOf(kind_of(typing.get_args(hint)[0]))
    if origin in (Mapping, dict):
        return MapOf(kind_of(typing.get_args(hint)[1]))
    return Scalar(_SCALARS[hint]) if hint in _SCALARS else _class(hint)


def _class(hint: Any) -> Kind:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Choice(tuple(member.value for member in hint))
    if isinstance(hint, type) and pulumi_types.is_input_type(hint):
        return Object(hint)
    return Anything()


def _plumbing(hint: Any) -> bool:
    """What makes an annotation an input, or says the same type a second time."""
    bare = typing.get_origin(hint) or hint
    if bare is type(None) or typing.is_typeddict(bare):
        return True
    # Some inputs take the type of an output as well, which says nothing new.
    return isinstance(bare, type) and (
        issubclass(bare, pulumi.Output | typing.Awaitable) or pulumi_types.is_output_type(bare)
    )


def _union(hints: list[Any]) -> Kind:
    kinds = list(dict.fromkeys(kind_of(hint) for hint in hints))
    choices = [kind for kind in kinds if isinstance(kind, Choice)]
    if choices and all(isinstance(kind, Choice | Scalar) for kind in kinds):
        return choices[0]
    return kinds[0] if len(kinds) == 1 else OneOf(tuple(kinds))
