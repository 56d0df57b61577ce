"""Where a server is reached: subnets in two or more zones and one security group, in a built VPC or a given one."""

import ipaddress
from typing import Final

import pulumi
import pulumi_aws as aws

from infra.settings.aws import Network as NetworkSettings

PORT: Final = 5432

_ZONES: Final = {"ap-northeast-1": "acd", "ca-central-1": "abd", "us-west-1": "ac"}
"""Regions without an a, b and c. An account may see others still: `network.zones` says so."""


class Network(pulumi.ComponentResource):
    """Subnets and a security group for servers; a built one is private unless clients of the internet are named.

    Args:
        name: The component's name in the stack.
        settings: The section, of the stack's region or of the replica's.
        region: The region it is in.
        opts: The usual resource options, with the region's provider.

    Attributes:
        subnet_group: The subnets, for RDS.
        security_group: The security group; nothing may leave it, and clients come in on one port.
    """

    def __init__(
        self, name: str, settings: NetworkSettings, region: str, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the component and its parts."""
        super().__init__("sessiondb:aws:Network", name, None, opts)
        self._name, self._settings = name, settings
        self._child = pulumi.ResourceOptions(parent=self)
        self.vpc = None if settings.vpc_id else self._vpc()
        self._vpc_id: pulumi.Input[str] = self.vpc.id if self.vpc else settings.vpc_id
        self.subnets = self._subnets(region) if self.vpc else {}
        self.routes = self._routes() if self.vpc and settings.mode == "public" else []
        self.subnet_group = aws.rds.SubnetGroup(
            name,
            subnet_ids=self._subnet_ids(),
            description="Subnets of the session database",
            opts=self._child,
        )
        self.security_group = aws.ec2.SecurityGroup(
            name, vpc_id=self._vpc_id, description="Clients of the session database", opts=self._child
        )
        self.rules = self._rules()
        self.register_outputs({})

    @property
    def is_public(self) -> bool:
        """Whether a server here has a public address; read-only."""
        return self._settings.mode == "public"

    def _vpc(self) -> aws.ec2.Vpc:
        return aws.ec2.Vpc(
            self._name,
            cidr_block=self._settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": self._name},
            opts=self._child,
        )

    def _subnet_ids(self) -> list[pulumi.Input[str]]:
        return [subnet.id for subnet in self.subnets.values()] or list(self._settings.subnet_ids)

    def _subnets(self, region: str) -> dict[str, aws.ec2.Subnet]:
        letters = zones(self._settings, region)
        blocks = blocks_of(self._settings.cidr, len(letters))
        return {
            letter: aws.ec2.Subnet(
                f"{self._name}-{letter}",
                vpc_id=self._vpc_id,
                cidr_block=block,
                availability_zone=f"{region}{letter}",
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._name}-{letter}"},
                opts=self._child,
            )
            for letter, block in zip(letters, blocks, strict=True)
        }

    def _routes(self) -> list[pulumi.Resource]:
        """The way to the clients, through a gateway that RDS wants of a public server; nowhere else."""
        gateway = aws.ec2.InternetGateway(self._name, vpc_id=self._vpc_id, opts=self._child)
        table = aws.ec2.RouteTable(
            self._name,
            vpc_id=self._vpc_id,
            routes=[
                aws.ec2.RouteTableRouteArgs(cidr_block=cidr, gateway_id=gateway.id)
                for cidr in self._settings.allowed_cidrs
            ],
            opts=self._child,
        )
        return [
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{letter}", route_table_id=table.id, subnet_id=subnet.id, opts=self._child
            )
            for letter, subnet in self.subnets.items()
        ]

    def _rules(self) -> list[aws.vpc.SecurityGroupIngressRule]:
        """One rule for each client. None lets anything out: a database server opens no connections."""
        rules = [self._rule(cidr.replace("/", "-"), cidr=cidr) for cidr in clients(self._settings)]
        return rules + [self._rule(group, group=group) for group in self._settings.client_security_groups]

    def _rule(
        self, client: str, *, cidr: str | None = None, group: str | None = None
    ) -> aws.vpc.SecurityGroupIngressRule:
        return aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{client}",
            security_group_id=self.security_group.id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            description="PostgreSQL",
            opts=self._child,
        )


def clients(settings: NetworkSettings) -> tuple[str, ...]:
    """The blocks that may connect; read-only."""
    if settings.mode == "public":
        return settings.allowed_cidrs
    if settings.client_cidrs or settings.vpc_id:
        return settings.client_cidrs
    return (settings.cidr,)


def zones(settings: NetworkSettings, region: str) -> tuple[str, ...]:
    """The letters of the zones that a built network has subnets in; read-only."""
    return settings.zones or tuple(_ZONES.get(region, "abc"))


def blocks_of(cidr: str, count: int) -> list[str]:
    """A block cut into as many equal ones as there are zones, and some to spare; read-only.

    >>> blocks_of("10.80.0.0/24", 3)
    ['10.80.0.0/26', '10.80.0.64/26', '10.80.0.128/26']
    """
    wanted = 4 if count <= 4 else 8  # noqa: PLR2004  # Powers of two; six zones at most.
    parts = ipaddress.ip_network(cidr).subnets(prefixlen_diff=wanted.bit_length() - 1)
    return [str(part) for part, _ in zip(parts, range(count), strict=False)]
