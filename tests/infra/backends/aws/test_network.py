"""The network is private unless clients are named, built or given, and comes apart in the right order."""

from collections.abc import Callable
from typing import Any

import pytest

RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
SUBNET = "aws:ec2/subnet:Subnet"
INSTANCE = "aws:rds/instance:Instance"

GIVEN = {
    "vpc_id": "vpc-0a1b2c3d",
    "subnet_ids": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"],
    "client_security_groups": ["sg-0a1b2c3d"],
}
PUBLIC = {"mode": "public", "allowed_cidrs": ["203.0.113.0/28"]}

Record = Callable[..., Any]


@pytest.fixture
def record(provision: Any) -> Record:
    """Records a stack with these keys of the network's section."""
    return lambda region="eu-west-1", **keys: provision(backend="aws", aws={"region": region, "network": keys})


def test_a_built_network_has_subnets_in_three_zones_and_no_way_to_the_internet(record: Record) -> None:
    """Private is the default."""
    made = record()

    assert {each.inputs["availabilityZone"]: each.inputs["cidrBlock"] for each in made.of(SUBNET)} == {
        "eu-west-1a": "10.80.0.0/26",
        "eu-west-1b": "10.80.0.64/26",
        "eu-west-1c": "10.80.0.128/26",
    }
    assert not made.of("aws:ec2/internetGateway:InternetGateway")
    assert not made.of("aws:ec2/routeTable:RouteTable")
    assert made.one("aws:rds/subnetGroup:SubnetGroup").inputs["subnetIds"] == [
        f"adk-sessions-{zone}-id" for zone in "abc"
    ]


@pytest.mark.parametrize(
    ("region", "zones"), [("ap-northeast-1", "acd"), ("ca-central-1", "abd"), ("us-west-1", "ac"), ("us-east-1", "abc")]
)
def test_the_zones_are_those_that_the_region_has(record: Record, region: str, zones: str) -> None:
    """Not every region has an a, b and c."""
    made = {each.inputs["availabilityZone"] for each in record(region).of(SUBNET)}

    assert made == {f"{region}{zone}" for zone in zones}


def test_the_zones_can_be_chosen(record: Record) -> None:
    """An account may see others than most."""
    made = {each.inputs["availabilityZone"] for each in record(zones=["b", "f"]).of(SUBNET)}

    assert made == {"eu-west-1b", "eu-west-1f"}


def test_clients_of_a_built_network_are_those_in_it(record: Record) -> None:
    """One port, and no rule that lets anything out."""
    made = record()
    rule = made.one(RULE)

    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) == ("10.80.0.0/24", 5432, 5432)
    assert rule.inputs["ipProtocol"] == "tcp"
    assert not made.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    assert not {"ingress", "egress"} & made.one("aws:ec2/securityGroup:SecurityGroup").inputs.keys()


def test_a_given_network_is_used_and_nothing_is_built_beside_it(record: Record) -> None:
    """Only a security group, in it."""
    made = record(**GIVEN)

    assert not made.of("aws:ec2/vpc:Vpc")
    assert not made.of(SUBNET)
    assert made.one("aws:ec2/securityGroup:SecurityGroup").inputs["vpcId"] == "vpc-0a1b2c3d"
    assert made.one("aws:rds/subnetGroup:SubnetGroup").inputs["subnetIds"] == GIVEN["subnet_ids"]
    assert made.one(RULE).inputs["referencedSecurityGroupId"] == "sg-0a1b2c3d"
    assert "cidrIpv4" not in made.one(RULE).inputs


def test_a_public_server_is_reached_from_the_named_blocks_alone(record: Record) -> None:
    """By the security group and by the routes: no other address gets an answer."""
    made = record(**PUBLIC)

    assert made.one(INSTANCE).inputs["publiclyAccessible"] is True
    assert made.one(RULE).inputs["cidrIpv4"] == "203.0.113.0/28"
    (route,) = made.one("aws:ec2/routeTable:RouteTable").inputs["routes"]
    assert route == {"cidrBlock": "203.0.113.0/28", "gatewayId": "adk-sessions-id"}
    assert len(made.of("aws:ec2/routeTableAssociation:RouteTableAssociation")) == 3
    assert "0.0.0.0/0" not in str([each.inputs for each in made.resources])


def test_a_public_server_waits_for_its_routes_and_goes_before_them(record: Record) -> None:
    """RDS refuses a public server in a network without a gateway."""
    depends = record(**PUBLIC).one(INSTANCE).dependencies

    assert sum("RouteTableAssociation" in each for each in depends) == 3


def test_a_given_public_network_gets_no_gateway(record: Record) -> None:
    """Its routes are its owner's."""
    made = record(
        mode="public", allowed_cidrs=["203.0.113.0/28"], vpc_id="vpc-0a1b2c3d", subnet_ids=GIVEN["subnet_ids"]
    )

    assert made.one(INSTANCE).inputs["publiclyAccessible"] is True
    assert not made.of("aws:ec2/internetGateway:InternetGateway")
    assert made.one(RULE).inputs["cidrIpv4"] == "203.0.113.0/28"


def test_a_server_goes_before_its_network(record: Record) -> None:
    """Subnet group and security group are named by reference, which is what the engine orders a destroy by."""
    depends = record().one(INSTANCE).dependencies

    for kind in ("subnetGroup:SubnetGroup", "securityGroup:SecurityGroup", "parameterGroup:ParameterGroup"):
        assert any(kind in each for each in depends), kind


def test_every_resource_of_aws_is_made_by_the_programs_own_provider(record: Record) -> None:
    """What the shell says of a region or an account decides nothing."""
    made = [each for each in record().resources if each.type.startswith("aws:")]

    assert made
    assert all("adk-sessions-eu-west-1" in each.provider for each in made)
