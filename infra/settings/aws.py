"""The `aws` section."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from infra.settings.managed import ManagedSettings
from infra.settings.section import Section
from infra.settings.types import Cidr, NoSwitch, ServerId, Switch, Whole

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]\Z")]
"""A region as AWS writes it."""

MaybeRegion = Annotated[str, StringConstraints(pattern=r"^([a-z]{2}(-[a-z]+)+-[0-9])?\Z")]

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""HH:MM, UTC."""

Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]\Z")]
"""The letter that follows the region in the name of an availability zone."""

KeyArn = Annotated[str, StringConstraints(pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?\Z")]
"""A KMS key. Not an alias: RDS reports the key itself, and an alias would look like another key ever after."""

RoleArn = Annotated[str, StringConstraints(pattern=r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+)?\Z")]

BackupArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:rds:[a-z0-9-]+:[0-9]{12}:auto-backup:ab-[a-z0-9]+\Z")
]
"""The automated backups that RDS retains of a deleted server, or replicates into another region."""

MAX_GIB: Final = 65_536
"""The largest volume of RDS for PostgreSQL (Amazon RDS API, "CreateDBInstance")."""


class Storage(Section):
    """The volume, gp3, encrypted."""

    size_gib: Whole = Field(
        default=100, ge=20, le=MAX_GIB, description="the size of the volume, 20 to 65536 GiB", examples=[100]
    )
    max_gib: Whole = Field(
        default=500,
        ge=0,
        le=MAX_GIB,
        description="the size up to which RDS lets the volume grow by itself, up to 65536 GiB; 0 for no growth",
        examples=[500],
    )
    iops: Whole = Field(
        default=0,
        ge=0,
        le=64_000,
        description="provisioned IOPS, 12000 to 64000 from 400 GiB on; 0 for the baseline",
        examples=[0],
    )
    throughput: Whole = Field(
        default=0,
        ge=0,
        le=4_000,
        description="provisioned throughput in MiB/s, 500 to 4000 from 400 GiB on; 0 for the baseline",
        examples=[0],
    )


class Backup(Section):
    """Automated backups, which are what a point in time is restored from."""

    retention_days: Whole = Field(
        default=14,
        ge=0,
        le=35,
        description="how long backups last, which is the window of point-in-time recovery, 0 to 35 days; 0 for none",
        examples=[14],
    )
    window: ClockTime = Field(
        default="02:00", description="when the hour of the daily backup starts, HH:MM, UTC", examples=["02:00"]
    )
    final: Switch = Field(
        default=True, description="whether a server leaves a final snapshot when it is deleted", examples=[True]
    )
    copy_region: MaybeRegion = Field(
        default="",
        description="another region into which RDS copies backups and logs; empty for none",
        examples=["eu-central-1"],
    )
    copy_key: KeyArn = Field(
        default="",
        description="the ARN of a KMS key in that region for the copies; empty for one that is made there",
        examples=["arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d"],
    )
    retained: dict[ServerId, BackupArn] = Field(
        default={},
        description="a map of deleted (or other regions') generations to the ARNs of their automated backups",
        examples=["{g1: 'arn:aws:rds:eu-west-1:123456789012:auto-backup:ab-1a2b3c4d5e6f'}"],
    )


class Network(Section):
    """Where the server is reached: a network that is built for it, or a given one."""

    mode: Literal["private", "public"] = Field(
        default="private", description="who may reach the server, one of: private, public", examples=["private"]
    )
    cidr: Cidr = Field(
        default="10.80.0.0/24",
        description="the block of a built network, /16 to /26",
        examples=["10.80.0.0/24"],
    )
    zones: tuple[Zone, ...] = Field(
        default=(),
        max_length=6,
        description="a list of the letters of two or more availability zones; empty for three that the region has",
        examples=["[a, b, c]"],
    )
    vpc_id: str = Field(
        default="",
        pattern=r"^(vpc-[0-9a-f]{8,17})?\Z",
        description="the id of a given VPC; empty for one that is built",
        examples=["vpc-0a1b2c3d4e5f67890"],
    )
    subnet_ids: tuple[Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}\Z")], ...] = Field(
        default=(),
        description="a list of subnets of the given VPC, in two or more zones",
        examples=["[subnet-0a1b2c3d4e5f67890, subnet-0a1b2c3d4e5f67891]"],
    )
    client_security_groups: tuple[Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}\Z")], ...] = Field(
        default=(),
        description="a list of security groups whose members may connect",
        examples=["[sg-0a1b2c3d4e5f67890]"],
    )
    client_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="a list of private blocks that may connect, /16 or narrower; empty for the built network's own",
        examples=["[10.20.0.0/20]"],
    )
    allowed_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="a list of public blocks that may connect where mode is public, /16 or narrower",
        examples=["[203.0.113.0/28]"],
    )


class ReplicaNetwork(Network):
    """The replica's network: apart from the stack's own, so that the two can be peered."""

    cidr: Cidr = Field(
        default="10.81.0.0/24",
        description="the block of a built network, /16 to /26",
        examples=["10.81.0.0/24"],
    )


class Iam(Section):
    """Who may log in with a token where `auth` is iam."""

    owner: RoleArn = Field(
        default="",
        description="the ARN of the IAM role that may log in as the owner; empty where the policy is attached by hand",
        examples=["arn:aws:iam::123456789012:role/operators"],
    )
    app: RoleArn = Field(
        default="",
        description="the ARN of the IAM role that may log in as the app; empty where the policy is attached by hand",
        examples=["arn:aws:iam::123456789012:role/adk-api"],
    )


class AwsSettings(ManagedSettings):
    """Amazon RDS for PostgreSQL."""

    region: Region = Field(default="eu-west-1", description="the AWS region", examples=["eu-west-1"])
    account: str = Field(
        default="",
        pattern=r"^([0-9]{12})?\Z",
        description="the 12 digits of the only account this stack may touch; empty for that of the credentials",
        examples=["'123456789012'"],
    )
    instance_class: str = Field(
        default="db.m7g.large",
        pattern=r"^db\.[a-z0-9-]+\.[a-z0-9]+\Z",
        description="the machine, as RDS names its instance classes",
        examples=["db.m7g.large"],
    )
    storage: Storage = Field(default=Storage(), description="a section")
    backup: Backup = Field(default=Backup(), description="a section")
    network: Network = Field(default=Network(), description="a section")
    encryption_key: KeyArn = Field(
        default="",
        description="the ARN of a KMS key for volumes and secrets, for a server's whole life; empty for AWS's own",
        examples=["arn:aws:kms:eu-west-1:123456789012:key/1a2b3c4d"],
    )
    replica_region: MaybeRegion = Field(
        default="", description="another region with a read replica; empty for none", examples=["eu-central-1"]
    )
    replica_network: ReplicaNetwork = Field(default=ReplicaNetwork(), description="a section")
    replica_key: KeyArn = Field(
        default="",
        description="the ARN of a KMS key in that region for the replica; empty for one that is made there",
        examples=["arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d"],
    )
    manage_master_password: Switch = Field(
        default=False,
        description="whether RDS makes, keeps and rotates the owner's password, so that it is not in the state",
        examples=[True],
    )
    iam: Iam = Field(default=Iam(), description="a section")
    apply_immediately: Switch = Field(
        default=False,
        description="whether changes that interrupt are made at once and not in the maintenance window",
        examples=[True],
    )
    ca: Literal["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"] = Field(
        default="rds-ca-rsa2048-g1",
        description="the server's CA, one of: rds-ca-rsa2048-g1, rds-ca-rsa4096-g1, rds-ca-ecc384-g1",
        examples=["rds-ca-rsa2048-g1"],
    )
    ca_file: str = Field(
        default="",
        pattern=r"^[^\s?#&%]*\Z",
        description="where clients keep the RDS bundle, for the URI; empty for libpq's own ~/.postgresql/root.crt",
        examples=["/etc/ssl/certs/rds-global-bundle.pem"],
    )
    secret_recovery_days: Whole = Field(
        default=30,
        ge=0,
        le=30,
        description="how long a deleted secret can be recovered, 7 to 30 days; 0 deletes it at once",
        examples=[30],
    )
    monitoring_interval: Annotated[Literal[0, 1, 5, 10, 15, 30, 60], NoSwitch] = Field(
        default=60,
        description="seconds between the metrics of enhanced monitoring, one of: 0, 1, 5, 10, 15, 30, 60; 0 for none",
        examples=[60],
    )
    insights_retention_days: Whole = Field(
        default=7,
        ge=7,
        le=731,
        description="how long Database Insights lasts, 7, 31 to 713 in steps of 31, or 731 days",
        examples=[7],
    )
    insights_mode: Literal["standard", "advanced"] = Field(
        default="standard",
        description="the mode of Database Insights, one of: standard, advanced",
        examples=["standard"],
    )
