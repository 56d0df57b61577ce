"""What Amazon RDS would not take is refused offline, in one line that names the value that fixes it."""

from typing import Any

import pytest
import yaml

from infra import preflight, settings
from infra.errors import SettingsError
from infra.preflight import aws
from infra.preflight.aws.machines import FAMILIES, max_connections, memory_bytes
from infra.settings.aws import AwsSettings

KEY = "arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d"
TOPIC = "arn:aws:sns:us-east-1:123456789012:oncall"
ROLE = "arn:aws:iam::123456789012:role/adk-api"
BACKUPS = "arn:aws:rds:eu-west-1:123456789012:auto-backup:ab-1a2b3c4d"
GIVEN = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]}
MAPS = {"labels", "parameters"}
PLAIN = {"high_availability": False}

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    # The machine.
    ({"instance_class": "db.m4.large"}, "instance_class", "m4 is not"),
    ({"instance_class": "db.t2.micro"}, "instance_class", "t2 is not"),
    ({"instance_class": "db.c6gd.large"}, "instance_class", "Multi-AZ clusters alone"),
    ({"instance_class": "db.m99g.large"}, "instance_class", "one of the families t3, t4g"),
    ({"instance_class": "db.m7g.micro"}, "instance_class", "one of the sizes of m7g: large"),
    ({"instance_class": "db.m7g.24xlarge"}, "instance_class", "one of the sizes of m7g"),
    ({"instance_class": "db.t4g.micro", "api_processes": 6}, "api_processes", "up to 5 processes"),
    ({"instance_class": "db.t4g.micro", "api_processes": 300}, "api_processes", "need 4515"),
    # The volume.
    ({"storage": {"size_gib": 100, "max_gib": 109}}, "storage.max_gib", "a tenth more"),
    ({"storage": {"size_gib": 65536, "max_gib": 65536}}, "storage.max_gib", "or 0 for no growth"),
    ({"storage": {"size_gib": 100, "iops": 3000}}, "storage.iops", "0 below 400 GiB"),
    ({"storage": {"size_gib": 399, "throughput": 125}}, "storage.throughput", "0 below 400 GiB"),
    ({"storage": {"size_gib": 400, "iops": 3000}}, "storage.iops", "12000 to 64000"),
    ({"storage": {"size_gib": 400, "throughput": 125}}, "storage.throughput", "500 to 4000"),
    ({"storage": {"size_gib": 400, "throughput": 3001}}, "storage.throughput", "a quarter of the 12000 IOPS"),
    # Backups.
    ({"backup": {"retention_days": 0}}, "backup.retention_days", "high_availability rest"),
    ({**PLAIN, "read_replicas": 1, "backup": {"retention_days": 0}}, "backup.retention_days", "read_replicas rest"),
    (
        {**PLAIN, "backup": {"retention_days": 0, "copy_region": "eu-central-1"}},
        "backup.retention_days",
        "backup.copy_region rest",
    ),
    (
        {**PLAIN, "replica_region": "us-east-1", "backup": {"retention_days": 0}},
        "backup.retention_days",
        "replica_region",
    ),
    ({"backup": {"window": "04:30"}}, "backup.window", "which starts at 04:00"),
    ({"backup": {"window": "03:30"}}, "backup.window", "an hour apart"),
    ({"backup": {"window": "23:30"}, "maintenance": {"hour": 0}}, "backup.window", "which starts at 00:00"),
    ({"backup": {"copy_region": "eu-west-1"}}, "backup.copy_region", "another region than the stack's own, eu-west-1"),
    ({"backup": {"copy_region": "cn-north-1"}}, "backup.copy_region", "the same partition"),
    ({"replica_region": "eu-west-1"}, "replica_region", "another region"),
    ({"replica_region": "us-gov-west-1"}, "replica_region", "the same partition"),
    # The network.
    ({"network": {"mode": "public"}}, "network.allowed_cidrs", "the blocks that may connect"),
    ({"network": {"allowed_cidrs": ["203.0.113.0/28"]}}, "network.allowed_cidrs", "none where mode is private"),
    (
        {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/28"], "client_cidrs": ["10.0.0.0/24"]}},
        "network.client_cidrs",
        "none where mode is public",
    ),
    ({"network": {"client_cidrs": ["fd00::/64"]}}, "network.client_cidrs", "IPv4 blocks"),
    (
        {"network": {"mode": "public", "allowed_cidrs": ["2001:db8::/64"]}},
        "network.allowed_cidrs",
        "the server has no other address",
    ),
    ({"network": {"client_cidrs": ["8.8.8.0/24"]}}, "network.client_cidrs", "which 8.8.8.0/24 is not"),
    (
        {"network": {**GIVEN, "subnet_ids": ["subnet-0a1b2c3d"], "client_cidrs": ["10.0.0.0/24"]}},
        "network.subnet_ids",
        "two or more subnets",
    ),
    ({"network": GIVEN}, "network.client_security_groups", "somebody who may connect"),
    (
        {"network": {**GIVEN, "zones": ["a", "b"], "client_cidrs": ["10.0.0.0/24"]}},
        "network.zones",
        "none where a VPC is given",
    ),
    ({"network": {"subnet_ids": GIVEN["subnet_ids"]}}, "network.vpc_id", "the VPC that the given subnets are in"),
    ({"network": {"client_security_groups": ["sg-0a1b2c3d"]}}, "network.client_security_groups", "yet to be built"),
    ({"network": {"zones": ["a"]}}, "network.zones", "two or more different letters"),
    ({"network": {"zones": ["a", "a"]}}, "network.zones", "two or more different letters"),
    ({"network": {"cidr": "10.80.0.0/27"}}, "network.cidr", "/26 or wider"),
    ({"network": {"cidr": "10.80.0.0/26", "zones": list("abcdef")}}, "network.cidr", "/25 for five or six"),
    ({"network": {"cidr": "8.8.8.0/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "192.0.2.0/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "fd00::/64"}}, "network.cidr", "a private IPv4 block"),
    (
        {"replica_region": "us-east-1", "replica_network": {"cidr": "10.80.0.0/20"}},
        "replica_network.cidr",
        "apart from the main region's",
    ),
    ({"replica_region": "us-east-1", "replica_network": {"zones": ["b"]}}, "replica_network.zones", "two or more"),
    # Names, roles and readers.
    ({"owner_user": "admin"}, "owner_user", "as they do admin"),
    ({"owner_user": "rdsadmin"}, "owner_user", "as they do rdsadmin"),
    ({"owner_user": "user"}, "owner_user", "as they do user"),
    ({"owner_user": "a" * 17}, "owner_user", "1 to 16 letters"),
    ({"owner_user": "_owner"}, "owner_user", "a letter first"),
    ({"app_user": "rds_superuser"}, "app_user", "as they do rds_superuser"),
    ({"app_user": "table"}, "app_user", "as they do table"),
    ({"database": "postgres"}, "database", "as they do postgres"),
    ({"database": "select"}, "database", "as they do select"),
    ({"secret_readers": ["serviceAccount:x"]}, "secret_readers", "the ARNs of IAM roles"),
    ({"secret_recovery_days": 3}, "secret_recovery_days", "7 to 30 days"),
    ({"auth": "iam", "rotation": 1}, "rotation", "no password to rotate"),
    ({"auth": "iam", "secret_readers": [ROLE]}, "secret_readers", "no secret to read"),
    ({"iam": {"app": ROLE}}, "iam.app", "auth: iam"),
    ({"iam": {"owner": ROLE}}, "iam.owner", "auth: iam"),
    # Keys.
    ({"encryption_key": KEY}, "encryption_key", "a key in eu-west-1"),
    ({"backup": {"copy_region": "eu-central-1", "copy_key": KEY}}, "backup.copy_key", "a key in eu-central-1"),
    ({"backup": {"copy_key": KEY}}, "backup.copy_key", "backup.copy_region, without which"),
    ({"replica_key": KEY}, "replica_key", "replica_region, without which"),
    # Generations.
    ({"servers": [{"id": "g1", "adopt": "Not--One"}]}, "servers", "the identifier of an RDS instance"),
    (
        {"servers": [{"id": "g1"}, {"id": "g2", "version": 18, "restore": {"from": "g1", "time": "latest"}}]},
        "servers",
        "version 17 for g2 while it is restored",
    ),
    (
        {
            "servers": [{"id": "g2", "restore": {"from": "g1", "time": "latest"}}],
            "active": "g2",
            "backup": {"retained": {"g1": BACKUPS}},
        },
        "servers",
        "a moment for g2",
    ),
    # Parameters.
    ({"parameters": {"rds.force_ssl": "0"}}, "parameters", "TLS is not optional"),
    ({"parameters": {"Work Mem": "1"}}, "parameters", "in small letters"),
    ({"parameters": {"work_mem": ""}}, "parameters", "a value for work_mem"),
    # Logs, insights, topics and tags.
    ({"log_retention_days": 31}, "log_retention_days", "one of 1, 3, 5"),
    ({"insights_retention_days": 8}, "insights_retention_days", "a multiple of 31"),
    ({"insights_mode": "advanced"}, "insights_mode", "465 days"),
    (
        {"insights_mode": "advanced", "insights_retention_days": 465, "query_insights": False},
        "insights_mode",
        "query_insights",
    ),
    ({"alerts": {"channels": ["oncall"]}}, "alerts.channels", "the ARNs of SNS topics"),
    ({"alerts": {"channels": [f"{TOPIC}.fifo"]}}, "alerts.channels", "no FIFO ones"),
    ({"alerts": {"channels": [TOPIC]}}, "alerts.channels", "topics in eu-west-1"),
    ({"labels": {"aws:team": "x"}}, "labels", "not `aws:"),
    ({"labels": {"team": "a,b"}}, "labels", "tags of letters"),
    ({"labels": {f"k{number}": "" for number in range(49)}}, "labels", "at most 48 tags"),
]


@pytest.mark.parametrize(("keys", "key", "expected"), REFUSED)
def test_what_rds_would_not_take_is_refused_by_name(keys: dict[str, Any], key: str, expected: str) -> None:
    """One refusal for one mistake."""
    (refusal,) = aws.check(AwsSettings.model_validate(keys))

    assert refusal.key == f"aws.{key}"
    assert expected in refusal.expected


@pytest.mark.parametrize(("keys", "key", "expected"), REFUSED)
def test_the_fix_that_a_refusal_names_is_accepted(keys: dict[str, Any], key: str, expected: str) -> None:
    """A message that teaches something wrong is worse than none."""
    (refusal,) = aws.check(AwsSettings.model_validate(keys))
    mended = AwsSettings.model_validate(merged(keys, yaml.safe_load(refusal.fix)))

    assert not [each.expected for each in aws.check(mended) if each.key == f"aws.{key}" and expected in each.expected]


@pytest.mark.parametrize(
    "keys",
    [
        {"instance_class": "db.t4g.micro", "api_processes": 5},
        {"instance_class": "db.t4g.medium", "high_availability": True},
        {"storage": {"size_gib": 100, "max_gib": 110}},
        {"storage": {"size_gib": 100, "max_gib": 0}},
        {"storage": {"size_gib": 400, "max_gib": 1000, "iops": 64000, "throughput": 4000}},
        {"high_availability": False, "backup": {"retention_days": 0}},
        {"backup": {"window": "03:00"}},
        {"backup": {"window": "05:00"}},
        {"backup": {"window": "23:00"}, "maintenance": {"hour": 0}},
        {"network": {**GIVEN, "client_security_groups": ["sg-0a1b2c3d"]}},
        {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/28"]}},
        {"network": {"cidr": "10.80.0.0/25", "zones": list("abcdef")}},
        {"auth": "iam", "iam": {"app": ROLE, "owner": ROLE}, "manage_master_password": True},
        {"region": "us-east-1", "encryption_key": KEY, "alerts": {"channels": [TOPIC]}},
        {"replica_region": "us-east-1", "replica_key": KEY, "alerts": {"channels": [TOPIC]}},
        {"insights_mode": "advanced", "insights_retention_days": 465},
        {"version": 17, "servers": [{"id": "g1"}, {"id": "g2", "version": 18}]},
        {"owner_user": "postgres"},
    ],
)
def test_what_rds_takes_is_not_refused(keys: dict[str, Any]) -> None:
    """The border of each rule, from the other side."""
    assert not [each.expected for each in aws.check(AwsSettings.model_validate(keys))]


@pytest.mark.parametrize("profile", ["dev", "staging", "prod"])
def test_the_defaults_of_each_profile_are_taken(profile: str) -> None:
    """Nobody has to mend what he did not write."""
    chosen = settings.load({"p:backend": "aws", "p:profile": profile}, project="p", stack="s")

    assert not list(aws.check(chosen.aws))


def test_a_refusal_is_one_line_with_the_file_the_key_and_the_fix() -> None:
    """What the user reads."""
    chosen = settings.load({"p:backend": "aws", "p:aws": '{"log_retention_days": 31}'}, project="p", stack="s")
    with pytest.raises(SettingsError) as caught:
        preflight.require(chosen, project="p", stack="s")

    (line,) = str(caught.value).splitlines()
    assert line.startswith("Pulumi.s.yaml: p:aws.log_retention_days: expected one of 1, 3")
    assert line.endswith("For example: p:aws: {log_retention_days: 60}")


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/8", "203.0.113.7/28"])
def test_no_block_opens_the_server_to_everybody(cidr: str) -> None:
    """Not even where somebody writes it down."""
    with pytest.raises(SettingsError):
        settings.load(
            {"p:backend": "aws", "p:aws": f'{{"network": {{"allowed_cidrs": ["{cidr}"]}}}}'}, project="p", stack="s"
        )


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("db.t3.micro", 1),
        ("db.t4g.2xlarge", 32),
        ("db.m8g.48xlarge", 768),
        ("db.r7g.16xlarge", 512),
        ("db.x2g.16xlarge", 1024),
        ("db.x2iedn.32xlarge", 4096),
        ("db.x2idn.24xlarge", 1536),
    ],
)
def test_memory_is_that_of_the_hardware_table(instance_class: str, gib: int) -> None:
    """Amazon RDS User Guide, "Hardware specifications for DB instance classes"."""
    assert memory_bytes(instance_class) == gib * 2**30


def test_every_instance_class_allows_some_connections() -> None:
    """The table has no gap, and RDS's own cap holds."""
    allowed = [max_connections(f"db.{name}.{size}") for name, family in FAMILIES.items() for size in family.sizes]

    assert min(allowed) > 100
    assert max(allowed) == 5000


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A section with a fix put in."""
    return {
        **under,
        **{
            key: merged(under[key], value) if isinstance(value, dict) and key in under and key not in MAPS else value
            for key, value in over.items()
        },
    }
