"""Servers that may have been made although the stack does not know them: a run was cut off before it heard the answer.

A second `up` would make a second server beside the first, or be refused since the name is taken. Nobody but its owner
can tell whether what is there may be taken over, so that the lines here say what to look for, and decide nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pulumi.automation.events import EngineEvent

from infra import stack_file
from infra.layout import PROJECT, ROOT
from infra.policy.rule import cloud_of
from infra.policy.servers import AWS, AZURE, GCP

_CUT_OFF: Final = ("error reading from server", "exited prematurely", "transport is closing", "connection refused")
"""The engine's words where a provider ended before it answered."""

_TAKEN: Final = ("DBInstanceAlreadyExists", "instanceAlreadyExists", "ServerNameAlreadyExists")
"""The vendors' codes where a run before this one has made the server."""

NAMES: Final = {AWS: "identifier", GCP: "name", AZURE: "serverName"}
"""Which input is a server's name, by its type."""


class Unsettled:
    """What is being made, as the engine tells it.

    Attributes:
        servers: Inputs of the servers that were begun and not finished, by URN.
    """

    def __init__(self) -> None:
        """Nothing is being made yet."""
        self.servers: dict[str, Mapping[str, Any]] = {}

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        begun, ended = event.resource_pre_event, event.res_outputs_event
        if begun and not begun.planning and begun.metadata.op.value == "create" and begun.metadata.new:
            if begun.metadata.type in NAMES:
                self.servers[begun.metadata.urn] = begun.metadata.new.inputs or {}
        elif ended and not ended.planning:
            self.servers.pop(ended.metadata.urn, None)

    def lines(self, stack: str, told: str) -> Iterator[str]:
        """A line for each server that may be there, where what the engine has told leaves that open.

        Args:
            stack: The stack's name.
            told: All that went wrong.
        """
        if any(word in told for word in (*_CUT_OFF, *_TAKEN)):
            yield from lines(stack, self.servers)


def pending(operations: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The servers among the operations that a killed engine has left open; inputs by URN. Read-only.

    Args:
        operations: `pending_operations` of a state.
    """
    resources = (each["resource"] for each in operations if each["type"] == "creating")
    return {each["urn"]: each.get("inputs") or {} for each in resources if each["type"] in NAMES}


def lines(stack: str, servers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What to do about servers that may be there; read-only.

    Args:
        stack: The stack's name.
        servers: Their inputs by URN.
    """
    config = stack_file.read(ROOT / f"Pulumi.{stack}.yaml").get("config") or {}
    for urn, inputs in servers.items():
        type_, name = urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2]
        called = str(inputs.get(NAMES[type_]) or name)
        advice = _advice(stack, config, type_, name, adopted(config, type_, inputs))
        yield (
            f"{called} may be there although stack {stack} does not know it: a run ended before it heard that it was "
            f"made. Look for it before the next `up`. {advice}"
        )


def _advice(stack: str, config: Mapping[str, Any], type_: str, name: str, adopt: str) -> str:
    cloud = cloud_of(type_)
    section = config.get(f"{PROJECT}:{cloud}") or {}
    ids = [str(each.get("id")) for each in section.get("servers") or [{"id": "g1"}]]
    id_ = next((each for each in ids if name.endswith(f"-{each}")), None)
    if id_ is None or not adopt:
        return "If it is there, delete it: it is a copy, which the next `up` makes again"
    return (
        f"If it is there, either delete it, or take it in: Pulumi.{stack}.yaml: {PROJECT}:{cloud}.servers: "
        f"[{{id: {id_}, adopt: {adopt}}}], then `up`, then the same without `adopt`"
    )


def adopted(config: Mapping[str, Any], type_: str, inputs: Mapping[str, Any]) -> str:
    """What `adopt` takes: of each cloud the id by which its provider imports; empty without a name. Read-only.

    Args:
        config: Of the stack file.
        type_: The server's type.
        inputs: The server's.
    """
    name = str(inputs.get(NAMES[type_]) or "")
    if type_ == AWS or not name:
        return name
    if type_ == GCP:
        project = (config.get(f"{PROJECT}:gcp") or {}).get("project")
        return f"projects/{project}/instances/{name}"
    subscription = (config.get(f"{PROJECT}:azure") or {}).get("subscription")
    group = inputs.get("resourceGroupName")
    provider = "Microsoft.DBforPostgreSQL/flexibleServers"
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{name}"
