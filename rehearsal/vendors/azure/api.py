"""Microsoft's own models of the Azure Database for PostgreSQL API 2025-08-01, as its management SDK 2.x carries them.

The SDK's `serialize` drops unknown keys silently and knows no enum: its tables are read here instead
(`_attribute_map`, `_validation`, and the enums that the constructors' annotations name).
"""

import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Path, Tree, dotted

_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "iso-8601": (str,)}

_UNLISTED: dict[str, list[Any]] = {"HighAvailabilityMode": ["Disabled"]}
"""Values that the API takes though its enum leaves them out, as pulumi-azure-native's of the same version does not."""


@cache
def _models() -> Any:
    """The SDK's models; imported with the first server, since it takes a second that a plugin's start must not."""
    return importlib.import_module("azure.mgmt.postgresqlflexibleservers.models")


def refusals(model: str, body: Tree, path: Path = ()) -> Iterator[Refusal]:
    """Everything in a request's body that the API has no place or no value for.

    Args:
        model: The SDK's class, for example `Server`.
        body: By the API's names, its `properties` flattened as both SDKs do.
        path: Where the body stands.
    """
    if not isinstance(body, dict):
        return
    known = _attributes(model)
    for key, value in body.items():
        where = (*path, key)
        if key not in known:
            yield Refusal(dotted(where), f"PostgreSQL API 2025-08-01, {model}: Could not find member '{key}'")
        elif value is not UNKNOWN and value is not None:
            yield from _value(model, known[key], value, where)
    for key, (_, attribute) in known.items():
        if _rules(model).get(attribute, {}).get("required") and body.get(key) is None:
            yield Refusal(dotted((*path, key)), f"PostgreSQL API 2025-08-01, {model}: expected a value")


def _value(model: str, entry: tuple[str, str], value: Tree, path: Path) -> Iterator[Refusal]:
    kind, attribute = entry
    if _rules(model).get(attribute, {}).get("readonly"):
        yield Refusal(dotted(path), f"PostgreSQL API 2025-08-01, {model}: the server alone says this")
    elif kind.startswith("[") and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(model, (kind[1:-1], ""), item, (*path, index))
    elif kind.startswith("{") and isinstance(value, dict):
        for key, item in value.items():
            yield from _value(model, (kind[1:-1], ""), item, (*path, key))
    elif kind in _TYPES:
        yield from _scalar(model, entry, value, path)
    elif hasattr(_models(), kind):
        yield from refusals(kind, value, path)


def _scalar(model: str, entry: tuple[str, str], value: Tree, path: Path) -> Iterator[Refusal]:
    kind, attribute = entry
    if value is UNKNOWN:
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        yield Refusal(dotted(path), f"PostgreSQL API 2025-08-01, {model}: expected {kind}, got {type(value).__name__}")
        return
    limits, choices = _rules(model).get(attribute, {}), _choices(model).get(attribute)
    if choices and value not in choices:
        expected = ", ".join(map(str, choices))
        yield Refusal(dotted(path), f"PostgreSQL API 2025-08-01, {model}: expected one of {expected}, got {value!r}")
    if "pattern" in limits and isinstance(value, str) and not re.match(limits["pattern"], value):
        yield Refusal(dotted(path), f"PostgreSQL API 2025-08-01, {model}: expected {limits['pattern']}, got {value!r}")
    least, most = limits.get("minimum"), limits.get("maximum")
    if isinstance(value, int) and ((least is not None and value < least) or (most is not None and value > most)):
        yield Refusal(dotted(path), f"PostgreSQL API 2025-08-01, {model}: expected {least} to {most}, got {value}")


@cache
def _attributes(model: str) -> dict[str, tuple[str, str]]:
    """Type and attribute by the API's name, its `properties` flattened."""
    table: dict[str, dict[str, str]] = getattr(_models(), model)._attribute_map  # noqa: SLF001  # The SDK's own table.
    return {
        entry["key"].removeprefix("properties.").replace("\\.", "."): (entry["type"], name)
        for name, entry in table.items()
    }


@cache
def _rules(model: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = getattr(getattr(_models(), model), "_validation", {})
    return found


@cache
def _choices(model: str) -> dict[str, list[Any]]:
    """Enums by attribute, from the names in the constructor's annotations."""
    found: dict[str, list[Any]] = {}
    for name, parameter in inspect.signature(getattr(_models(), model).__init__).parameters.items():
        for each in re.findall(r"_models\.(\w+)", str(parameter.annotation)):
            kind = getattr(_models(), each)
            if isinstance(kind, type) and issubclass(kind, enum.Enum):
                found[name] = [*(member.value for member in kind), *_UNLISTED.get(each, [])]
    return found
