"""Amazon's own models of its APIs, as botocore carries them, enums, lengths and patterns included.

botocore itself leaves enums, upper limits and patterns to the service; they stand in the models and are checked here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import botocore.validate  # type: ignore[import-untyped]
from botocore.model import ListShape, MapShape, Shape, StructureShape  # type: ignore[import-untyped]

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, Tree


@cache
def operation(service: str, name: str) -> StructureShape:
    """The model of an operation's input; a service's model is read once."""
    return _service(service).operation_model(name).input_shape


@cache
def _service(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


def refusals(call: str, request: Inputs, names: Mapping[str, str]) -> Iterator[Refusal]:
    """Everything in a request that the API's model does not allow.

    Args:
        call: The service and the operation, for example `rds:CreateDBInstance`.
        request: The request by the API's names; what is unknown counts as given.
        names: Pulumi's names by the API's.
    """
    service, _, name = call.partition(":")
    shape = operation(service, name)
    judged = {key for key, value in request.items() if value is UNKNOWN}
    known = {key: _without_unknown(value) for key, value in request.items() if key not in judged and value is not None}
    report = botocore.validate.ParamValidator().validate(known, shape)
    for line in filter(None, report.generate_report().splitlines()):
        if not any(f'"{key}"' in line and line.startswith("Missing required") for key in judged):
            yield Refusal(_mentioned(line, names), f"{service} {name}: {line}")
    for key, value in known.items():
        if key in shape.members:
            yield from _limits(f"{service} {name}", names.get(key, key), value, shape.members[key])


def _mentioned(line: str, names: Mapping[str, str]) -> str:
    """The Pulumi property that a line of botocore's report is about, where it names one."""
    found = re.search(r'parameter (\w+)|"(\w+)"', line)
    key = (found[1] or found[2]) if found else ""
    return names.get(key, "")


def _without_unknown(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _without_unknown(value) for key, value in tree.items() if value is not UNKNOWN}
    return [_without_unknown(value) for value in tree if value is not UNKNOWN] if isinstance(tree, list) else tree


def _limits(call: str, path: str, value: Tree, shape: Shape) -> Iterator[Refusal]:
    """Enums, upper limits and patterns."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for key, item in value.items():
            if key in shape.members:
                yield from _limits(call, f"{path}.{key[0].lower()}{key[1:]}", item, shape.members[key])
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _limits(call, f"{path}[{index}]", item, shape.member)
    elif not isinstance(shape, MapShape):
        yield from _limit(call, path, value, shape)


def _limit(call: str, path: str, value: Tree, shape: Shape) -> Iterator[Refusal]:
    limits = shape.metadata
    size = len(value) if isinstance(value, str) else value
    most, least = limits.get("max"), limits.get("min")
    if limits.get("enum") and value not in limits["enum"]:
        yield Refusal(path, f"{call}: expected one of {', '.join(limits['enum'])}, got {value!r}")
    if isinstance(size, int) and most is not None and size > most:
        what = "characters" if isinstance(value, str) else "at most"
        yield Refusal(path, f"{call}: expected {least or 0} to {most} {what}, got {size}")
    if isinstance(value, str) and not _fits(value, limits.get("pattern")):
        yield Refusal(path, f"{call}: expected a value of the pattern {limits['pattern']}, got {value!r}")


def _fits(value: str, pattern: str | None) -> bool:
    """Whether a value is of a pattern; one in Java's notation that Python cannot read says nothing."""
    try:
        return not pattern or re.fullmatch(pattern, value) is not None
    except re.error:
        return True
