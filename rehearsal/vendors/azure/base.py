"""What all of Azure's types of resources have in common."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.faults import Manners
from rehearsal.plugin.naming import DEFAULTS, Autoname
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs, Tree, reveal
from rehearsal.vendors.azure import api
from rehearsal.vendors.declared import Declared

_GROUP: Final = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"

_PATH: Final = frozenset({"resourceGroupName", "subscriptionId"})

_FLAG: Final = "__createBeforeDelete"
"""How azure-native notes that a name is random (pulumi/pulumi-azure-native, provider/pkg/provider/provider.go)."""


def named(field: str, longest: int = 0) -> Autoname:
    """A name with eight random digits and no separator, as azure-native makes for what stands in a resource group."""
    return Autoname(field=field, separator="", hexadecimals=8, longest=longest or 255)


class Azure(Declared):
    """A type of resource of Azure.

    Attributes:
        package: The SDK.
        kind: Its type in Azure's own words, for example `Microsoft.Network/virtualNetworks`.
        path: Its id below the resource group, with inputs in braces.
        part: The input that is named after the resource without a suffix, for parts of something else.
        model: The management SDK's class, where there is one.
        version: The API version that the installed SDK speaks.
    """

    package = "pulumi_azure_native"
    cloud = "azure"
    manners = Manners(
        attempts=4,  # Azure SDK for Go, policy.RetryOptions: MaxRetries is 3.
        throttled="Status=429 Code=TooManyRequests: the request is being throttled as the limit has been reached",
        failed="Code=InternalServerError: An unexpected error occurred while processing the request",
        timed_out="polling: context deadline exceeded",
    )
    kind: ClassVar[str] = ""
    path: ClassVar[str] = ""
    part: ClassVar[str] = ""
    model: ClassVar[str] = ""
    version: ClassVar[str] = ""

    def fill(self, call: Call, old: Inputs, new: Inputs) -> Inputs:
        """The name of a part is the resource's own; the location is the provider's or the group's."""
        new = super().fill(call, old, new)
        if self.part and new.get(self.part) is None:
            new = {**new, self.part: old.get(self.part) or call.name}
        location = call.config.get("location")
        if "location" in self.schema.inputs.fields and new.get("location") is None:
            known = old.get("location") or location
            new = {**new, "location": known} if known else new
        return {**new, _FLAG: True} if self._is_random(new) else new

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """What the API's model has no place for, then the rules of `rules`."""
        plain = reveal(inputs)
        group = plain.get("resourceGroupName")
        if isinstance(group, str) and not re.fullmatch(r"[-\w.()]{0,89}[-\w()]", group):
            yield Refusal("resourceGroupName", f"expected up to 90 letters, digits and -_.(), got {group!r}")
        if self.model:
            yield from api.refusals(self.model, self.body(plain))
        yield from self.rules(call, plain)
        yield from _tags(plain.get("tags"))

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """The request's body from plain inputs: all but what stands in the path."""
        in_path = set(re.findall(r"{(\w+)}", self.path)) | _PATH
        return {key: value for key, value in inputs.items() if key not in in_path and not key.startswith("__")}

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """What the API refuses beyond its model; `inputs` carry no marks of secrecy."""
        del call, inputs
        yield from ()

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The answers, and what every resource of Azure says of itself."""
        name = self.identity(call, inputs, {}).rpartition("/")[2]
        usual = {"name": name, "type": self.kind, "azureApiVersion": self.version, "provisioningState": "Succeeded"}
        known = {key: value for key, value in usual.items() if key in self.schema.outputs and key not in inputs}
        return {**known, **super().computed(call, inputs)}

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """The id below its resource group."""
        del outputs
        return str(self._written(f"{_GROUP}/providers/{self.path}", call, inputs))

    def imported(self, call: Call, identity: str) -> Inputs:
        """The inputs that stand in an id."""
        del call
        template = re.escape(f"{_GROUP}/providers/{self.path}")
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", template)
        found = re.fullmatch(pattern, identity, re.IGNORECASE)
        known = found.groupdict() if found else {}
        return {key: value for key, value in known.items() if key in self.schema.inputs.fields}

    def deletes_first(self, new: Inputs) -> bool:
        """Unless its name is random (pulumi/pulumi-azure-native, provider/pkg/provider/provider.go, Diff)."""
        return not self._is_random(new)

    def _written(self, template: str, call: Call, inputs: dict[str, Any]) -> Tree:
        return template.format_map(_Names({**self.names(call, inputs), **inputs}))

    def _is_random(self, new: Inputs) -> bool:
        return self.autoname is not None and self.autoname.field in new.get(DEFAULTS, [])


class Scoped(Azure):
    """Something that is laid on another resource."""

    def identity(self, call: Call, inputs: dict[str, Any], outputs: dict[str, Any]) -> str:
        """Below its scope."""
        del outputs
        scope = inputs.get("scope") or inputs.get("resourceUri")
        return f"{str(scope).rstrip('/')}/providers/{self._written(self.path, call, inputs)}"


class _Names(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "00000000-0000-0000-0000-000000000000" if key == "subscriptionId" else ""


def _tags(tags: Tree) -> Iterator[Refusal]:
    """Azure Resource Manager, "Use tags to organize your Azure resources", Limitations."""
    for key, value in (tags if isinstance(tags, dict) else {}).items():
        if len(key) > 512 or re.search(r"[<>%&\\?/]", key):  # noqa: PLR2004  # The documented limit.
            yield Refusal(f"tags.{key}", "expected a key of up to 512 characters without < > % & \\ ? /")
        if isinstance(value, str) and len(value) > 256:  # noqa: PLR2004  # The same.
            yield Refusal(f"tags.{key}", "expected a value of up to 256 characters")
