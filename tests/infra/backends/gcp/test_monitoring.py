"""Who is told what of a server on Cloud SQL, and how long its logs are kept."""

import json
from typing import Any

import pytest

BARE: dict[str, Any] = {"project": "example-project"}

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
ONCALL = {
    **BARE,
    "alerts": {"emails": ["oncall@example.com"], "channels": ["projects/example-project/notificationChannels/1"]},
}


def condition(recorded: Any, alarm: str, kind: str) -> dict[str, Any]:
    """The only condition of an alarm's policy."""
    (only,) = recorded.named(POLICY, f"adk-sessions-{alarm}").inputs["conditions"]
    found: dict[str, Any] = only[kind]
    return found


def test_every_alarm_goes_to_mail_and_to_the_existing_channel(provision: Any) -> None:
    """All of them, or somebody relies on one that nobody gets."""
    recorded = provision(backend="gcp", gcp=ONCALL)

    channel = recorded.one("gcp:monitoring/notificationChannel:NotificationChannel")
    assert channel.inputs["type"] == "email"
    assert channel.inputs["labels"] == {"email_address": "oncall@example.com"}
    for policy in recorded.of(POLICY):
        assert policy.inputs["notificationChannels"] == [
            "adk-sessions-oncall@example.com-id",
            "projects/example-project/notificationChannels/1",
        ]
        assert policy.inputs["documentation"]["content"], "what to do is in the mail"


def test_the_alarms_are_those_that_production_needs(provision: Any) -> None:
    """CPU, storage, memory, connections, failover, standby, backups; lag where there is a replica."""
    alone = {each.name.removeprefix("adk-sessions-") for each in provision(backend="gcp", gcp=ONCALL).of(POLICY)}
    replicated = provision(backend="gcp", gcp={**ONCALL, "read_replicas": 1}).of(POLICY)
    single = provision(backend="gcp", gcp={**ONCALL, "high_availability": False}).of(POLICY)

    assert alone == {
        "cpu",
        "memory",
        "storage",
        "connections",
        "down",
        "standby",
        "failover",
        "backup-failed",
        "backup-missing",
    }
    assert {each.name.removeprefix("adk-sessions-") for each in replicated} == alone | {"replica-lag"}
    assert {each.name.removeprefix("adk-sessions-") for each in single} == alone - {"standby"}


@pytest.mark.parametrize(
    ("alarm", "metric", "limit"),
    [
        ("cpu", "cpu/utilization", 0.8),
        ("memory", "memory/utilization", 0.9),
        ("storage", "disk/bytes_used", 200 * 2**30 * 0.85),
        ("connections", "postgresql/num_backends", 400 * 0.8),
    ],
)
def test_a_threshold_is_the_stack_files(provision: Any, alarm: str, metric: str, limit: float) -> None:
    """Storage is measured against the size it may grow to, connections against what the machine allows."""
    threshold = condition(provision(backend="gcp", gcp=ONCALL), alarm, "conditionThreshold")

    assert f'metric.type = "cloudsql.googleapis.com/database/{metric}"' in threshold["filter"]
    assert threshold["filter"].endswith('database_id = one_of("example-project:adk-sessions-g1-1f0c2ab")')
    assert threshold["thresholdValue"] == pytest.approx(limit)
    assert threshold["comparison"] == "COMPARISON_GT"


def test_connections_of_all_databases_count_together(provision: Any) -> None:
    """The metric has a series for each database, the limit is the server's."""
    (aggregation,) = condition(provision(backend="gcp", gcp=ONCALL), "connections", "conditionThreshold")[
        "aggregations"
    ]

    assert aggregation["crossSeriesReducer"] == "REDUCE_SUM"
    assert aggregation["groupByFields"] == ["resource.labels.database_id"]


def test_lag_is_the_replicas(provision: Any) -> None:
    """The primary is never behind itself."""
    threshold = condition(
        provision(backend="gcp", gcp={**ONCALL, "read_replicas": 2}), "replica-lag", "conditionThreshold"
    )

    assert threshold["thresholdValue"] == 60
    assert "adk-sessions-g1-replica-1-1f0c2ab" in threshold["filter"]
    assert "adk-sessions-g1-replica-2-1f0c2ab" in threshold["filter"]
    assert "adk-sessions-g1-1f0c2ab" not in threshold["filter"]


@pytest.mark.parametrize("alarm", ["down", "standby"])
def test_what_is_missing_is_told_too(provision: Any, alarm: str) -> None:
    """A server that is down, a standby that could not take over."""
    threshold = condition(provision(backend="gcp", gcp=ONCALL), alarm, "conditionThreshold")

    assert (threshold["comparison"], threshold["thresholdValue"]) == ("COMPARISON_LT", 1)


@pytest.mark.parametrize(
    ("alarm", "words"),
    [
        ("failover", ["cloudsql.instances.autoFailover", "cloudsql.instances.failover"]),
        ("backup-failed", ["cloudsql.instances.automatedBackup", "STATUS_FAILED", "STATUS_ATTEMPT_FAILED"]),
    ],
)
def test_events_are_read_from_the_audit_log(provision: Any, alarm: str, words: list[str]) -> None:
    """No metric tells them (Cloud SQL, "Cloud SQL audit logging"); a rate limit is obligatory there."""
    recorded = provision(backend="gcp", gcp=ONCALL)
    query = condition(recorded, alarm, "conditionMatchedLog")["filter"]

    assert all(word in query for word in words)
    assert 'resource.labels.database_id=("example-project:adk-sessions-g1-1f0c2ab")' in query
    strategy = recorded.named(POLICY, f"adk-sessions-{alarm}").inputs["alertStrategy"]
    assert strategy["notificationRateLimit"] == {"period": "3600s"}


def test_a_missing_backup_is_told_after_the_hours_of_the_stack_file(provision: Any) -> None:
    """A day that the query looks back, and then the rest; a new metric of logs is not waited for."""
    recorded = provision(backend="gcp", gcp={**ONCALL, "alerts": {"backup_age_hours": 30}})
    query = condition(recorded, "backup-missing", "conditionPrometheusQueryLanguage")

    assert query["query"] == (
        '(sum(increase(logging_googleapis_com:user_adk_sessions_backups_1f0c2ab{monitored_resource="cloudsql_database",'
        'database_id="example-project:adk-sessions-g1-1f0c2ab"}[24h])) or vector(0)) < 1'
    )
    assert query["duration"] == f"{6 * 3600}s"
    assert query["disableMetricValidation"]
    assert 'windowStatus="STATUS_SUCCEEDED"' in recorded.one("gcp:logging/metric:Metric").inputs["filter"]


def test_alarms_watch_every_generation(provision: Any) -> None:
    """The old one is still in use while the new one is looked at."""
    recorded = provision(backend="gcp", gcp={**ONCALL, "servers": [{"id": "g2"}, {"id": "g1"}]})

    assert condition(recorded, "cpu", "conditionThreshold")["filter"].endswith(
        'one_of("example-project:adk-sessions-g1-1f0c2ab","example-project:adk-sessions-g2-1f0c2ab")'
    )
    query = condition(recorded, "failover", "conditionMatchedLog")["filter"]
    assert '("example-project:adk-sessions-g1-1f0c2ab" OR "example-project:adk-sessions-g2-1f0c2ab")' in query


def test_nobody_is_told_where_alerts_are_off(provision: Any) -> None:
    """The dashboard stays: it tells only those who look."""
    recorded = provision(backend="gcp", gcp={**ONCALL, "alerts": {"enabled": False}})

    assert recorded.of(POLICY) == []
    assert recorded.of("gcp:logging/metric:Metric") == []
    assert recorded.one("gcp:monitoring/dashboard:Dashboard")


def test_the_dashboard_shows_what_alarms_are_about(provision: Any) -> None:
    """Tiles side by side that do not overlap, of these servers alone."""
    recorded = provision(backend="gcp", gcp={**ONCALL, "read_replicas": 1})
    layout = json.loads(recorded.one("gcp:monitoring/dashboard:Dashboard").inputs["dashboardJson"])

    tiles = layout["mosaicLayout"]["tiles"]
    queries = [
        data["timeSeriesQuery"]["timeSeriesFilter"]["filter"]
        for tile in tiles
        for data in tile["widget"]["xyChart"]["dataSets"]
    ]
    for metric in ("cpu/utilization", "memory/utilization", "disk/bytes_used", "postgresql/num_backends", "replica"):
        assert any(metric in query for query in queries)
    assert all("adk-sessions-g1-1f0c2ab" in query for query in queries)
    assert len({(tile["xPos"], tile["yPos"]) for tile in tiles}) == len(tiles)
    assert {tile["xPos"] for tile in tiles} == {0, 6}


def test_logs_are_kept_for_the_days_of_the_stack_file(provision: Any) -> None:
    """Servers' and replicas' together; the bucket's name is one that nobody had before."""
    recorded = provision(backend="gcp", gcp={**BARE, "log_retention_days": 90, "read_replicas": 1})

    bucket = recorded.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
    assert bucket["retentionDays"] == 90
    assert bucket["bucketId"] == "adk-sessions-g1-1f0c2ab"
    assert bucket["location"] == "us-central1"
    sink = recorded.one("gcp:logging/projectSink:ProjectSink").inputs
    assert sink["destination"] == "logging.googleapis.com/adk-sessions-g1-id"
    assert "example-project:adk-sessions-g1-1f0c2ab" in sink["filter"]
    assert "example-project:adk-sessions-g1-replica-1-1f0c2ab" in sink["filter"]
    assert sink["uniqueWriterIdentity"] is False
