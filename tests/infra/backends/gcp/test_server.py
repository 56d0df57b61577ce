"""One generation on Cloud SQL: the instance, its settings, its replicas, and servers that come from elsewhere."""

from typing import Any

import pytest

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"
USER = "gcp:sql/user:User"

BARE: dict[str, Any] = {"project": "example-project"}

ADOPTED = {"id": "g1", "adopt": "projects/example-project/instances/sessions"}


def flags(server: Any) -> dict[str, str]:
    """The database flags by name."""
    return {flag["name"]: flag["value"] for flag in server.inputs["settings"]["databaseFlags"]}


def test_the_flags_are_what_adk_needs(provision: Any) -> None:
    """UTC, since ADK stores moments without a zone; connections logged; statements that end."""
    set_ = flags(provision(backend="gcp", gcp=BARE).one(INSTANCE))

    assert set_["timezone"] == "UTC"
    assert set_["log_connections"] == set_["log_disconnections"] == "on"
    assert set_["statement_timeout"] == "60000"
    assert set_["idle_in_transaction_session_timeout"] == "300000"
    assert set_["max_connections"] == "400", "what the alarm and preflight reckon with"
    assert "cloudsql.iam_authentication" not in set_


def test_parameters_of_the_stack_file_win_over_defaults(provision: Any) -> None:
    """Defaults are defaults; what a promise rests on is refused before (`infra.preflight.common`)."""
    parameters = {"statement_timeout": "5000", "log_min_duration_statement": "500"}
    set_ = flags(provision(backend="gcp", gcp={**BARE, "parameters": parameters}).one(INSTANCE))

    assert set_["statement_timeout"] == "5000"
    assert set_["log_min_duration_statement"] == "500"


@pytest.mark.parametrize(("day", "number"), [("monday", 1), ("sunday", 7)])
def test_the_maintenance_window_is_the_stack_files(provision: Any, day: str, number: int) -> None:
    """Cloud SQL counts days from Monday, 1."""
    keys = {**BARE, "maintenance": {"day": day, "hour": 22}}
    window = provision(backend="gcp", gcp=keys).one(INSTANCE).inputs["settings"]["maintenanceWindow"]

    assert window == {"day": number, "hour": 22, "updateTrack": "stable"}


def test_a_period_without_maintenance_is_passed_on(provision: Any) -> None:
    """Such as the weeks in which a shop earns its money."""
    keys = {**BARE, "deny_maintenance": {"start": "11-20", "end": "12-02"}}
    period = provision(backend="gcp", gcp=keys).one(INSTANCE).inputs["settings"]["denyMaintenancePeriod"]

    assert period == {"startDate": "11-20", "endDate": "12-02", "time": "00:00:00"}


def test_query_insights_leave_client_addresses_out(provision: Any) -> None:
    """Slow queries are worth recording, and who sent them is personal data."""
    insights = provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["settings"]["insightsConfig"]

    assert insights["queryInsightsEnabled"]
    assert not insights["recordClientAddress"]
    switched_off = provision(backend="gcp", gcp={**BARE, "query_insights": False}).one(INSTANCE).inputs["settings"]
    assert "insightsConfig" not in switched_off


def test_backups_are_where_and_when_the_stack_file_says(provision: Any) -> None:
    """Window, number and place."""
    backup = {"window": "22:30", "retention_days": 60, "copy_region": "eu"}
    made = (
        provision(backend="gcp", gcp={**BARE, "backup": backup}).one(INSTANCE).inputs["settings"]["backupConfiguration"]
    )

    assert made["startTime"] == "22:30"
    assert made["location"] == "eu"
    assert made["backupRetentionSettings"] == {"retainedBackups": 60, "retentionUnit": "COUNT"}


def test_a_server_without_a_standby_may_go_without_pitr(provision: Any) -> None:
    """A laptop's experiment."""
    keys = {**BARE, "high_availability": False, "backup": {"pitr_days": 0}}
    settings = provision(backend="gcp", gcp=keys).one(INSTANCE).inputs["settings"]

    assert settings["availabilityType"] == "ZONAL"
    assert settings["backupConfiguration"]["pointInTimeRecoveryEnabled"] is False
    assert "transactionLogRetentionDays" not in settings["backupConfiguration"]


def test_a_final_backup_can_be_done_without(provision: Any) -> None:
    """A retention without a backup is refused by the API."""
    instance = provision(backend="gcp", gcp={**BARE, "backup": {"final": False}}).one(INSTANCE)

    assert instance.inputs["settings"]["finalBackupConfig"] == {"enabled": False}
    assert "finalBackupDescription" not in instance.inputs


@pytest.mark.parametrize(
    ("tier", "disk"), [("db-perf-optimized-N-2", "PD_SSD"), ("db-c4a-highmem-4", "HYPERDISK_BALANCED")]
)
def test_a_machine_has_the_disk_that_it_can_have(provision: Any, tier: str, disk: str) -> None:
    """C4A takes no persistent disk (Cloud SQL, "Machine series overview")."""
    keys = {**BARE, "edition": "ENTERPRISE_PLUS", "tier": tier}

    assert provision(backend="gcp", gcp=keys).one(INSTANCE).inputs["settings"]["diskType"] == disk


def test_generated_passwords_pass_the_password_policy(provision: Any) -> None:
    """A rule of complexity asks for punctuation, which passwords in URIs go without."""
    keys = {**BARE, "password_policy": True}
    policy = provision(backend="gcp", gcp=keys).one(INSTANCE).inputs["settings"]["passwordValidationPolicy"]

    assert policy["enablePasswordPolicy"]
    assert policy["minLength"] <= 40
    assert "complexity" not in policy


def test_replicas_follow_the_primary(provision: Any) -> None:
    """By count in the same region, and one more in another: same flags and no backups."""
    recorded = provision(backend="gcp", gcp={**BARE, "read_replicas": 2, "replica_region": "us-east1"})

    primary = recorded.named(INSTANCE, "adk-sessions-g1")
    replicas = [each for each in recorded.of(INSTANCE) if "masterInstanceName" in each.inputs]
    assert sorted((each.name, each.inputs["region"]) for each in replicas) == [
        ("adk-sessions-g1-replica-1", "us-central1"),
        ("adk-sessions-g1-replica-2", "us-central1"),
        ("adk-sessions-g1-replica-us-east1", "us-east1"),
    ]
    for replica in replicas:
        assert replica.inputs["masterInstanceName"] == "adk-sessions-g1-1f0c2ab"
        assert flags(replica) == flags(primary), "max_connections of a replica may not be less than the primary's"
        assert "backupConfiguration" not in replica.inputs["settings"]
    near = [each for each in replicas if each.inputs["region"] == "us-central1"]
    assert not any(each.protect for each in near), "their number can be lowered by one edit"
    assert not any(each.inputs["deletionProtection"] for each in near)


def test_a_fresh_server_has_the_database_and_its_owner(provision: Any) -> None:
    """One after the other: Cloud SQL does one thing at a time."""
    recorded = provision(backend="gcp", gcp=BARE)

    assert recorded.one(DATABASE).inputs["name"] == "adk_sessions"
    owner = recorded.one(USER)
    assert owner.inputs["name"] == "adk_owner"
    assert any("sql/database:Database" in urn for urn in owner.dependencies)


def test_a_restored_server_brings_its_database_along(provision: Any) -> None:
    """Making it again would fail; the owner's password is set again, which the API takes."""
    servers = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers})

    assert [each.name for each in recorded.of(DATABASE)] == ["adk-sessions-g1"]
    assert sorted(each.name for each in recorded.of(USER)) == ["adk-sessions-g1-owner", "adk-sessions-g2-owner"]


def test_the_latest_moment_is_no_moment(provision: Any) -> None:
    """A clone without a point in time is of the source as it is."""
    servers = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers})

    assert "pointInTime" not in recorded.named(INSTANCE, "adk-sessions-g2").inputs["clone"]


def test_servers_are_made_in_the_order_of_their_origins(provision: Any) -> None:
    """Whatever their order in the stack file."""
    servers = [{"id": "g2", "restore": {"from": "g1", "time": "latest"}}, {"id": "g1"}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers})

    clone = recorded.named(INSTANCE, "adk-sessions-g2").inputs["clone"]
    assert clone["sourceInstanceName"] == "adk-sessions-g1-1f0c2ab"


def test_a_source_that_was_dropped_is_missed_by_name_where_it_is_needed(provision: Any) -> None:
    """A server that is there ignores it; a new one must not come up empty."""
    servers = [{"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    instance = provision(backend="gcp", gcp={**BARE, "servers": servers, "active": "g2"}).one(INSTANCE)

    assert instance.inputs["clone"]["sourceInstanceName"] == "adk-sessions-g1-is-not-in-the-list-of-servers"


def test_an_adopted_server_is_taken_as_it_is(provision: Any) -> None:
    """An import fails wherever an input differs from what is there, and inputs that are never read back always do."""
    recorded = provision(backend="gcp", gcp={**BARE, "servers": [ADOPTED]})

    instance = recorded.one(INSTANCE)
    assert instance.import_id == "projects/example-project/instances/sessions"
    assert instance.inputs["name"] == "sessions"
    assert {"settings", "encryptionKeyName", "deletionProtection"} <= set(instance.ignore_changes)
    assert "finalBackupDescription" not in instance.inputs
    assert "includeReplicasForMajorVersionUpgrade" not in instance.inputs
    database = recorded.one(DATABASE)
    assert database.import_id == "projects/example-project/instances/sessions/databases/adk_sessions"
    assert "deletionPolicy" not in database.inputs


def test_an_adopted_server_keeps_its_name_when_the_stack_file_takes_it_over(provision: Any) -> None:
    """Without `adopt` no name is given, and a generated one would replace the server."""
    instance = provision(backend="gcp", gcp=BARE).one(INSTANCE)

    assert "name" in instance.ignore_changes
    assert "settings" not in instance.ignore_changes, "from then on its settings are the stack file's"


def test_a_generation_has_its_own_major_version(provision: Any) -> None:
    """An upgrade beside the old server."""
    servers = [{"id": "g1"}, {"id": "g2", "version": 18}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers})

    assert recorded.named(INSTANCE, "adk-sessions-g1").inputs["databaseVersion"] == "POSTGRES_17"
    assert recorded.named(INSTANCE, "adk-sessions-g2").inputs["databaseVersion"] == "POSTGRES_18"


def test_replicas_are_upgraded_together_with_the_primary(provision: Any) -> None:
    """Cloud SQL refuses a major upgrade of a server with replicas otherwise."""
    assert provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["includeReplicasForMajorVersionUpgrade"]
