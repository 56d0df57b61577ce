"""What a server stands on stays under it, as long as one server stands there."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from infra import guard
from infra.guard import Step
from infra.guard.ground import GROUND

GCP = "gcp:sql/databaseInstance:DatabaseInstance"
AWS = "aws:rds/instance:Instance"
AZURE = "azure-native:dbforpostgresql:Server"
SUBNET = "azure-native:network:Subnet"
NETWORK = "azure-native:network:VirtualNetwork"

Make = Callable[..., Step]
Ground = Callable[..., list[str]]


@pytest.fixture
def ground(resource: Callable[..., dict[str, Any]]) -> Ground:
    """What the guard says of servers, each with the steps on what it was made of and what it waited for."""

    def told(*servers: tuple[Step, Iterable[Step], Iterable[Step]]) -> list[str]:
        below = {part.urn: part for _, needs, after in servers for part in (*needs, *after)}
        known = [resource(part) for part in below.values()] + [resource(*each) for each in servers]
        plan = [server for server, _, _ in servers] + list(below.values())
        return list(guard.ground(plan, stack="prod", standing=guard.standing(plan, known)))

    return told


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("operation", ["delete", "create-replacement"])
@pytest.mark.parametrize("kind", sorted(GROUND))
def test_what_a_server_stands_on_stays_under_it(
    ground: Ground, step: Make, kind: str, operation: str, *, protect: bool
) -> None:
    """Another region, or another way in, would pull it away; with the server itself it goes."""
    part = step(operation, kind, name="n", causes=("availabilityZone",))

    (line,) = ground((step("update", protect=protect), [part], []))
    assert "a change of availabilityZone" in line
    assert "session-db promote" in line
    assert ground((step("delete"), [part], [])) == []


def test_another_server_that_goes_takes_no_ground_along(ground: Ground, step: Make) -> None:
    """A replica that is counted down in the same edit stood on it as well, and so did a retired generation."""
    vpc = step("replace", "aws:ec2/vpc:Vpc", name="n", causes=("cidrBlock",))
    server = step("same", AWS, protect=True)
    replica = step("delete", AWS, name="adk-sessions-g1-r1", inputs={"replicateSourceDb": "g1"})

    assert len(ground((server, [vpc], []), (replica, [server], []))) == 1
    assert len(ground((server, [vpc], []), (step("delete", AWS, name="adk-sessions-g0"), [vpc], []))) == 1


def test_the_network_of_another_region_goes_with_the_replica_in_it(ground: Ground, step: Make) -> None:
    """Even where its primary has waited for it, as on Azure; not while the replica stays."""
    near, far = step("same", SUBNET, name="near"), step("delete", SUBNET, name="far")
    primary = step("same", AZURE, protect=True)

    def replica(operation: str) -> Step:
        return step(operation, AZURE, name="adk-sessions-g1-far", inputs={"createMode": "Replica"})

    assert ground((primary, [near], [far]), (replica("delete"), [far], [])) == []
    assert len(ground((primary, [near], [far]), (replica("same"), [far], []))) == 1


def test_a_network_that_goes_is_told_of_in_one_line(ground: Ground, step: Make) -> None:
    """Whatever it has of parts."""
    parts = [step("delete", kind, name="n") for kind in sorted(GROUND) if kind.startswith("gcp:")]

    (line,) = ground((step("same", protect=True), parts, []))
    assert "(GlobalAddress n, Network n, Connection n), but it is taken away" in line


def test_what_no_server_stands_on_may_go(ground: Ground, step: Make) -> None:
    """Of a network that was never used."""
    part = step("delete", "aws:ec2/vpc:Vpc", name="other")

    assert list(guard.ground([part], stack="prod", standing=guard.standing([part], []))) == []
    assert ground((step("same", AWS), [step("same", "aws:ec2/vpc:Vpc", name="n")], [])) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (GCP, "settings.ipConfiguration.privateNetwork"),
        (AWS, "dbSubnetGroupName"),
        (AZURE, "network.delegatedSubnetResourceId"),
    ],
)
def test_a_server_is_not_put_into_another_network(ground: Ground, step: Make, kind: str, path: str) -> None:
    """Where both are given, nothing of the network itself is in the plan; a replica may move."""
    (line,) = ground((step("update", kind, protect=True, changes=("tags", path)), [], []))

    assert f"a change of {path} takes it from them" in line
    assert ground((step("update", kind, protect=True, changes=("tags",)), [], [])) == []
    follows = {"masterInstanceName": "g1", "replicateSourceDb": "g1", "createMode": "Replica"}
    replica = step("update", kind, name="r", inputs=follows, changes=(path,))
    assert ground((step("same", kind, protect=True), [], []), (replica, [], [])) == []


@pytest.mark.parametrize(
    ("kind", "path"), [(SUBNET, "addressPrefix"), (SUBNET, "addressPrefixes[0]"), (NETWORK, "addressSpace")]
)
def test_a_network_in_use_keeps_its_block(ground: Ground, step: Make, kind: str, path: str) -> None:
    """Azure's engine plans an update in place, which Azure refuses half-way; tags are another matter."""
    moved, tagged = (step("update", kind, name="n", changes=(each,)) for each in (path, "tags"))

    (line,) = ground((step("same", AZURE), [moved], []))
    assert f"a change of {path} takes it from them" in line
    assert ground((step("same", AZURE), [tagged], [])) == []
    assert ground((step("delete", AZURE), [moved], [])) == []


def test_a_security_group_shows_that_the_vpc_is_another_one(ground: Ground, step: Make) -> None:
    """RDS refuses to move a subnet group, half-way through the `up`; another description is no other VPC."""
    kind, server = "aws:ec2/securityGroup:SecurityGroup", step("same", AWS, protect=True)

    (line,) = ground((server, [step("create-replacement", kind, name="s", causes=("vpcId",))], []))
    assert "a change of vpcId" in line
    assert ground((server, [step("create-replacement", kind, name="s", causes=("description",))], [])) == []
