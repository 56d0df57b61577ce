"""One readable line for each setting that cannot be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Loc = tuple[int | str, ...]


@dataclass(frozen=True)
class Refusal:
    """A setting that has the right type and still cannot be.

    Attributes:
        key: The setting, with dots, for example `gcp.tier`.
        expected: What was expected and why, without a full stop.
        fix: The YAML of the section that would do, for example `{edition: ENTERPRISE}`.
    """

    key: str
    expected: str
    fix: str

    def line(self, project: str, stack: str) -> str:
        """The line a user reads; read-only."""
        section = self.key.partition(".")[0]
        return shown(
            f"Pulumi.{stack}.yaml: {project}:{self.key}: expected {self.expected}. "
            f"For example: {project}:{section}: {self.fix}"
        )


def shown(text: str) -> str:
    r"""The text on one line, its control characters and whatever else nobody sees written as escapes; pure.

    >>> shown("a\nb\x00")
    'a\\nb\\x00'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def line(root: type[BaseModel], kind: str, loc: Loc, project: str, stack: str) -> str:
    """What is wrong with a key, from pydantic's kind of error and its place; read-only."""
    loc = _named(root, loc)
    where = f"Pulumi.{stack}.yaml: {project}:{shown(_path(loc))}"
    if kind == "extra_forbidden":
        parent = _section(root, loc[:-1])
        known = ", ".join(keys(parent))
        return f"{where}: unknown key; expected one of: {known}. For example: {example(root, loc[:-1], project)}"
    field = _field(root, loc)
    inner = nested(field.annotation)
    expected = (
        f"a section with the keys {', '.join(keys(inner))}" if inner and not field.examples else field.description
    )
    return f"{where}: expected {expected}. For example: {example(root, loc, project)}"


def innermost(errors: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Without those about a list that lacks only what is itself refused; read-only."""
    all_of_them = list(errors)
    for each in all_of_them:
        place = each["loc"]
        if not any(other["loc"][: len(place)] == place != other["loc"] for other in all_of_them):
            yield each


def keys(section: type[BaseModel]) -> Iterator[str]:
    """The keys of a section as the stack file spells them; read-only."""
    yield from (field.alias or name for name, field in section.model_fields.items())


def nested(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation: itself, of a list, or of something optional; read-only."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, UnionType):
        return next((found for each in get_args(annotation) if (found := nested(each))), None)
    return None


def fields(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section by the key in the stack file; read-only."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _inner(field: FieldInfo) -> type[BaseModel]:
    inner = nested(field.annotation)
    if inner is None:
        message = f"expected an example beside: {field.description}"
        raise TypeError(message)
    return inner


def _named(root: type[BaseModel], loc: Loc) -> Loc:
    """The place without what pydantic adds: branches of unions, and places inside of plain values."""
    kept: list[int | str] = []
    section: type[BaseModel] | None = root
    for part in loc:
        if isinstance(part, int):
            kept.append(part)
        elif section is not None and (part in fields(section) or part == loc[-1]):
            kept.append(part)
            section = nested(fields(section)[part].annotation) if part in fields(section) else None
    while len(kept) > 1 and isinstance(kept[-1], int) and not _ends_in_section(root, tuple(kept)):
        kept.pop()  # An element of a list of plain values: the list is what is documented.
    return tuple(kept)


def _ends_in_section(root: type[BaseModel], loc: Loc) -> bool:
    return nested(_field(root, loc).annotation) is not None


def _path(loc: Loc) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _section(root: type[BaseModel], loc: Loc) -> type[BaseModel]:
    section = root
    for part in loc:
        if isinstance(part, str):
            section = nested(fields(section)[part].annotation) or section
    return section


def _field(root: type[BaseModel], loc: Loc) -> FieldInfo:
    names = [part for part in loc if isinstance(part, str)]
    return fields(_section(root, tuple(names[:-1])))[names[-1]]


def example(root: type[BaseModel], loc: Loc, project: str) -> str:
    """The YAML that would be right at this place, or around it where the place alone would not do; read-only."""
    section: type[BaseModel] = root
    names: list[str] = []
    for part in (part for part in loc if isinstance(part, str)):
        if part not in fields(section):
            break
        names.append(part)
        inner = nested(fields(section)[part].annotation)
        if inner is None or get_origin(fields(section)[part].annotation):
            break  # What is in a list is shown by the example of the list.
        section = inner
    field = _field(root, tuple(names)) if names else None
    while field is None or not field.examples:
        section = _inner(field) if field else root
        names.append(next(iter(fields(section))))
        field = fields(section)[names[-1]]
    text = f"{names[-1]}: {_yaml(field.examples[0])}"
    for name in reversed(names[1:-1]):
        text = f"{name}: {{{text}}}"
    return f"{project}:{text}" if len(names) == 1 else f"{project}:{names[0]}: {{{text}}}"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
