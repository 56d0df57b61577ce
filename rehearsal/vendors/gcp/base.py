"""What all of Google's types of resources have in common."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rehearsal.errors import ProtectedError
from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.faults import Manners
from rehearsal.plugin.naming import Autoname
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, Tree, at, reveal
from rehearsal.vendors.declared import Declared
from rehearsal.vendors.gcp import api

NAME: Final = Autoname()
"""Where nothing else is said (pulumi/pulumi-gcp, provider/resources.go, SetAutonaming)."""

LOWER: Final = Autoname(longest=63, form=str.lower)
"""Names that end up in URLs (pulumi/pulumi-gcp, provider/resources.go, lowercaseAutoName)."""


class Google(Declared):
    """A type of resource of Google Cloud.

    Attributes:
        package: The SDK.
        model: The API's document and schema, where there is one, for example `compute.v1/Network`.
        renames: The API's names by Pulumi's, where they differ; at any depth.
        elsewhere: Inputs that are no part of the body: path, query, other calls or the provider's own switches.
    """

    package = "pulumi_gcp"
    cloud = "gcp"
    manners = Manners(
        # hashicorp/terraform-provider-google, transport/retry_transport.go: half a second, doubled, up to 90 seconds.
        attempts=8,
        throttled="googleapi: Error 429: Quota exceeded for quota metric 'Mutate requests', rateLimitExceeded",
        failed="Error waiting for the operation: INTERNAL_ERROR: an internal error has occurred",
        timed_out="Error waiting for the operation: timeout while waiting for state to become 'DONE' (last: 'RUNNING')",
    )
    model: ClassVar[str] = ""
    renames: ClassVar[Mapping[str, str]] = MappingProxyType({})
    elsewhere: ClassVar[frozenset[str]] = frozenset()

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """What the API's model has no place for, then the rules of `rules`."""
        plain = reveal(inputs)
        if "project" in self.schema.inputs.fields and not (plain.get("project") or call.config.get("project")):
            yield Refusal("project", "required field is not set: give it to the provider or to the resource")
        if self.model:
            back = {new: old for old, new in self.renames.items()}
            yield from api.refusals(self.model, self.body(plain), back)
        yield from self.rules(call, plain)

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """The request's body from plain inputs."""
        own = {key: value for key, value in inputs.items() if key not in self.elsewhere and not key.startswith("__")}
        own.pop("project", None)
        renamed: Inputs = _renamed(own, self.renames)
        return renamed

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """What the API refuses beyond its model; `inputs` carry no marks of secrecy."""
        del call, inputs
        yield from ()

    def expect_deletable(self, call: Call, identity: str, outputs: Inputs) -> None:
        """Unless the provider's own protection is on."""
        del call
        if at(outputs, "deletionProtection") is True or at(outputs, "deletionPolicy") == "PREVENT":
            message = (
                f"{identity}: cannot destroy it without setting deletion_protection=false (or deletion_policy) first"
            )
            raise ProtectedError(message)

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The answers, the project, and the labels that Pulumi adds."""
        labels = {**(inputs.get("labels") or {}), "goog-pulumi-provisioned": "true"}
        usual = {"project": call.config.get("project"), "effectiveLabels": labels, "pulumiLabels": labels}
        known = {
            key: reveal(value)
            for key, value in usual.items()
            if key in self.schema.outputs and inputs.get(key) is None and value is not None
        }
        return {**known, **super().computed(call, {**known, **inputs})}


def _renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    if isinstance(tree, dict):
        return {names.get(key, key): _renamed(value, names) for key, value in tree.items()}
    return [_renamed(value, names) for value in tree] if isinstance(tree, list) else tree


def number(value: Tree) -> int | float | None:
    """The number, or None where there is none, or none yet."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(value: Tree) -> str:
    """The string, or an empty one where there is none, or none yet."""
    return value if isinstance(value, str) else ""


def within(path: str, value: Tree, least: float, most: float, what: str) -> Iterator[Refusal]:
    """A refusal where a number is out of its range."""
    found = number(value)
    if found is not None and not least <= found <= most:
        yield Refusal(path, f"expected {what}, {least:g} to {most:g}, got {found:g}")


def given(value: Tree) -> bool:
    """Whether the program says something here, known or not."""
    return value is UNKNOWN or value not in (None, "", [], {})
