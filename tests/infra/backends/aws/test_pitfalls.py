"""Every known pitfall of a production program on Amazon RDS, one test each; preflight has its own tests."""

from collections.abc import Callable
from typing import Any

import pytest

INSTANCE = "aws:rds/instance:Instance"
GROUP = "aws:rds/parameterGroup:ParameterGroup"

RESTORED: dict[str, Any] = {
    "servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
}

Record = Callable[..., Any]


@pytest.fixture
def record(provision: Any) -> Record:
    """Records a stack with these keys of the section."""

    def run(profile: str = "prod", **keys: Any) -> Any:
        return provision(backend="aws", profile=profile, aws=keys)

    return run


def server(recording: Any, name: str = "adk-sessions-g1") -> Any:
    """The instance of this name."""
    (found,) = [each for each in recording.of(INSTANCE) if each.name == name]
    return found


def test_the_providers_unsafe_defaults_are_all_overridden(record: Record) -> None:
    """No backups, no encryption, no protection, backups deleted with the server: none of it by default."""
    made = server(record())

    assert made.inputs["backupRetentionPeriod"] == 14
    assert made.inputs["storageEncrypted"] is True
    assert made.inputs["deletionProtection"] is True
    assert made.inputs["deleteAutomatedBackups"] is False
    assert made.inputs["skipFinalSnapshot"] is False
    assert made.inputs["copyTagsToSnapshot"] is True
    assert made.inputs["multiAz"] is True
    assert made.inputs["publiclyAccessible"] is False
    assert made.protect


@pytest.mark.parametrize("profile", ["dev", "staging", "prod"])
def test_storage_is_encrypted_in_every_profile(record: Record, profile: str) -> None:
    """It costs nothing and cannot be turned on later."""
    assert server(record(profile)).inputs["storageEncrypted"] is True


def test_extended_support_is_not_paid_for_by_accident(record: Record) -> None:
    """RDS enrols every server that does not say otherwise."""
    assert server(record()).inputs["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"


def test_a_final_snapshot_is_named_after_the_life_of_the_server(record: Record) -> None:
    """A fixed name collides on the second destroy, and none at all makes destroy fail (pulumi/pulumi-aws#2020)."""
    made = server(record())
    life = record().one("random:index/randomId:RandomId")

    assert made.inputs["finalSnapshotIdentifier"] == "adk-sessions-g1-0a1b2c3d-final"
    assert life.inputs["byteLength"] == 4
    assert life.inputs["keepers"] == {"generation": "g1", "from": ""}


def test_a_life_is_not_another_one_when_only_the_prefix_of_names_changes(record: Record) -> None:
    """A new prefix would rename the server, and with it its endpoint."""
    before, after = record(), record(server_prefix="other")

    assert [each.name for each in after.of(INSTANCE)] == [each.name for each in before.of(INSTANCE)]
    assert set(after.one("random:index/randomId:RandomId").ignore_changes) == {"prefix", "keepers"}


def test_the_final_snapshot_can_be_left_out(record: Record) -> None:
    """Of a server for a day."""
    made = server(record("dev", backup={"final": False}))

    assert made.inputs["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in made.inputs


def test_replicas_have_no_final_snapshot(record: Record) -> None:
    """RDS refuses to delete a replica that has one."""
    replica = server(record(read_replicas=1), "adk-sessions-g1-r1")

    assert replica.inputs["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in replica.inputs


def test_replicas_take_nothing_that_only_a_primary_has(record: Record) -> None:
    """The provider refuses them beside replicateSourceDb."""
    replica = server(record(read_replicas=1), "adk-sessions-g1-r1")

    assert replica.inputs["replicateSourceDb"] == "adk-sessions-g1-0a1b2c3d"
    only = {"engine", "engineVersion", "username", "password", "dbName", "allocatedStorage", "dbSubnetGroupName"}
    assert not only & replica.inputs.keys()


def test_replicas_are_made_by_count(record: Record) -> None:
    """As many as the stack file says, and none is protected, so that the number can go down."""
    replicas = [each for each in record(read_replicas=3).of(INSTANCE) if "replicateSourceDb" in each.inputs]

    assert {each.name for each in replicas} == {f"adk-sessions-g1-r{number}" for number in (1, 2, 3)}
    assert not any(each.protect for each in replicas)


@pytest.mark.parametrize("version", [15, 16, 17, 18])
def test_only_the_major_version_is_stated_and_minor_ones_come_by_themselves(record: Record, version: int) -> None:
    """A stated minor version makes every later `up` try a downgrade, which fails."""
    made = server(record(version=version))

    assert made.inputs["engineVersion"] == str(version)
    assert made.inputs["autoMinorVersionUpgrade"] is True


def test_a_major_upgrade_happens_only_where_a_generation_states_it(record: Record) -> None:
    """A changed default upgrades nothing that is there; stated, it happens at once and not half at the window."""
    section = server(record(version=18))
    stated = server(record(servers=[{"id": "g1", "version": 18}]))
    pinned = server(record(version=18, servers=[{"id": "g1", "version": 17}]))

    assert [each.inputs["allowMajorVersionUpgrade"] for each in (section, stated, pinned)] == [False, True, False]
    assert [each.inputs["applyImmediately"] for each in (section, stated, pinned)] == [False, True, False]


def test_a_major_version_has_a_parameter_group_of_its_own_family_made_before_the_old_one_goes(record: Record) -> None:
    """Without a name of ours the engine names it anew, so that the new one can be there beside the old one."""
    (before,), (after,) = record().of(GROUP), record(servers=[{"id": "g1", "version": 18}]).of(GROUP)

    assert (before.inputs["family"], after.inputs["family"]) == ("postgres17", "postgres18")
    assert before.name == after.name
    assert "name" not in after.inputs
    assert not after.delete_before_replace


def test_whether_a_change_waits_for_the_window_is_a_setting(record: Record) -> None:
    """By default nothing interrupts outside of it."""
    assert server(record()).inputs["applyImmediately"] is False
    assert server(record(apply_immediately=True)).inputs["applyImmediately"] is True


def test_static_parameters_wait_for_a_restart(record: Record) -> None:
    """RDS refuses them otherwise."""
    group = record(parameters={"max_worker_processes": "16", "work_mem": "65536"}).one(GROUP)
    methods = {each["name"]: each["applyMethod"] for each in group.inputs["parameters"]}

    assert methods["max_worker_processes"] == "pending-reboot"
    assert methods["work_mem"] == "immediate"
    assert methods["rds.force_ssl"] == "immediate"


@pytest.mark.parametrize("version", [15, 18])
def test_tls_is_enforced_by_the_server_in_every_version(record: Record, version: int) -> None:
    """The default group says so only from 15 on, and a restored server may come with another group."""
    group = record(version=version).one(GROUP)

    assert {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"} in group.inputs["parameters"]


def test_the_parameters_that_adk_needs_are_set(record: Record) -> None:
    """UTC, connection logs and an end to forgotten transactions; max_connections is RDS's own."""
    values = {each["name"]: each["value"] for each in record().one(GROUP).inputs["parameters"]}

    assert values["timezone"] == "UTC"
    assert (values["log_connections"], values["log_disconnections"]) == ("1", "1")
    assert int(values["idle_in_transaction_session_timeout"]) == 300_000
    assert int(values["statement_timeout"]) == 600_000
    assert "max_connections" not in values


def test_clients_verify_the_server_by_the_bundle_of_rds(record: Record) -> None:
    """The CA is of AWS's own, in no machine's store: the record says where it is."""
    made = record(ca_file="/etc/ssl/rds.pem")

    assert made.outputs["session_db_uri"].endswith("?sslmode=verify-full&sslrootcert=/etc/ssl/rds.pem")
    assert made.outputs["ca_certificate"] == "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
    assert server(made).inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"


@pytest.mark.parametrize(
    ("region", "bundle"),
    [
        ("cn-north-1", "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem"),
        ("us-gov-east-1", "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem"),
    ],
)
def test_other_partitions_have_bundles_of_their_own(record: Record, region: str, bundle: str) -> None:
    """China and GovCloud sign with other CAs."""
    assert record(region=region).outputs["ca_certificate"] == bundle


def test_the_ca_is_rotated_by_one_setting(record: Record) -> None:
    """Independently of everything else."""
    assert server(record(ca="rds-ca-ecc384-g1")).inputs["caCertIdentifier"] == "rds-ca-ecc384-g1"


def test_a_password_that_rds_keeps_is_nowhere_in_the_program(record: Record) -> None:
    """RDS refuses a password beside its own, and a URI with one would be dead within a week."""
    made = record(manage_master_password=True)
    inputs = server(made).inputs

    assert inputs["manageMasterUserPassword"] is True
    assert "password" not in inputs
    assert made.outputs["admin_db_uri"].startswith("postgresql+psycopg://adk_owner@")
    assert not [each for each in made.resources if each.name.endswith("-owner")]
    assert "rotate-secret --region eu-west-1 --secret-id arn:aws:secretsmanager" in made.outputs["runbook"]["rotate"]


def test_a_password_of_ours_is_not_rotated_by_rds(record: Record) -> None:
    """Whoever makes it rotates it: one config change."""
    inputs = server(record()).inputs

    assert "manageMasterUserPassword" not in inputs
    assert "change-me" in str(inputs["password"])


def test_restore_inputs_are_ignored_once_a_server_is_made(record: Record) -> None:
    """Their removal would replace the database (hashicorp/terraform-provider-aws#34522)."""
    recording = record(**RESTORED)

    for name in ("adk-sessions-g1", "adk-sessions-g2"):
        assert set(server(recording, name).ignore_changes) == {"identifier", "restoreToPointInTime"}


def test_a_server_is_restored_from_another_ones_backups(record: Record) -> None:
    """Beside it, with all that a restore does not carry over: security group, parameter group, log groups."""
    restored = server(record(**RESTORED), "adk-sessions-g2")

    assert restored.inputs["restoreToPointInTime"] == {
        "sourceDbInstanceIdentifier": "adk-sessions-g1-0a1b2c3d",
        "restoreTime": "2026-11-23T17:05:00Z",
    }
    assert restored.inputs["identifier"] == "adk-sessions-g2-0a1b2c3d"
    assert restored.inputs["parameterGroupName"] == "adk-sessions-g2-1a2b3c4"
    assert restored.inputs["vpcSecurityGroupIds"] == ["adk-sessions-id"]
    assert "dbName" not in restored.inputs


def test_the_latest_moment_is_a_flag(record: Record) -> None:
    """RDS takes one of the two words."""
    latest = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    restored = server(record(servers=latest), "adk-sessions-g2").inputs["restoreToPointInTime"]

    assert restored["useLatestRestorableTime"] is True
    assert "restoreTime" not in restored


def test_a_server_whose_source_is_gone_keeps_its_inputs_and_a_new_one_is_never_made_empty(record: Record) -> None:
    """What is there ignores the input; for a new one RDS knows no such source and refuses."""
    alone = [{"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
    restored = server(record(servers=alone, active="g2"), "adk-sessions-g2")

    assert restored.inputs["restoreToPointInTime"]["sourceDbInstanceIdentifier"] == "adk-sessions-g1-is-not-there"


def test_a_server_is_restored_from_the_retained_backups_of_a_deleted_one(record: Record) -> None:
    """The backups outlive the server, and their ARN is what leads to them."""
    arn = "arn:aws:rds:eu-west-1:123456789012:auto-backup:ab-1a2b3c4d"
    alone = [{"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
    recording = record(servers=alone, active="g2", backup={"retained": {"g1": arn}})
    restored = server(recording, "adk-sessions-g2").inputs["restoreToPointInTime"]

    assert restored["sourceDbInstanceAutomatedBackupsArn"] == arn
    assert "sourceDbInstanceIdentifier" not in restored


def test_switching_the_active_server_moves_the_uri_and_touches_no_server(record: Record) -> None:
    """One word in the stack file."""
    before, after = record(**RESTORED), record(**RESTORED, active="g2")

    assert "@adk-sessions-g1-" in before.outputs["session_db_uri"]
    assert "@adk-sessions-g2-" in after.outputs["session_db_uri"]
    assert plain(before, INSTANCE) == plain(after, INSTANCE)


def test_dropping_a_restored_servers_source_changes_only_what_is_ignored(record: Record) -> None:
    """The retired one goes, after its final snapshot; the other stays as it is."""
    both = record(**RESTORED, active="g2")
    alone = record(servers=[{"id": "g2"}], active="g2")
    before, after = server(both, "adk-sessions-g2"), server(alone, "adk-sessions-g2")

    different = {key for key in before.inputs | after.inputs if before.inputs.get(key) != after.inputs.get(key)}
    assert different == {"restoreToPointInTime", "dbName"}, "the engine keeps the keepers, hence no dbName"


def test_how_a_server_came_to_be_is_kept_where_edits_are_ignored(record: Record) -> None:
    """RDS takes no database name with a restore, also when the stack file says nothing of the restore any more."""
    lives = {each.name: each for each in record(**RESTORED).of("random:index/randomId:RandomId")}

    assert lives["adk-sessions-g2"].inputs["keepers"] == {"generation": "g2", "from": "g1"}
    assert "keepers" in lives["adk-sessions-g2"].ignore_changes


def test_an_adopted_server_is_imported_and_left_as_it_is(record: Record) -> None:
    """Until the line is taken out of the stack file."""
    adopted = server(record(servers=[{"id": "g1", "adopt": "sessions-prod"}]))

    assert adopted.import_id == "sessions-prod"
    assert adopted.inputs["identifier"] == "sessions-prod"
    assert {"password", "instanceClass", "kmsKeyId", "engineVersion", "skipFinalSnapshot"} <= set(
        adopted.ignore_changes
    )
    assert adopted.inputs.keys() <= set(adopted.ignore_changes)
    assert adopted.protect


def test_a_failover_leaves_no_drift(record: Record) -> None:
    """The zones swap; nothing here says which one is whose."""
    assert "availabilityZone" not in server(record()).inputs


def test_storage_grows_by_itself_up_to_a_cap_without_drift(record: Record) -> None:
    """The provider suppresses growth where the cap is above the stated size; a raised size is still a change."""
    made = server(record())

    assert made.inputs["maxAllocatedStorage"] > made.inputs["allocatedStorage"]
    assert "allocatedStorage" not in made.ignore_changes


def test_growth_can_be_turned_off(record: Record) -> None:
    """Zero is not a cap of zero."""
    assert "maxAllocatedStorage" not in server(record(storage={"max_gib": 0})).inputs


@pytest.mark.parametrize(
    ("storage", "iops", "throughput"),
    [
        ({"size_gib": 399, "max_gib": 500}, None, None),
        ({"size_gib": 400, "max_gib": 500}, 12_000, 500),
        ({"size_gib": 400, "max_gib": 500, "iops": 20_000, "throughput": 1_000}, 20_000, 1_000),
    ],
)
def test_a_volume_states_its_baseline_from_400_gib_on(
    record: Record, storage: dict[str, int], iops: int | None, throughput: int | None
) -> None:
    """Below RDS takes neither; above the smaller one's would be kept (hashicorp/terraform-provider-aws#28382)."""
    inputs = server(record(storage=storage)).inputs

    assert inputs["storageType"] == "gp3"
    assert (inputs.get("iops"), inputs.get("storageThroughput")) == (iops, throughput)


def test_logs_have_groups_with_a_retention_before_the_server_writes(record: Record) -> None:
    """RDS would make them itself, and keep them for ever."""
    recording = record(log_retention_days=60)
    groups = {
        each.inputs["name"]: each.inputs["retentionInDays"] for each in recording.of("aws:cloudwatch/logGroup:LogGroup")
    }

    assert groups == {f"/aws/rds/instance/adk-sessions-g1-0a1b2c3d/{log}": 60 for log in ("postgresql", "upgrade")}
    assert server(recording).inputs["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert any("logGroup:LogGroup::adk-sessions-g1-postgresql" in each for each in server(recording).dependencies)


def test_database_insights_take_a_mode_only_where_it_is_not_the_default(record: Record) -> None:
    """A restore ignores the mode (hashicorp/terraform-provider-aws#47742); advanced wants 465 days."""
    plain_mode = server(record()).inputs
    advanced = server(record(insights_mode="advanced", insights_retention_days=465)).inputs
    off = server(record(query_insights=False)).inputs

    assert (plain_mode["performanceInsightsRetentionPeriod"], plain_mode.get("databaseInsightsMode")) == (7, None)
    assert (advanced["performanceInsightsRetentionPeriod"], advanced["databaseInsightsMode"]) == (465, "advanced")
    assert off["performanceInsightsEnabled"] is False
    assert "performanceInsightsRetentionPeriod" not in off


def test_enhanced_monitoring_has_a_role_and_none_where_it_is_off(record: Record) -> None:
    """RDS refuses a role without an interval, and an interval without a role."""
    on, off = record(), record(monitoring_interval=0)

    assert server(on).inputs["monitoringInterval"] == 60
    assert server(on).inputs["monitoringRoleArn"].startswith("arn:aws:")
    assert server(off).inputs["monitoringInterval"] == 0
    assert "monitoringRoleArn" not in server(off).inputs
    assert not off.of("aws:iam/role:Role")


@pytest.mark.parametrize(
    ("day", "hour", "window"),
    [("sunday", 4, "sun:04:00-sun:05:00"), ("sunday", 23, "sun:23:00-mon:00:00"), ("monday", 0, "mon:00:00-mon:01:00")],
)
def test_windows_are_in_the_form_of_rds(record: Record, day: str, hour: int, window: str) -> None:
    """Days of three letters, and the next one after midnight."""
    inputs = server(record(maintenance={"day": day, "hour": hour}, backup={"window": "12:30"})).inputs

    assert inputs["maintenanceWindow"] == window
    assert inputs["backupWindow"] == "12:30-13:30"


def test_the_backup_window_crosses_midnight(record: Record) -> None:
    """The hour after 23 is 0."""
    assert server(record(backup={"window": "23:30"})).inputs["backupWindow"] == "23:30-00:30"


def test_retiring_a_server_lifts_both_protections_of_that_one_alone(record: Record) -> None:
    """The first of the two steps."""
    recording = record(servers=[{"id": "g1", "deletion_protection": False}, {"id": "g2"}], active="g2")
    first, second = server(recording), server(recording, "adk-sessions-g2")

    assert (first.protect, first.inputs["deletionProtection"]) == (False, False)
    assert (second.protect, second.inputs["deletionProtection"]) == (True, True)


def test_a_key_of_ones_own_encrypts_the_volume_and_the_secrets(record: Record) -> None:
    """One key, one word."""
    key = "arn:aws:kms:eu-west-1:123456789012:key/1a2b3c4d"
    recording = record(encryption_key=key)

    assert server(recording).inputs["kmsKeyId"] == key
    assert {each.inputs["kmsKeyId"] for each in recording.of("aws:secretsmanager/secret:Secret")} == {key}


def plain(recording: Any, kind: str) -> list[tuple[str, dict[str, Any], bool]]:
    """The inputs of all resources of a type, to be compared."""
    return sorted((each.name, each.inputs, each.protect) for each in recording.of(kind))
