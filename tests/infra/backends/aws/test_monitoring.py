"""Somebody is told before users are: alarms, events, a dashboard."""

import json
from collections.abc import Callable
from typing import Any

import pytest

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
EVENTS = "aws:rds/eventSubscription:EventSubscription"
TOPIC = "aws:sns/topic:Topic"
ONCALL = "arn:aws:sns:eu-west-1:123456789012:oncall"

Record = Callable[..., Any]


@pytest.fixture
def record(provision: Any) -> Record:
    """Records a stack with these keys of the section."""
    return lambda **keys: provision(backend="aws", aws=keys)


def alarms(recording: Any) -> dict[str, dict[str, Any]]:
    """The alarms' inputs by name."""
    return {each.name: each.inputs for each in recording.of(ALARM)}


@pytest.mark.parametrize(
    ("key", "metric", "operator", "threshold"),
    [
        ("cpu", "CPUUtilization", "GreaterThanThreshold", 80),
        ("storage", "FreeStorageSpace", "LessThanThreshold", 5 * 2**30),
        ("memory", "FreeableMemory", "LessThanThreshold", 0.1 * 8 * 2**30),
        ("connections", "DatabaseConnections", "GreaterThanThreshold", 663),
        ("ebs-bytes", "EBSByteBalance%", "LessThanThreshold", 20),
        ("ebs-io", "EBSIOBalance%", "LessThanThreshold", 20),
        ("wraparound", "MaximumUsedTransactionIDs", "GreaterThanThreshold", 1_000_000_000),
    ],
)
def test_a_server_is_watched(record: Record, key: str, metric: str, operator: str, threshold: float) -> None:
    """Thresholds follow from the machine, the volume and the percentages of the stack file."""
    alarm = alarms(record())[f"adk-sessions-g1-{key}"]

    assert (alarm["metricName"], alarm["namespace"]) == (metric, "AWS/RDS")
    assert (alarm["comparisonOperator"], alarm["threshold"]) == (operator, pytest.approx(threshold))
    assert alarm["dimensions"] == {"DBInstanceIdentifier": "adk-sessions-g1-0a1b2c3d"}
    assert alarm["alarmActions"] == alarm["okActions"] == ["arn:aws:sns:eu-west-1:123456789012:adk-sessions-alerts"]


def test_storage_is_watched_against_what_it_may_grow_to(record: Record) -> None:
    """Free bytes do not say how far a volume has grown; the bytes in use do, whatever its size is by now."""
    made = record(storage={"size_gib": 100, "max_gib": 1000}, alerts={"storage_percent": 80})
    alarm = alarms(made)["adk-sessions-g1-storage-cap"]
    (query,) = alarm["metricQueries"]

    assert query["expression"] == "DB_PERF_INSIGHTS('RDS', 'db-ADK-SESSIONS-G1', 'os.fileSys.used.avg')"
    assert (query["returnData"], query["period"]) == (True, 300)
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanThreshold", 800 * 2**20), "in KiB"
    assert "of the 1000 GiB that storage may grow to" in alarm["alarmDescription"]
    assert not {"metricName", "namespace", "dimensions", "statistic", "period"} & alarm.keys(), "CloudWatch takes one"


def test_storage_that_grows_is_no_alarm_and_growth_that_does_not_come_is_one(record: Record) -> None:
    """RDS grows a volume once less than a tenth of it is free, so no healthy one gets to half of that."""
    grows = alarms(record(storage={"size_gib": 100, "max_gib": 1000}))["adk-sessions-g1-storage"]
    fixed = alarms(record(storage={"size_gib": 100, "max_gib": 0}))

    assert grows["threshold"] == 5 * 2**30
    assert fixed["adk-sessions-g1-storage"]["threshold"] == 15 * 2**30, "85 percent of a size that stays"
    assert "adk-sessions-g1-storage-cap" not in fixed


@pytest.mark.parametrize("keys", [{"query_insights": False}, {"monitoring_interval": 0}])
def test_without_what_counts_the_used_bytes_rds_tells_of_the_limit_itself(record: Record, keys: dict[str, Any]) -> None:
    """Growth that would reach the maximum is a failure, 80 percent of it a notification, 90 percent in use is low."""
    made = record(**keys)
    (told,) = [each for each in made.of(EVENTS) if each.name == "adk-sessions-alerts"]

    assert "adk-sessions-g1-storage-cap" not in alarms(made)
    assert {"failure", "notification", "low storage"} <= set(told.inputs["eventCategories"])


def test_rds_may_publish_before_it_is_asked_to(record: Record) -> None:
    """It tries the topic when a subscription is made, and nothing else puts the two in order."""
    for each in record().of(EVENTS):
        assert any("sns/topicPolicy:TopicPolicy" in urn for urn in each.dependencies), each.name


def test_connections_are_watched_against_what_the_machine_really_allows(record: Record) -> None:
    """LEAST(memory/9531392, 5000) promises 8 % more than there is; the alarm is at 80 % of the rest."""
    small = alarms(record(instance_class="db.t4g.medium"))["adk-sessions-g1-connections"]["threshold"]
    huge = alarms(record(instance_class="db.r8g.48xlarge"))["adk-sessions-g1-connections"]["threshold"]

    assert small == int(4 * 2**30 * 0.92 / 9_531_392) * 80 // 100
    assert huge == 4000


def test_cpu_credits_are_watched_where_there_are_any(record: Record) -> None:
    """Of a burstable machine alone."""
    assert "adk-sessions-g1-cpu-credits" in alarms(record(instance_class="db.t4g.medium"))
    assert "adk-sessions-g1-cpu-credits" not in alarms(record())


def test_replicas_are_watched_for_their_lag(record: Record) -> None:
    """And the primary, which has none, is not."""
    made = alarms(record(read_replicas=1, alerts={"replication_lag_seconds": 120}))

    assert made["adk-sessions-g1-r1-lag"]["threshold"] == 120
    assert made["adk-sessions-g1-r1-lag"]["dimensions"] == {"DBInstanceIdentifier": "adk-sessions-g1-0a1b2c3d-r1"}
    assert "adk-sessions-g1-lag" not in made
    assert "adk-sessions-g1-r1-wraparound" not in made


def test_a_missing_backup_is_told_after_so_many_hours_without_one(record: Record) -> None:
    """RDS says when a backup begins and ends, never that there was none: silence is the alarm."""
    made = record(alerts={"backup_age_hours": 48})
    alarm = alarms(made)["adk-sessions-g1-backup"]
    (counter,) = [each for each in made.of(EVENTS) if each.inputs["eventCategories"] == ["backup"]]

    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/SNS", "NumberOfMessagesPublished")
    assert alarm["dimensions"] == {"TopicName": "adk-sessions-g1-backup-1a2b3c4"}
    assert (alarm["period"], alarm["evaluationPeriods"], alarm["treatMissingData"]) == (3600, 48, "breaching")
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert counter.inputs["snsTopic"].endswith(":adk-sessions-g1-backup")
    assert counter.inputs["sourceIds"] == ["adk-sessions-g1-0a1b2c3d"]


def test_without_backups_none_is_missed(record: Record) -> None:
    """Nor on a replica, which has none of its own."""
    made = alarms(record(high_availability=False, backup={"retention_days": 0}))

    assert not [name for name in made if name.endswith("-backup")]
    assert "adk-sessions-g1-r1-backup" not in alarms(record(read_replicas=1))


@pytest.mark.parametrize("category", ["failover", "failure", "maintenance", "low storage", "deletion", "availability"])
def test_what_happens_to_a_server_is_told(record: Record, category: str) -> None:
    """Of every server and replica, and of no other in the account."""
    (told,) = [each for each in record(read_replicas=1).of(EVENTS) if each.name == "adk-sessions-alerts"]

    assert category in told.inputs["eventCategories"]
    assert told.inputs["sourceType"] == "db-instance"
    assert told.inputs["sourceIds"] == ["adk-sessions-g1-0a1b2c3d", "adk-sessions-g1-0a1b2c3d-r1"]


def test_people_are_told_by_mail(record: Record) -> None:
    """Each of them, through a topic that CloudWatch and RDS of this account may publish to."""
    made = record(alerts={"emails": ["a@example.com", "b@example.com"]})
    told = made.of("aws:sns/topicSubscription:TopicSubscription")

    assert {each.inputs["endpoint"] for each in told} == {"a@example.com", "b@example.com"}
    assert {each.inputs["topic"] for each in told} == {"arn:aws:sns:eu-west-1:123456789012:adk-sessions-alerts"}
    for policy in made.of("aws:sns/topicPolicy:TopicPolicy"):
        (statement,) = json.loads(policy.inputs["policy"])["Statement"]
        assert statement["Principal"]["Service"] == ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_an_existing_topic_is_told_and_none_is_made_beside_it(record: Record) -> None:
    """But for those that count backups, which nobody listens to."""
    made = record(alerts={"channels": [ONCALL]})

    assert {tuple(each["alarmActions"]) for each in alarms(made).values()} == {(ONCALL,)}
    assert [each.inputs["tags"] for each in made.of(TOPIC)] == [{"purpose": "counter"}]
    assert ONCALL in [each.inputs["snsTopic"] for each in made.of(EVENTS)]


def test_mail_and_existing_topics_are_both_told(record: Record) -> None:
    """Each topic with events of its own."""
    made = record(alerts={"channels": [ONCALL], "emails": ["a@example.com"]})
    own = "arn:aws:sns:eu-west-1:123456789012:adk-sessions-alerts"

    assert alarms(made)["adk-sessions-g1-cpu"]["alarmActions"] == [own, ONCALL]
    assert {own, ONCALL} < {each.inputs["snsTopic"] for each in made.of(EVENTS)}


def test_nobody_is_told_where_alerts_are_off(record: Record) -> None:
    """The dashboard stays."""
    made = record(alerts={"enabled": False})

    assert not made.of(ALARM)
    assert not made.of(TOPIC)
    assert not made.of(EVENTS)
    assert made.of("aws:cloudwatch/dashboard:Dashboard")


def test_the_dashboard_shows_every_instance_with_its_region(record: Record) -> None:
    """Named after the stack: one of the same name would be overwritten without a word."""
    made = record(read_replicas=1, replica_region="eu-central-1").one("aws:cloudwatch/dashboard:Dashboard")
    (cpu, *others) = json.loads(made.inputs["dashboardBody"])["widgets"]

    assert made.inputs["dashboardName"] == "adk-sessions-stack"
    assert [(each[3], each[4]["region"]) for each in cpu["properties"]["metrics"]] == [
        ("adk-sessions-g1-0a1b2c3d", "eu-west-1"),
        ("adk-sessions-g1-0a1b2c3d-r1", "eu-west-1"),
        ("adk-sessions-g1-0a1b2c3d-copy", "eu-central-1"),
    ]
    assert {each["properties"]["metrics"][0][1] for each in others} >= {"FreeStorageSpace", "ReplicaLag"}
