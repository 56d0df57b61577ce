"""The network that servers stand on, which no edit may take from under them."""

from collections.abc import Iterable, Iterator
from typing import Final

from infra.guard.plan import REPLACES, Step
from infra.layout import PROJECT
from infra.policy.servers import AWS, AZURE, GCP, SERVERS

GROUND: Final = frozenset(
    {
        "gcp:compute/network:Network",
        "gcp:compute/globalAddress:GlobalAddress",
        "gcp:servicenetworking/connection:Connection",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:rds/subnetGroup:SubnetGroup",
        "azure-native:resources:ResourceGroup",
        "azure-native:network:VirtualNetwork",
        "azure-native:network:Subnet",
        "azure-native:privatedns:PrivateZone",
        "azure-native:privatedns:VirtualNetworkLink",
    }
)
"""What a server stands on: the cloud refuses to take it away half-way through an `up`, or the server is cut off."""

GONE: Final = frozenset({"delete", *REPLACES})
"""The engine's words for the steps after which a resource is not there, or another one."""

_FOOTING: Final = {
    GCP: ("settings.ipConfiguration.privateNetwork",),
    AWS: ("dbSubnetGroupName",),
    AZURE: ("network",),
}
"""The properties of a server that say which network it is in."""

_SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"


def ground(steps: Iterable[Step], *, stack: str) -> Iterator[str]:
    """The lines about what a plan would take from under servers that are protected; read-only.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
    """
    plan = list(steps)
    if not any(step.protect for step in plan if step.leads):
        return
    leaving = any(step.type in SERVERS and step.operation == "delete" for step in plan)
    for cloud in dict.fromkeys(step.cloud for step in plan if step.cloud):
        taken = [step for step in plan if step.cloud == cloud and _taken(step, leaving=leaving)]
        if taken:
            yield _network(taken, stack)


def _taken(step: Step, *, leaving: bool) -> bool:
    """Whether a step takes away what a server stands on, or moves the server off it."""
    if step.type in GROUND:
        return step.operation in GONE and not leaving
    # A security group stays in its VPC, so another VPC shows in it where the subnets are given.
    return bool(_moved(step)) or (
        step.type == _SECURITY_GROUP and step.operation in REPLACES and "vpcId" in step.causes and not leaving
    )


def _moved(step: Step) -> list[str]:
    """The properties by which a running server would be put into another network.

    Azure fixes them when a server is made (Microsoft, "Networking overview"); on the other two clouds the server would
    get another address, and clients of its network be cut off.
    """
    if not step.leads or step.operation != "update":
        return []
    return [path for path in step.changes if path.startswith(_FOOTING[step.type])]


def _network(taken: list[Step], stack: str) -> str:
    cloud = taken[0].cloud
    parts = ", ".join(f"{step.type.rpartition(':')[2]} {step.name}" for step in taken)
    causes = dict.fromkeys(cause for step in taken for cause in (_moved(step) or step.causes))
    why = f"a change of {', '.join(causes)} takes it from them" if causes else "it is taken away"
    return (
        f"Pulumi.{stack}.yaml: {PROJECT}:{cloud}: expected the network of the servers to stay ({parts}), but {why}: "
        "region, network and names of a stack are those it was made with. Set it back, or copy the sessions to a "
        f"second stack. For example: session-db promote --from-stack {stack} --stack {stack}2"
    )
