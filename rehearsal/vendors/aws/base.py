"""What all of Amazon's types of resources have in common."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.faults import Manners
from rehearsal.plugin.naming import Autoname
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs, Tree, reveal
from rehearsal.vendors.aws import api
from rehearsal.vendors.declared import Declared

NAME: Final = Autoname(unless="namePrefix")
"""Where nothing else is said (pulumi/pulumi-aws, provider/resources.go, SetAutonaming)."""

ACCOUNT: Final = "123456789012"
"""The account of Amazon's own examples."""

REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


class Amazon(Declared):
    """A type of resource of Amazon Web Services.

    Attributes:
        package: The SDK.
        operation: The call that makes it, where its model is at hand, for example `rds:CreateDBSubnetGroup`.
        renames: The call's parameters by Pulumi's inputs, where more differs than the first letter's case.
        elsewhere: Inputs that are no part of the call.
    """

    package = "pulumi_aws"
    cloud = "aws"
    manners = Manners(
        attempts=26,  # hashicorp/terraform-provider-aws, `max_retries`: 25.
        throttled="Throttling: Rate exceeded",
        failed="unexpected state 'failed', wanted target 'available'",
        timed_out="timeout while waiting for state to become 'available' (last state: 'creating')",
    )
    operation: ClassVar[str] = ""
    renames: ClassVar[Mapping[str, str]] = MappingProxyType({})
    elsewhere: ClassVar[frozenset[str]] = frozenset()

    def refuse(self, call: Call, inputs: Inputs) -> Iterator[Refusal]:
        """What the call's model does not allow, then the rules of `rules`."""
        plain = reveal(inputs)
        region = plain.get("region") or call.config.get("region")
        if isinstance(region, str) and not REGION.fullmatch(region):
            yield Refusal("region", f"expected a region, for example eu-central-1, got {region!r}")
        if self.operation:
            request = self.request(plain)
            back = {self.parameter(name): name for name in plain}
            yield from api.refusals(self.operation, request, back)
        yield from self.rules(call, plain)
        yield from _tags(plain.get("tags"))

    def request(self, inputs: dict[str, Any]) -> Inputs:
        """The call's parameters from plain inputs; nested ones by their first letter."""
        own = {key: value for key, value in inputs.items() if key not in self.elsewhere and key not in _NEVER}
        return {self.parameter(key): pascal(value) for key, value in own.items() if not key.startswith("__")}

    def parameter(self, name: str) -> str:
        """The call's name of an input."""
        return self.renames.get(name, f"{name[:1].upper()}{name[1:]}")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """What the API refuses beyond its model; `inputs` carry no marks of secrecy."""
        del call, inputs
        yield from ()

    def names(self, call: Call, inputs: dict[str, Any]) -> dict[str, Any]:
        """Besides the usual ones the account."""
        return {"account": ACCOUNT, **super().names(call, inputs)}

    def computed(self, call: Call, inputs: dict[str, Any]) -> Inputs:
        """The answers, the region, and all tags."""
        usual: Inputs = {"region": reveal(call.config.get("region")), "tagsAll": inputs.get("tags") or {}}
        known = {key: value for key, value in usual.items() if key in self.schema.outputs and inputs.get(key) is None}
        return {**known, **super().computed(call, {**known, **inputs})}


_NEVER: Final = frozenset({"region", "tags", "tagsAll"})
"""Tags are a list of pairs in one call and a map in the next; they are judged by themselves."""


def pascal(tree: Tree) -> Tree:
    """A tree with the keys of its objects as the API writes them."""
    if isinstance(tree, dict):
        return {f"{key[:1].upper()}{key[1:]}": pascal(value) for key, value in tree.items()}
    return [pascal(value) for value in tree] if isinstance(tree, list) else tree


def _tags(tags: Tree) -> Iterator[Refusal]:
    """Tagging AWS Resources, "Tag naming limits and requirements"."""
    for key, value in (tags if isinstance(tags, dict) else {}).items():
        long = len(key) > 128 or (isinstance(value, str) and len(value) > 256)  # noqa: PLR2004  # The limits.
        if long or key.lower().startswith("aws:"):
            yield Refusal(f"tags.{key}", "expected a key of up to 128 characters, not aws:…, and a value of up to 256")
        elif value is not UNKNOWN and not re.fullmatch(r"[\w\s.:/=+@-]*", f"{key}{value}"):
            yield Refusal(f"tags.{key}", "expected letters, digits, spaces and _ . : / = + - @ alone")
