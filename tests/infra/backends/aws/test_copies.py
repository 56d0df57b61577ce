"""What another region keeps: copies of backups and a replica, each with a key and a provider of that region."""

from collections.abc import Callable
from typing import Any

import pytest

INSTANCE = "aws:rds/instance:Instance"
COPY = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
KEY = "aws:kms/key:Key"
GIVEN = "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d"

Record = Callable[..., Any]


@pytest.fixture
def record(provision: Any) -> Record:
    """Records a stack with these keys of the section."""
    return lambda **keys: provision(backend="aws", aws=keys)


def replica(recording: Any) -> Any:
    """The instance in the other region."""
    (found,) = [each for each in recording.of(INSTANCE) if each.name == "adk-sessions-eu-central-1-g1"]
    return found


def test_by_default_nothing_is_kept_elsewhere(record: Record) -> None:
    """One region, one provider."""
    made = record()

    assert len(made.of("pulumi:providers:aws")) == 1
    assert not made.of(COPY)
    assert not made.of(KEY)


def test_backups_are_copied_by_the_other_regions_provider(record: Record) -> None:
    """It is the destination that is asked to copy; every generation is, for as long as here."""
    made = record(servers=[{"id": "g1"}, {"id": "g2"}], backup={"copy_region": "eu-central-1", "retention_days": 21})

    assert {each.inputs["sourceDbInstanceArn"] for each in made.of(COPY)} == {
        f"arn:aws:rds:eu-west-1:123456789012:db:adk-sessions-{server}-0a1b2c3d" for server in ("g1", "g2")
    }
    assert all(each.inputs["retentionPeriod"] == 21 for each in made.of(COPY))
    assert all("adk-sessions-eu-central-1" in each.provider for each in made.of(COPY))


def test_a_copy_is_retired_with_its_server(record: Record) -> None:
    """It is a part of that generation, and of no other."""
    made = record(servers=[{"id": "g1"}, {"id": "g2"}], backup={"copy_region": "eu-central-1"})

    assert {each.name[-2:]: each.parent.rpartition("::")[2] for each in made.of(COPY)} == {
        "g1": "adk-sessions-g1",
        "g2": "adk-sessions-g2",
    }


def test_a_key_is_made_where_none_is_given_and_outlives_the_stack(record: Record) -> None:
    """Without it the copies could never be read again; its own ARN, since an alias would replace at every `up`."""
    made = record(backup={"copy_region": "eu-central-1"})
    key = made.one(KEY)

    assert key.retain_on_delete
    assert key.inputs["enableKeyRotation"] is True
    assert "adk-sessions-eu-central-1" in key.provider
    assert made.one(COPY).inputs["kmsKeyId"] == "arn:aws:kms:eu-west-1:123456789012:adk-sessions-eu-central-1"


def test_a_given_key_is_used(record: Record) -> None:
    """And none is made."""
    made = record(
        backup={"copy_region": "eu-central-1", "copy_key": GIVEN}, replica_region="eu-central-1", replica_key=GIVEN
    )

    assert not made.of(KEY)
    assert made.one(COPY).inputs["kmsKeyId"] == GIVEN
    assert replica(made).inputs["kmsKeyId"] == GIVEN


def test_a_replica_follows_from_another_region_by_the_arn(record: Record) -> None:
    """Encrypted by a key of its own region, in a network of its own, without a final snapshot."""
    made = record(replica_region="eu-central-1")
    inputs = replica(made).inputs

    assert inputs["replicateSourceDb"] == "arn:aws:rds:eu-west-1:123456789012:db:adk-sessions-g1-0a1b2c3d"
    assert inputs["identifier"] == "adk-sessions-g1-0a1b2c3d-copy"
    assert inputs["kmsKeyId"] == "arn:aws:kms:eu-west-1:123456789012:adk-sessions-eu-central-1"
    assert inputs["dbSubnetGroupName"] == "adk-sessions-eu-central-1-1a2b3c4"
    assert inputs["parameterGroupName"] == "adk-sessions-eu-central-1-g1-1a2b3c4"
    assert inputs["skipFinalSnapshot"] is True
    assert not {"engine", "engineVersion", "username", "password", "dbName"} & inputs.keys()
    assert "adk-sessions-eu-central-1" in replica(made).provider


def test_the_other_regions_network_does_not_overlap(record: Record) -> None:
    """So that the two can be peered."""
    blocks = {
        each.name: each.inputs["cidrBlock"] for each in record(replica_region="eu-central-1").of("aws:ec2/vpc:Vpc")
    }

    assert blocks == {"adk-sessions": "10.80.0.0/24", "adk-sessions-eu-central-1": "10.81.0.0/24"}


def test_alarms_of_a_replica_elsewhere_tell_a_topic_of_that_region(record: Record) -> None:
    """An alarm reaches no other."""
    made = record(replica_region="eu-central-1", alerts={"emails": ["a@example.com"]})
    (lag,) = [
        each
        for each in made.of("aws:cloudwatch/metricAlarm:MetricAlarm")
        if each.inputs.get("metricName") == "ReplicaLag"
    ]

    assert lag.inputs["alarmActions"] == ["arn:aws:sns:eu-west-1:123456789012:adk-sessions-eu-central-1-alerts"]
    assert "adk-sessions-eu-central-1" in lag.provider
    assert len(made.of("aws:sns/topicSubscription:TopicSubscription")) == 2


def test_two_other_regions_are_kept_apart(record: Record) -> None:
    """Backups in one, a replica in another."""
    made = record(backup={"copy_region": "us-east-1"}, replica_region="eu-central-1")

    assert {each.name for each in made.of(KEY)} == {"adk-sessions-us-east-1", "adk-sessions-eu-central-1"}
    assert len(made.of("pulumi:providers:aws")) == 3
    assert len(made.of("aws:ec2/vpc:Vpc")) == 2


def test_the_runbook_says_how_the_replica_takes_over(record: Record) -> None:
    """For the day on which the region is gone."""
    failover = record(replica_region="eu-central-1").outputs["runbook"]["failover"]

    at = "--region eu-central-1 --db-instance-identifier adk-sessions-g1-0a1b2c3d-copy"
    assert f"promote-read-replica {at} --backup-retention-period 14 --preferred-backup-window 02:00-03:00" in failover
    assert f"modify-db-instance {at} --multi-az" in failover


def test_a_promoted_copy_has_backups_and_is_no_easier_to_delete_than_its_primary(record: Record) -> None:
    """From that moment it is the database, and a promotion adds neither (Amazon RDS API, "PromoteReadReplica")."""
    copy = replica(record(replica_region="eu-central-1", backup={"retention_days": 21}))

    assert copy.inputs["deletionProtection"] is True
    assert copy.protect, "or an `up` that knows it as a replica takes it away"
    assert (copy.inputs["backupRetentionPeriod"], copy.inputs["backupWindow"]) == (21, "02:00-03:00")
    assert copy.inputs["deleteAutomatedBackups"] is False
