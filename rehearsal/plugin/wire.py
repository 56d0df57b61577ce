"""Trees as protobuf and back (Pulumi documentation: Providers, Implementing; property values and their signatures)."""

from typing import Any, Final

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]

from rehearsal.values import UNKNOWN, Inputs, Secret, Tree

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # The mark of a secret, not a secret.
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # A boolean.
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # A number.
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # A list.
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # An object.
    }
)
"""One sentinel per type of what is to come (pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go)."""


def decode(struct: Struct) -> Inputs:
    """The tree of a message."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(tree: Inputs) -> Struct:
    """The message of a tree; what is None is left out, as providers do."""
    return Struct(fields={key: _encode(value) for key, value in tree.items() if value is not None})


def _decode(value: Value) -> Tree:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _special({key: _decode(item) for key, item in value.struct_value.fields.items()})
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        # Numbers cross the wire as doubles, whole ones too.
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return value.bool_value if kind == "bool_value" else None


def _special(fields: dict[str, Any]) -> Tree:
    """A secret, an output or a reference to a resource comes as an object with a signature."""
    signature = fields.get(_SIGNATURE)
    if signature == _SECRET:
        return Secret(fields.get("value"))
    if signature == _OUTPUT:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    if signature == _RESOURCE:
        return fields.get("id", fields["urn"])
    return fields


def _encode(tree: Tree) -> Value:
    if isinstance(tree, Secret):
        # A secret nothing is a secret as well: the engine calls a secret without a value malformed.
        fields = {_SIGNATURE: Value(string_value=_SECRET), "value": _encode(tree.value)}
        return Value(struct_value=Struct(fields=fields))
    if tree is UNKNOWN:
        return Value(string_value=_UNKNOWN)
    if isinstance(tree, dict):
        return Value(struct_value=encode(tree))
    if isinstance(tree, list | tuple):
        return Value(list_value=ListValue(values=[_encode(item) for item in tree]))
    return _encode_scalar(tree)


def _encode_scalar(value: Tree) -> Value:
    if value is None:
        return Value(null_value="NULL_VALUE")
    if isinstance(value, bool):
        return Value(bool_value=value)
    return Value(number_value=value) if isinstance(value, int | float) else Value(string_value=str(value))
