"""Networks: VPCs, subnets, routes and security groups."""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.changes import Change
from rehearsal.plugin.living import Resource
from rehearsal.plugin.plane import Need, Plane, need
from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Inputs
from rehearsal.vendors.aws.base import NAME, Amazon
from rehearsal.vendors.declared import says, words

_ARN: Final = "arn:aws:ec2:{region}:{account}"

_DEPENDED: Final = ("The {kind} '{id}' has dependencies and cannot be deleted.", "DependencyViolation")
"""Amazon EC2, "Error codes"."""


class _InVpc(Amazon):
    """Something without which its VPC can be deleted, and with which it cannot."""

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The VPC."""
        return behind.known(depended("vpc", this.inputs.get("vpcId")))


class Vpc(Amazon):
    """A network."""

    token = "aws:ec2/vpc:Vpc"  # noqa: S105
    replaces = words("cidrBlock ipv4IpamPoolId ipv4NetmaskLength")
    form = "vpc-0{hex}"
    fills = says(enableDnsSupport=True, instanceTenancy="default")
    answers = says(
        arn=f"{_ARN}:vpc/vpc-0{{hex}}",
        ownerId="{account}",
        defaultSecurityGroupId="sg-0{hex}",
        mainRouteTableId="rtb-0{hex}",
        defaultRouteTableId="rtb-0{hex}",
        enableDnsHostnames=False,
    )

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateVpc, CidrBlock."""
        del call
        yield from block("cidrBlock", inputs.get("cidrBlock"), 16, 28)


class Subnet(_InVpc):
    """A zone's part of a network."""

    token = "aws:ec2/subnet:Subnet"  # noqa: S105
    replaces = words("vpcId availabilityZone availabilityZoneId cidrBlock ipv6Native outpostArn")
    form = "subnet-0{hex}"
    fills = says(mapPublicIpOnLaunch=False)
    answers = says(arn=f"{_ARN}:subnet/subnet-0{{hex}}", ownerId="{account}", availabilityZone="{region}a")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateSubnet, CidrBlock and AvailabilityZone."""
        yield from block("cidrBlock", inputs.get("cidrBlock"), 16, 28)
        zone, region = inputs.get("availabilityZone"), inputs.get("region") or call.config.get("region")
        if isinstance(zone, str) and isinstance(region, str) and not zone.startswith(region):
            yield Refusal("availabilityZone", f"expected a zone of {region}, for example {region}a, got {zone!r}")


class InternetGateway(_InVpc):
    """The way to the internet."""

    token = "aws:ec2/internetGateway:InternetGateway"  # noqa: S105
    form = "igw-0{hex}"
    answers = says(arn=f"{_ARN}:internet-gateway/igw-0{{hex}}", ownerId="{account}")


class RouteTable(_InVpc):
    """Routes."""

    token = "aws:ec2/routeTable:RouteTable"  # noqa: S105
    replaces = words("vpcId")
    form = "rtb-0{hex}"
    answers = says(arn=f"{_ARN}:route-table/rtb-0{{hex}}", ownerId="{account}", propagatingVgws=[])

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """CreateRoute, DestinationCidrBlock."""
        del call
        for index, route in enumerate(inputs.get("routes") or []):
            if isinstance(route, dict):
                yield from block(f"routes[{index}].cidrBlock", route.get("cidrBlock"), 0, 32)


class RouteTableAssociation(Amazon):
    """Which routes a subnet has."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"  # noqa: S105
    replaces = words("gatewayId subnetId")
    form = "rtbassoc-0{hex}"

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """The table; a subnet takes its associations along."""
        return behind.known(depended("routeTable", this.inputs.get("routeTableId")))


class SecurityGroup(_InVpc):
    """A firewall of a few resources."""

    token = "aws:ec2/securityGroup:SecurityGroup"  # noqa: S105
    autoname = NAME
    replaces = words("description name namePrefix vpcId")
    operation = "ec2:CreateSecurityGroup"
    renames = says(name="GroupName")
    elsewhere = words("namePrefix ingress egress revokeRulesOnDelete")
    form = "sg-0{hex}"
    fills = says(description="Managed by Pulumi", revokeRulesOnDelete=False)
    answers = says(arn=f"{_ARN}:security-group/sg-0{{hex}}", ownerId="{account}", ingress=[], egress=[])

    def imported(self, call: Call, identity: str) -> Inputs:
        """Nothing: the id is not the name."""
        del call, identity
        return {}


class _Rule(Amazon):
    """One rule of a security group."""

    replaces = words("securityGroupId")
    operation = ""
    form = "sgr-0{hex}"
    answers = says(arn=f"{_ARN}:security-group-rule/sgr-0{{hex}}", securityGroupRuleId="sgr-0{hex}")
    sources = words("cidrIpv4 cidrIpv6 prefixListId referencedSecurityGroupId")

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """AuthorizeSecurityGroupIngress."""
        del call
        if len([key for key in self.sources if inputs.get(key) is not None]) != 1:
            yield Refusal("", f"expected exactly one of {', '.join(sorted(self.sources))}")
        yield from block("cidrIpv4", inputs.get("cidrIpv4"), 0, 32)
        for key in ("fromPort", "toPort"):
            port = inputs.get(key)
            if isinstance(port, int) and not -1 <= port <= 65535:  # noqa: PLR2004  # The last port.
                yield Refusal(key, f"expected a port, -1 to 65535, got {port}")
        if inputs.get("ipProtocol") in ("tcp", "udp") and None in (inputs.get("fromPort"), inputs.get("toPort")):
            yield Refusal("fromPort", "expected fromPort and toPort: tcp and udp need both")

    def needs(self, behind: Plane, this: Resource) -> Iterable[Need]:
        """A group that it lets in; its own one takes it along."""
        other = this.inputs.get("referencedSecurityGroupId")
        return behind.known(need(other, "resource {id} has a dependent object", "DependencyViolation"))

    def is_replacing(self, change: Change, old: Inputs, new: Inputs) -> bool:
        """Another group, or another kind of client (hashicorp/terraform-provider-aws, vpc_security_group_rule.go)."""
        other_kind = change.path[0] in self.sources and change.kind != "update"
        return other_kind or super().is_replacing(change, old, new)


class SecurityGroupIngressRule(_Rule):
    """Who may come in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"  # noqa: S105


class SecurityGroupEgressRule(_Rule):
    """What may go out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"  # noqa: S105


def depended(kind: str, identity: object) -> Need:
    """A need of something in a network."""
    words, code = _DEPENDED
    return need(identity, words.replace("{kind}", kind), code)


def block(path: str, value: object, least: int, most: int) -> Iterator[Refusal]:
    """What is wrong with an IPv4 block of a length between two."""
    if value is None or value is UNKNOWN:
        return
    try:
        found = ipaddress.IPv4Network(str(value))
    except ValueError as error:
        yield Refusal(
            path, f"expected an IPv4 block in CIDR notation, for example 10.80.0.0/20, got {value!r}: {error}"
        )
        return
    if not least <= found.prefixlen <= most:
        yield Refusal(path, f"expected a block of /{least} to /{most}, got {value!r}")
