"""Every known pitfall of a production program on Cloud SQL, one test each; mixes of settings are preflight's."""

from typing import Any

import pytest

from infra.preflight import gcp
from infra.settings.gcp import GcpSettings

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
USER = "gcp:sql/user:User"

BARE: dict[str, Any] = {"project": "example-project"}

RESTORED: dict[str, Any] = {
    **BARE,
    "servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}],
}

IAM: dict[str, Any] = {
    **BARE,
    "auth": "iam",
    "iam": {
        "owner": "serviceAccount:bootstrap@example-project.iam.gserviceaccount.com",
        "app": "serviceAccount:api@example-project.iam.gserviceaccount.com",
    },
}


@pytest.mark.parametrize("version", [15, 16, 17, 18])
@pytest.mark.parametrize(
    ("edition", "tier"), [("ENTERPRISE", "db-custom-2-7680"), ("ENTERPRISE_PLUS", "db-perf-optimized-N-2")]
)
def test_the_edition_is_said_on_servers_and_replicas(provision: Any, version: int, edition: str, tier: str) -> None:
    """An omitted one is ENTERPRISE_PLUS from 16 on, which refuses custom machines (cloud-foundation-fabric#2946)."""
    recorded = provision(
        backend="gcp",
        gcp={
            **BARE,
            "version": version,
            "edition": edition,
            "tier": tier,
            "read_replicas": 1,
            "replica_region": "us-east1",
        },
    )

    assert [edition] * 3 == [each.inputs["settings"]["edition"] for each in recorded.of(INSTANCE)]


@pytest.mark.parametrize(
    ("edition", "tier", "longest"),
    [("ENTERPRISE", "db-custom-2-7680", 7), ("ENTERPRISE_PLUS", "db-perf-optimized-N-2", 35)],
)
def test_log_retention_is_refused_beyond_the_editions_limit(edition: str, tier: str, longest: int) -> None:
    """1 to 7 days, or 1 to 35, seen before any call of an API (langfuse-terraform-gcp#34)."""
    keys = {**BARE, "edition": edition, "tier": tier}
    most = {"backup": {"pitr_days": longest, "retention_days": 35}}

    assert list(gcp.check(GcpSettings.model_validate({**keys, **most}))) == []
    if longest < 35:
        most["backup"]["pitr_days"] += 1
        assert [each.key for each in gcp.check(GcpSettings.model_validate({**keys, **most}))] == [
            "gcp.backup.pitr_days"
        ]


def test_the_default_is_what_the_sla_covers(provision: Any) -> None:
    """A standby in another zone and CPUs of one's own; the API's default is ZONAL."""
    settings = provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["settings"]

    assert settings["availabilityType"] == "REGIONAL"
    assert settings["tier"].startswith("db-custom-")


def test_pitr_is_switched_on(provision: Any) -> None:
    """Through the API it is off by default, and a standby needs it."""
    backups = provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["settings"]["backupConfiguration"]

    assert backups["enabled"]
    assert backups["pointInTimeRecoveryEnabled"]
    assert backups["transactionLogRetentionDays"] == 7


def test_no_name_is_ever_fixed(provision: Any) -> None:
    """The name of a deleted server stays reserved for days (cloudfoundry/bosh#2741): Pulumi makes one up each time."""
    recorded = provision(backend="gcp", gcp={**BARE, "read_replicas": 1})

    named = {each.type for each in recorded.resources if "name" in each.inputs}
    assert named == {"gcp:sql/database:Database", USER}, "whose names live inside of a server"
    assert not any("secretId" in each.inputs for each in recorded.resources)


def test_a_server_is_protected_in_the_cloud_the_provider_and_the_engine(provision: Any) -> None:
    """The provider's protection alone leaves gcloud and the console free to delete."""
    instance = provision(backend="gcp", gcp=BARE).one(INSTANCE)

    assert instance.protect
    assert instance.inputs["deletionProtection"]
    assert instance.inputs["settings"]["deletionProtectionEnabled"]


def test_all_protections_of_one_server_are_lifted_together(provision: Any) -> None:
    """It is retired in two steps: unprotected first, then dropped from the list."""
    servers = [{"id": "g1", "deletion_protection": False}, {"id": "g2"}]
    recorded = provision(backend="gcp", gcp={**BARE, "servers": servers, "active": "g2"})
    first, second = (recorded.named(INSTANCE, f"adk-sessions-{server}") for server in ("g1", "g2"))

    assert not first.protect
    assert not first.inputs["deletionProtection"]
    assert not first.inputs["settings"]["deletionProtectionEnabled"]
    assert second.protect


def test_backups_outlive_the_server(provision: Any) -> None:
    """By default the API drops them together with the server, and takes no last one."""
    settings = provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["settings"]

    assert settings["retainBackupsOnDelete"]
    assert settings["finalBackupConfig"] == {"enabled": True, "retentionDays": 30}


def test_a_destroy_takes_the_peering_away(provision: Any) -> None:
    """DELETE fails while Cloud SQL holds it, ABANDON blocks the network (magic-modules#18476)."""
    connection = provision(backend="gcp", gcp=BARE).one("gcp:servicenetworking/connection:Connection")

    assert connection.inputs["deletionPolicy"] == "REMOVE_PEERING"


def test_the_server_waits_for_the_peering_and_goes_before_it(provision: Any) -> None:
    """Nothing in its inputs says so: the network's id is known long before the connection stands."""
    recorded = provision(backend="gcp", gcp={**BARE, "read_replicas": 1})

    for server in recorded.of(INSTANCE):
        assert any("servicenetworking/connection:Connection" in urn for urn in server.dependencies)


def test_a_disk_that_grew_is_no_change(provision: Any) -> None:
    """Cloud SQL raises the size; a smaller one in the program would try to shrink it, or to replace the server."""
    for server in provision(backend="gcp", gcp={**BARE, "read_replicas": 1}).of(INSTANCE):
        assert "settings.diskSize" in server.ignore_changes
        assert server.inputs["settings"]["diskAutoresize"]
        assert server.inputs["settings"]["diskAutoresizeLimit"] == 200, "it grows up to a limit"


def test_a_role_that_owns_tables_does_not_stop_a_destroy(provision: Any) -> None:
    """PostgreSQL refuses to drop it; it goes together with its server (terraform-google-sql-db#323)."""
    assert provision(backend="gcp", gcp=BARE).one(USER).inputs["deletionPolicy"] == "ABANDON"
    assert {user.inputs["deletionPolicy"] for user in provision(backend="gcp", gcp=IAM).of(USER)} == {"ABANDON"}


def test_the_final_backup_has_the_database_in_it(provision: Any) -> None:
    """The engine deletes what is in a server first: a database that is deleted is in no final backup."""
    database = provision(backend="gcp", gcp=BARE).one("gcp:sql/database:Database")

    assert database.inputs["deletionPolicy"] == "ABANDON"
    assert database.retain_on_delete, "also where the provider was told nothing, after an import"
    assert database.protect


def test_a_service_accounts_role_drops_the_end_of_its_address(provision: Any) -> None:
    """PostgreSQL's names have 63 bytes (Cloud SQL, "Manage users with IAM database authentication")."""
    users = provision(backend="gcp", gcp=IAM).of(USER)

    assert {user.inputs["name"] for user in users} == {"bootstrap@example-project.iam", "api@example-project.iam"}


def test_a_restore_makes_a_server_and_overwrites_none(provision: Any) -> None:
    """The restore contexts are imperative and work in place; a clone is a new server beside the old one."""
    recorded = provision(backend="gcp", gcp=RESTORED)

    first, second = (recorded.named(INSTANCE, f"adk-sessions-{server}") for server in ("g1", "g2"))
    assert second.inputs["clone"]["sourceInstanceName"] == "adk-sessions-g1-1f0c2ab"
    assert second.inputs["clone"]["pointInTime"] == "2026-11-23T17:05:00Z"
    assert "clone" not in first.inputs
    assert not any(
        key in each.inputs for each in (first, second) for key in ("restoreBackupContext", "pointInTimeRestoreContext")
    )


def test_a_restored_server_has_the_flags_and_backups_of_the_first(provision: Any) -> None:
    """A clone comes without flags and with the default backups; the provider sends all settings after it."""
    first, second = provision(backend="gcp", gcp=RESTORED).of(INSTANCE)

    assert first.inputs["settings"] == second.inputs["settings"]


def test_where_a_server_came_from_never_changes_it(provision: Any) -> None:
    """Editing or dropping `restore` later is no change (hashicorp/terraform-provider-aws#34522 replaced servers)."""
    for server in provision(backend="gcp", gcp=RESTORED).of(INSTANCE):
        assert "clone" in server.ignore_changes


def test_an_owner_with_a_token_may_make_the_schema(provision: Any) -> None:
    """From 15 on `public` belongs to the database's owner, cloudsqlsuperuser; who has a token is not in that role."""
    recorded = provision(backend="gcp", gcp=IAM)
    owner, app = (recorded.named(USER, f"adk-sessions-g1-{role}") for role in ("owner", "app"))

    assert owner.inputs["databaseRoles"] == ["cloudsqlsuperuser"]
    assert "databaseRoles" not in app.inputs, "the bootstrapper grants what the app needs, and nothing else"


@pytest.mark.parametrize(
    "network",
    [
        {"mode": "private"},
        {"mode": "psc", "consumer_projects": ["example-project"]},
        {"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]},
    ],
)
def test_only_tls_is_let_in_and_host_names_can_be_verified(provision: Any, network: dict[str, Any]) -> None:
    """The per-instance CA's certificates carry no DNS name (Cloud SQL, "Authorize with SSL/TLS certificates")."""
    recorded = provision(backend="gcp", gcp={**BARE, "network": network, "read_replicas": 1})

    for server in recorded.of(INSTANCE):
        assert server.inputs["settings"]["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
        assert server.inputs["settings"]["ipConfiguration"]["serverCaMode"] == "GOOGLE_MANAGED_CAS_CA"
    assert "?sslmode=verify-full" in recorded.outputs["session_db_uri"]


def test_the_servers_certificate_is_renewed_before_clients_refuse_it(provision: Any) -> None:
    """By default nobody renews it (Cloud SQL Admin API, IpConfiguration); a CA of its own has no such switch."""
    shared, own = (
        provision(backend="gcp", gcp={**BARE, "network": {"server_ca": ca}, "read_replicas": 1}).of(INSTANCE)
        for ca in ("shared", "instance")
    )
    modes = [
        {each.inputs["settings"]["ipConfiguration"].get("serverCertificateRotationMode") for each in servers}
        for servers in (shared, own)
    ]

    assert modes == [{"AUTOMATIC_ROTATION_DURING_MAINTENANCE"}, {None}]


def test_a_long_restore_is_waited_for(provision: Any) -> None:
    """Half an hour, the provider's own limit, is not enough for a big disk."""
    for server in provision(backend="gcp", gcp={**RESTORED, "read_replicas": 1}).of(INSTANCE):
        assert server.create_timeout == "60m"


def test_zones_that_swapped_in_a_failover_are_no_change(provision: Any) -> None:
    """No zone is asked for, so none can differ (hashicorp/terraform-provider-azurerm#25538 is the same elsewhere)."""
    assert "locationPreference" not in provision(backend="gcp", gcp=BARE).one(INSTANCE).inputs["settings"]


def test_a_minor_upgrade_is_no_change(provision: Any) -> None:
    """The version is a major one alone, and no maintenance version is asked for."""
    instance = provision(backend="gcp", gcp=BARE).one(INSTANCE)

    assert instance.inputs["databaseVersion"] == "POSTGRES_17"
    assert "maintenanceVersion" not in instance.inputs
