"""Amazon's query protocol, by botocore's own model: parameters from a form, answers as XML.

Source: AWS Smithy, "AWS Query protocol".
"""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from xml.etree import ElementTree as ET

import botocore.session  # type: ignore[import-untyped]
from botocore.model import ListShape, OperationModel, Shape, StructureShape  # type: ignore[import-untyped]

from rehearsal.errors import CloudRefusalError

_REQUEST: Final = "00000000-0000-4000-8000-000000000000"
_NAMESPACE: Final = "http://rds.amazonaws.com/doc/2014-10-31/"


@cache
def operation(name: str) -> OperationModel:
    """The model of an action of RDS.

    Raises:
        CloudRefusalError: RDS has no such action.
    """
    model = botocore.session.Session().get_service_model("rds")
    if name not in model.operation_names:
        message = f"The action {name} is not valid for this web service."
        raise CloudRefusalError(code="InvalidAction", message=message)
    return model.operation_model(name)


def parameters(name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """An action's parameters, in Python's types.

    Args:
        name: The action.
        form: The form's fields, flat.

    Raises:
        CloudRefusalError: A required one is missing.
    """
    shape = operation(name).input_shape
    found: dict[str, Any] = _read(shape, form, "") or {}
    for required in shape.required_members:
        if required not in found:
            message = f"The request must contain the parameter {required}."
            raise CloudRefusalError(code="MissingParameter", message=message)
    return found


def answer(name: str, result: Mapping[str, Any]) -> bytes:
    """The XML of an action's answer; what the model does not know in `result` is left out."""
    shape = operation(name).output_shape
    root = ET.Element(f"{name}Response", xmlns=_NAMESPACE)
    if shape is not None:
        _write(ET.SubElement(root, f"{name}Result"), shape, result)
    ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = _REQUEST
    return ET.tostring(root)


def refusal(error: CloudRefusalError) -> bytes:
    """The XML of an error."""
    root = ET.Element("ErrorResponse", xmlns=_NAMESPACE)
    body = ET.SubElement(root, "Error")
    said = {"Type": "Sender", "Code": error.code, "Message": error.message}
    for key, value in said.items():
        ET.SubElement(body, key).text = value
    ET.SubElement(root, "RequestId").text = _REQUEST
    return ET.tostring(root)


def _read(shape: Shape, form: Mapping[str, str], path: str) -> Any:
    """A value out of the flat fields below a path; None where there is none."""
    if isinstance(shape, StructureShape):
        read = {key: _read(member, form, _below(path, _name(member, key))) for key, member in shape.members.items()}
        return {key: value for key, value in read.items() if value is not None} or None
    if isinstance(shape, ListShape):
        return _read_list(shape, form, path)
    return None if path not in form else _scalar(shape, form[path])


def _read_list(shape: ListShape, form: Mapping[str, str], path: str) -> list[Any] | None:
    items: list[Any] = []
    prefix = _below(path, _name(shape.member, "member"))
    while (item := _read(shape.member, form, f"{prefix}.{len(items) + 1}")) is not None:
        items.append(item)
    return items or None


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name in ("integer", "long"):
        return int(text)
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) if shape.type_name == "timestamp" else text


def _write(node: ET.Element, shape: Shape, value: Any) -> None:
    if isinstance(shape, StructureShape):
        for key, member in shape.members.items():
            if value.get(key) is not None:
                _write(ET.SubElement(node, _name(member, key)), member, value[key])
    elif isinstance(shape, ListShape):
        for item in value:
            _write(ET.SubElement(node, _name(shape.member, "member")), shape.member, item)
    elif isinstance(value, bool):
        node.text = str(value).lower()
    elif isinstance(value, dt.datetime):
        node.text = value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    else:
        node.text = str(value)


def _name(shape: Shape, default: str) -> str:
    name: str = shape.serialization.get("name", default)
    return name


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
