"""A type token's classes in an installed SDK; only the modules of the types in use are imported."""

import importlib
import inspect
import re
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pulumi import _types as pulumi_types
from pulumi.runtime import rpc

from rehearsal.errors import SchemaError
from rehearsal.schemas.kinds import Object


@dataclass(frozen=True)
class ResourceSchema:
    """What the SDK says about a type of resource.

    Attributes:
        token: For example `aws:rds/instance:Instance`.
        resource: The SDK's class.
    """

    token: str
    resource: type

    def __getstate__(self) -> dict[str, Any]:
        """All that is known of it, without the class, which only the SDK has."""
        names = ("token", "inputs", "outputs", "secret_inputs", "secret_outputs")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def inputs(self) -> Object:
        """The inputs, as one object."""
        module = sys.modules[self.resource.__module__]
        name = next(
            name
            for name in (f"{self.resource.__name__}InitArgs", f"{self.resource.__name__}Args")
            if hasattr(module, name)
        )
        return Object(getattr(module, name))

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The wire names of all outputs, inputs among them."""
        return frozenset(pulumi_types.resource_types(self.resource))

    @cached_property
    def secret_inputs(self) -> frozenset[str]:
        """Inputs that the SDK itself marks secret; it says so in its code only."""
        names = pulumi_types.resource_py_to_pulumi_names(self.resource)
        found = re.findall(r'__props__\.__dict__\["(\w+)"\] = .*pulumi\.Output\.secret\(', self._source)
        return frozenset(names.get(python, python) for python in found)

    @cached_property
    def secret_outputs(self) -> frozenset[str]:
        """Outputs that the SDK has the engine mark secret."""
        found = re.search(r"additional_secret_outputs=\[([^\]]*)\]", self._source)
        return frozenset(re.findall(r'"(\w+)"', found[1])) if found else frozenset()

    @cached_property
    def _source(self) -> str:
        return inspect.getsource(self.resource._internal_init)  # type: ignore[attr-defined]  # noqa: SLF001


@cache
def resource_schema(package: str, token: str) -> ResourceSchema:
    """The schema of a type of resource.

    Args:
        package: The SDK, for example `pulumi_aws`.
        token: For example `aws:rds/instance:Instance`.

    Raises:
        SchemaError: The SDK has no such type.
    """
    importlib.import_module(package)
    name, module, _ = token.split(":")
    registered: Any = rpc.get_resource_module(name, module, "")
    entry = registered.mod_info if registered else {"classes": {}}
    if token not in entry["classes"]:
        message = f"{token} is no type of {package}: nothing in the installed SDK has this token"
        raise SchemaError(message)
    return ResourceSchema(token, getattr(importlib.import_module(entry["fqn"]), entry["classes"][token]))


@cache
def provider_schema(package: str) -> ResourceSchema:
    """The schema of the provider resource itself."""
    importlib.import_module(package)
    provider = importlib.import_module(f"{package}.provider").Provider
    return ResourceSchema(f"pulumi:providers:{package}", provider)
