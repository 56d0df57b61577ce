"""The network that servers stand on, which no edit may take from under them."""

from collections.abc import Iterable, Iterator
from typing import Final

from infra.guard.plan import GONE, Step
from infra.guard.standing import Standing
from infra.layout import PROJECT
from infra.policy.servers import AWS, AZURE, GCP

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
    }
)
"""What a server stands on: the cloud refuses to take it away half-way through an `up`, or the server is cut off.

Links and peerings of a network go with it alone, so they need no word of their own.
"""

_FIXED: Final = {
    GCP: ("settings.ipConfiguration.privateNetwork",),
    AWS: ("dbSubnetGroupName",),
    AZURE: ("network",),
    "azure-native:network:VirtualNetwork": ("addressSpace",),
    "azure-native:network:Subnet": ("addressPrefix",),
}
"""The properties by which a running server, or the network below it, would be moved in place.

Azure fixes the network when a server is made (Microsoft, "Networking overview"), and a subnet keeps its block as long
as something is in it (Microsoft, "Add, change, or delete a virtual network subnet"). On the other two clouds the server
would get another address, and clients of its network be cut off.
"""

_SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"


def ground(steps: Iterable[Step], *, stack: str, standing: Standing) -> Iterator[str]:
    """The lines about what a plan would take from under servers that stay, protected or not; read-only.

    Args:
        steps: What the plan does, one step for each resource.
        stack: The stack's name, to name its file.
        standing: The servers that stay, and what they stand on.
    """
    plan = list(steps)
    for cloud in dict.fromkeys(step.cloud for step in plan if step.cloud):
        taken = [step for step in plan if step.cloud == cloud and _taken(step, standing)]
        if taken:
            yield _network(taken, stack)


def _taken(step: Step, standing: Standing) -> bool:
    """Whether a step takes away what a server stands on, or moves the server off it."""
    if _moved(step) and (step.leads or step.urn in standing.ground):
        return True
    if step.operation not in GONE or step.urn not in standing.ground:
        return False
    # A security group stays in its VPC, so another VPC shows in it where the subnets are given.
    return step.type in GROUND or (step.type == _SECURITY_GROUP and "vpcId" in step.causes)


def _moved(step: Step) -> list[str]:
    """What a step changes in place of the properties that are fixed."""
    fixed = _FIXED.get(step.type, ())
    return [path for path in step.changes if step.operation == "update" and path.startswith(fixed)]


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
