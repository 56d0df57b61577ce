"""Amazon RDS as boto3 sees it: the real SDK, unpatched, with nothing but another endpoint."""

import datetime as dt
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions  # type: ignore[import-untyped]
import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient

Ask = Callable[[str, str], list[Any]]
NAME = "adk-sessions"


@pytest.fixture(scope="module")
def production(folder: Path) -> ControlPlaneClient:
    """A control plane with one server of production."""
    plane = client.connect(folder)
    plane.call(
        "servers.create",
        cloud="aws",
        name=NAME,
        version="17",
        owner="adk_owner",
        password="change-me",
        database="adk",
        standby=True,
        storage_gib=20,
        attributes={
            "instanceClass": "db.m7g.large",
            "backupRetentionPeriod": 7,
            "multiAz": True,
            "deletionProtection": True,
            "vpcSecurityGroupIds": ["sg-1"],
            "password": "change-me",
            "tags": {"team": "adk"},
        },
    )
    return plane


@pytest.fixture(scope="module")
def rds(production: ControlPlaneClient) -> Iterator[Any]:
    """The SDK; it tries nothing twice, so that refusals come to light."""
    config = importlib.import_module("botocore.config").Config(retries={"total_max_attempts": 1})
    session = importlib.import_module("boto3").session.Session(
        aws_access_key_id="rehearsal", aws_secret_access_key="change-me", region_name="eu-central-1"
    )
    made = session.client("rds", endpoint_url=f"{production.url}/aws", config=config)
    yield made
    made.close()


@pytest.fixture
def instance(rds: Any) -> Callable[[str], dict[str, Any]]:
    """Describes an instance."""

    def describe(name: str = NAME) -> dict[str, Any]:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return dict(found)

    return describe


@pytest.fixture
def wait(rds: Any) -> Callable[[str, str], None]:
    """The SDK's own waiters, which are patient enough for a cloud; here they look more often."""

    def until(state: str, name: str = NAME) -> None:
        rds.get_waiter(state).wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    return until


def test_an_instance_is_described_as_it_was_asked_for(instance: Any) -> None:
    """And as it runs; no password is anywhere."""
    found = instance()

    assert found["DBInstanceStatus"] == "available"
    assert found["Endpoint"]["Address"].startswith(f"{NAME}.c")
    assert found["Endpoint"]["Port"] == 5432, "the record's port is the cloud's; the real one stands in reach.json"
    assert found["MultiAZ"]
    assert found["DeletionProtection"]
    assert found["AvailabilityZone"] != found["SecondaryAvailabilityZone"]
    assert found["BackupRetentionPeriod"] == 7
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]
    assert found["TagList"] == [{"Key": "team", "Value": "adk"}]
    assert isinstance(found["LatestRestorableTime"], dt.datetime)
    assert "change-me" not in str(found)


def test_lists_are_filtered_as_the_api_filters_them(rds: Any, instance: Any) -> None:
    """By resource id; no match is no error, but a name that is not there is one."""
    resource = instance()["DbiResourceId"]

    def named(value: str) -> list[str]:
        filters = [{"Name": "dbi-resource-id", "Values": [value]}]
        return [each["DBInstanceIdentifier"] for each in rds.describe_db_instances(Filters=filters)["DBInstances"]]

    assert named(resource) == [NAME]
    assert named("db-NOBODY") == []
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault, match="nobody not found"):
        rds.describe_db_instances(DBInstanceIdentifier="nobody")


def test_a_failover_changes_the_zone_and_loses_nothing(rds: Any, instance: Any, wait: Any, ask_at: Ask) -> None:
    """While it goes on, everything else is refused, as in life; the host name stays."""
    before = instance()
    ask_at(before["Endpoint"]["Address"], "CREATE TABLE IF NOT EXISTS kept ()")

    answer = rds.reboot_db_instance(DBInstanceIdentifier=NAME, ForceFailover=True)["DBInstance"]
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault, match="not in available state"):
        rds.reboot_db_instance(DBInstanceIdentifier=NAME)
    wait("db_instance_available")
    after = instance()

    assert answer["DBInstanceStatus"] == "rebooting"
    zones = ("AvailabilityZone", "SecondaryAvailabilityZone")
    assert [after[key] for key in zones] == [before[key] for key in reversed(zones)]
    assert after["Endpoint"] == before["Endpoint"]
    assert ask_at(after["Endpoint"]["Address"], "SELECT to_regclass('kept')::text") == [("kept",)]
    events = rds.describe_events(SourceIdentifier=NAME, SourceType="db-instance", Duration=60)["Events"]
    assert "Multi-AZ instance failover completed" in [each["Message"] for each in events]


def test_an_instance_without_a_standby_fails_over_to_nothing(rds: Any, production: ControlPlaneClient) -> None:
    """A reboot is refused with what is wrong with it."""
    production.call("servers.create", cloud="aws", name="alone", owner="adk_owner", password="change-me")

    with pytest.raises(botocore.exceptions.ClientError, match=r"InvalidParameterCombination.*Multi-AZ"):
        rds.reboot_db_instance(DBInstanceIdentifier="alone", ForceFailover=True)

    rds.delete_db_instance(DBInstanceIdentifier="alone", SkipFinalSnapshot=True)


def test_a_restore_has_what_was_there_at_the_moment(rds: Any, instance: Any, wait: Any, ask_at: Ask) -> None:
    """In a new instance, with the source's settings and passwords, but not its protection."""
    host = instance()["Endpoint"]["Address"]
    ask_at(host, "CREATE TABLE marks (word text)")
    ask_at(host, "INSERT INTO marks VALUES ('before')")
    ((moment,),) = ask_at(host, "SELECT clock_timestamp()")
    ask_at(host, "INSERT INTO marks VALUES ('after')")
    while instance()["LatestRestorableTime"] <= moment:
        pass

    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=NAME, TargetDBInstanceIdentifier="restored", RestoreTime=moment, MultiAZ=False
    )
    wait("db_instance_available", "restored")
    found = instance("restored")

    assert ask_at(found["Endpoint"]["Address"], "SELECT word FROM marks") == [("before",)]
    assert found["DBInstanceClass"] == "db.m7g.large"
    assert not found["MultiAZ"]
    assert not found["DeletionProtection"]
    rds.delete_db_instance(DBInstanceIdentifier="restored", SkipFinalSnapshot=True)
    wait("db_instance_deleted", "restored")


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("InvalidRestoreFault", {"RestoreTime": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}),
        ("InvalidParameterCombination", {}),
        ("DBInstanceNotFound", {"SourceDBInstanceIdentifier": "nobody", "UseLatestRestorableTime": True}),
        ("DBInstanceAlreadyExists", {"TargetDBInstanceIdentifier": NAME, "UseLatestRestorableTime": True}),
    ],
)
def test_a_restore_that_cannot_be_is_refused(rds: Any, words: str, asked: dict[str, Any]) -> None:
    """With RDS' own code."""
    with pytest.raises(botocore.exceptions.ClientError, match=words):
        rds.restore_db_instance_to_point_in_time(
            **{"SourceDBInstanceIdentifier": NAME, "TargetDBInstanceIdentifier": "never", **asked}
        )


def test_a_protected_instance_is_deleted_only_without_its_protection(rds: Any, instance: Any, wait: Any) -> None:
    """And a last snapshot and the automated backups outlive it, from which it can be restored."""
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=NAME,
        TargetDBInstanceIdentifier="protected",
        UseLatestRestorableTime=True,
        DeletionProtection=True,
    )
    wait("db_instance_available", "protected")
    resource = instance("protected")["DbiResourceId"]
    last = {"FinalDBSnapshotIdentifier": "protected-last", "DeleteAutomatedBackups": False}

    with pytest.raises(botocore.exceptions.ClientError, match="Cannot delete protected DB Instance"):
        rds.delete_db_instance(DBInstanceIdentifier="protected", **last)
    rds.modify_db_instance(DBInstanceIdentifier="protected", DeletionProtection=False, ApplyImmediately=True)
    wait("db_instance_available", "protected")
    rds.delete_db_instance(DBInstanceIdentifier="protected", **last)
    wait("db_instance_deleted", "protected")

    (snapshot,) = rds.describe_db_snapshots(DBSnapshotIdentifier="protected-last")["DBSnapshots"]
    (kept,) = rds.describe_db_instance_automated_backups(DbiResourceId=resource)["DBInstanceAutomatedBackups"]
    assert (snapshot["Status"], kept["Status"]) == ("available", "retained")
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=kept["DBInstanceAutomatedBackupsArn"],
        TargetDBInstanceIdentifier="revived",
        UseLatestRestorableTime=True,
    )
    wait("db_instance_available", "revived")
    rds.delete_db_instance(DBInstanceIdentifier="revived", SkipFinalSnapshot=True)


def test_a_snapshot_is_taken_once_under_a_name(rds: Any, wait: Any) -> None:
    """It is there when the SDK's waiter says so."""
    rds.create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier="by-hand")
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="by-hand", WaiterConfig={"Delay": 1})
    wait("db_instance_available")

    with pytest.raises(rds.exceptions.DBSnapshotAlreadyExistsFault):
        rds.create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier="by-hand")


def test_a_new_password_counts_at_once(rds: Any, instance: Any, wait: Any, ask_at: Ask) -> None:
    """ModifyDBInstance sets it."""
    host = instance()["Endpoint"]["Address"]
    rds.modify_db_instance(DBInstanceIdentifier=NAME, MasterUserPassword="another-one", ApplyImmediately=True)
    wait("db_instance_available")

    with pytest.raises(Exception, match="password authentication failed"):
        ask_at(host, "SELECT 1")

    rds.modify_db_instance(DBInstanceIdentifier=NAME, MasterUserPassword="change-me", ApplyImmediately=True)
    wait("db_instance_available")
    assert ask_at(host, "SELECT 1") == [(1,)]


def test_a_fault_reaches_the_sdk_as_amazon_says_it(rds: Any, production: ControlPlaneClient) -> None:
    """Once; then all is well."""
    production.call("faults.add", type="api", operation="DescribeDBInstances", fault="throttle", cloud="aws")

    with pytest.raises(botocore.exceptions.ClientError, match="Throttling"):
        rds.describe_db_instances()
    rds.describe_db_instances()
