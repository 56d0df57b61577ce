"""Google's own models of its APIs: the discovery documents that google-api-python-client carries, closed.

A discovery document says no more than names, types, enums and patterns: no key is required, and none is forbidden, so
unknown ones are refused here (Google, "Discovery document").
"""

import importlib
import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, Path, Tree, dotted

_LONG: Final = frozenset({"int64", "uint64"})
"""Numbers that JSON cannot carry in full cross the wire as strings."""


def refusals(model: str, body: Inputs, names: Mapping[str, str]) -> Iterator[Refusal]:
    """Everything in a request's body that the API has no place or no value for.

    Args:
        model: The document and the schema, for example `sqladmin.v1/DatabaseInstance`.
        body: The body by the API's names.
        names: Pulumi's names by the API's, where they differ.
    """
    document, _, schema = model.partition("/")
    defs = _definitions(document)
    for error in _validator(document, schema).iter_errors(_as_sent(body, defs[schema], defs)):
        path: Path = tuple(names.get(step, step) if isinstance(step, str) else step for step in error.absolute_path)
        yield Refusal(dotted(path), f"{document.partition('.')[0]} {schema}: {_message(error)}")


def _message(error: Any) -> str:
    if error.validator == "enum":
        allowed = [value for value in error.validator_value if not value.endswith("_UNSPECIFIED")]
        return f"expected one of {', '.join(allowed)}, got {error.instance!r}"
    return str(error.message)


@cache
def _definitions(document: str) -> dict[str, Any]:
    """A document's schemas, closed; parsed once, since the bigger documents take a while."""
    folder = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
    text = (folder / f"{document}.json").read_text(encoding="utf-8")
    defs: dict[str, Any] = json.loads(re.sub(r'"\$ref": "(\w+)"', r'"$ref": "#/$defs/\1"', text))["schemas"]
    for each in defs.values():
        each.setdefault("additionalProperties", False)
    return defs


@cache
def _validator(document: str, schema: str) -> Any:
    """A validator; its library is imported with the first request, so that a plugin starts at once."""
    jsonschema = importlib.import_module("jsonschema")
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": _definitions(document)})


def _as_sent(value: Tree, schema: dict[str, Any], defs: dict[str, Any]) -> Tree:
    """The value as the client sends it: long numbers as strings, and without what is not known yet."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        known = {key: item for key, item in value.items() if item is not UNKNOWN and item is not None}
        return {key: _as_sent(item, _of_key(schema, key), defs) for key, item in known.items()}
    if isinstance(value, list):
        return [_as_sent(item, schema.get("items", {}), defs) for item in value if item is not UNKNOWN]
    is_long = schema.get("format") in _LONG and isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_long else value


def _of_key(schema: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = schema.get("properties", {}).get(key) or {}
    extra = schema.get("additionalProperties")
    return found or (extra if isinstance(extra, dict) else {})
