"""What a stack on Cloud SQL exports: the record, the CA, and commands that can be run as they are."""

import shlex
from typing import Any

import pytest

BARE: dict[str, Any] = {"project": "example-project"}

NAME = "adk-sessions-g1-1f0c2ab"

IAM: dict[str, Any] = {
    **BARE,
    "auth": "iam",
    "iam": {"owner": "user:someone@example.com", "app": "serviceAccount:api@example-project.iam.gserviceaccount.com"},
}


def test_the_uri_names_the_host_as_the_certificate_does(provision: Any) -> None:
    """With the shared CA the instance has a DNS name, and verify-full works (cloud-sql-go-connector, `refresh.go`)."""
    outputs = provision(backend="gcp", gcp=BARE).outputs

    assert outputs["host"] == f"private_services_access.{NAME}.sql.goog", "without the final dot"
    assert f"@{outputs['host']}:5432/adk_sessions?sslmode=verify-full" in outputs["session_db_uri"]
    assert outputs["admin_db_uri"].startswith("postgresql+psycopg://adk_owner:change-me-adk-sessions-owner@")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({}, "&hostaddr=10.64.0.3"),
        ({"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}, "&hostaddr=198.51.100.7"),
        ({"mode": "psc", "consumer_projects": ["example-project"]}, ""),
    ],
)
def test_a_name_that_no_dns_knows_comes_with_its_address(provision: Any, network: dict[str, Any], words: str) -> None:
    """The client connects to the one and verifies the other; an endpoint's address is its consumer's."""
    uri = provision(backend="gcp", gcp={**BARE, "network": network}).outputs["session_db_uri"]

    assert uri.endswith(f"?sslmode=verify-full{words}")


@pytest.mark.parametrize(
    ("network", "host"),
    [
        ({}, "10.64.0.3"),
        ({"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}, "198.51.100.7"),
        ({"mode": "psc", "consumer_projects": ["example-project"]}, f"private_service_connect.{NAME}.sql.goog"),
    ],
)
def test_a_ca_of_the_servers_own_verifies_no_host_name(provision: Any, network: dict[str, Any], host: str) -> None:
    """An honest verify-ca instead of a verify-full that fails; an endpoint has no other name."""
    recorded = provision(backend="gcp", gcp={**BARE, "network": {**network, "server_ca": "instance"}})

    assert recorded.outputs["host"] == host
    assert recorded.outputs["session_db_uri"].endswith("?sslmode=verify-ca")


def test_the_ca_is_delivered_and_is_no_secret(provision: Any) -> None:
    """The provider marks it; whoever connects has to have it."""
    recorded = provision(backend="gcp", gcp=BARE)

    assert recorded.outputs["ca_certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert recorded.outputs["ca_certificate"].endswith("-----END CERTIFICATE-----\n")
    assert recorded.secret == {"session_db_uri", "admin_db_uri"}


def test_the_record_says_where_and_what(provision: Any) -> None:
    """All that people look for first."""
    outputs = provision(backend="gcp", gcp=BARE).outputs

    assert outputs["backend"] == "gcp"
    assert outputs["engine_version"] == "17"
    assert outputs["region"] == "us-central1"
    assert outputs["instance"] == f"example-project:us-central1:{NAME}"
    assert outputs["availability"] == "regional"
    assert outputs["backup_policy"] == {
        "window": "03:00-07:00",
        "retention_days": 30,
        "pitr_window_days": 7,
        "final_backup": "kept by Cloud SQL for 30 days, beside the daily ones",
    }


def test_without_a_standby_and_a_final_backup_the_record_says_so(provision: Any) -> None:
    """Nobody should think there is one."""
    keys = {**BARE, "high_availability": False, "backup": {"final": False, "window": "22:30"}}
    outputs = provision(backend="gcp", gcp=keys).outputs

    assert outputs["availability"] == "none"
    assert outputs["backup_policy"]["final_backup"] == "none"
    assert outputs["backup_policy"]["window"] == "22:30-02:30"
    assert outputs["runbook"]["failover"].startswith("there is no standby")


def test_switching_the_active_server_moves_the_uri(provision: Any) -> None:
    """By one edit, back and forth; both are in the record to compare."""
    servers = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    before = provision(backend="gcp", gcp={**BARE, "servers": servers}).outputs
    after = provision(backend="gcp", gcp={**BARE, "servers": servers, "active": "g2"}).outputs

    assert "adk-sessions-g1" in before["session_db_uri"]
    assert "adk-sessions-g2" in after["session_db_uri"]
    assert {id_: server["active"] for id_, server in after["servers"].items()} == {"g1": False, "g2": True}
    assert {server["host"] for server in before["servers"].values()} == {before["host"], after["host"]}


@pytest.mark.parametrize(
    ("network", "flag"),
    [
        ({}, "--private-ip"),
        ({"mode": "psc", "consumer_projects": ["example-project"]}, "--psc"),
        ({"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}, "--port=6543"),
    ],
)
def test_connecting_goes_through_the_proxy(provision: Any, network: dict[str, Any], flag: str) -> None:
    """With the password out of Secret Manager, by environment: in no argument and in no history."""
    outputs = provision(backend="gcp", gcp={**BARE, "network": network}).outputs
    command = outputs["runbook"]["connect"]

    assert command.startswith(f"cloud-sql-proxy {flag}")
    assert f" {outputs['instance']} &" in command
    assert 'PGPASSWORD="$(gcloud secrets versions access latest --secret=adk-db-password-owner-1f0c2ab' in command
    assert "change-me" not in command
    assert ("  # on a machine in " in command) == (network.get("mode") != "public"), "the proxy is no tunnel"


def test_connecting_with_a_token_needs_no_password(provision: Any) -> None:
    """The proxy brings the token of whoever runs it."""
    command = provision(backend="gcp", gcp=IAM).outputs["runbook"]["connect"]

    assert "--auto-iam-authn" in command
    assert "user=someone@example.com" in command
    assert "PGPASSWORD" not in command


def test_failing_over_is_one_command(provision: Any) -> None:
    """Complete, with the instance's real name."""
    command = provision(backend="gcp", gcp=BARE).outputs["runbook"]["failover"]

    assert shlex.split(command) == ["gcloud", "sql", "instances", "failover", NAME, "--project=example-project"]


def test_promoting_the_replica_is_a_command_and_so_is_what_a_replica_lacks(provision: Any) -> None:
    """Cloud SQL backs no replica up and gives it no standby; a promotion changes neither."""
    failover = provision(backend="gcp", gcp={**BARE, "replica_region": "us-east1"}).outputs["runbook"]["failover"]
    promotion, _, rest = failover.partition("promote-replica ")[2].partition(", and right after it")
    name = "adk-sessions-g1-replica-us-east1-1f0c2ab"

    assert promotion == f"{name} --project=example-project"
    assert f"gcloud sql instances patch {name} --project=example-project --availability-type=REGIONAL" in rest
    assert "--backup-start-time=03:00 --retained-backups-count=30 --enable-point-in-time-recovery" in rest
    assert "leave replica_region" in rest, "the stack still knows it as a replica"


def test_restoring_names_a_free_generation(provision: Any) -> None:
    """The edit is ready to be pasted."""
    servers = [{"id": "g1"}, {"id": "g2"}]
    first = provision(backend="gcp", gcp=BARE).outputs["runbook"]["restore"]
    third = provision(backend="gcp", gcp={**BARE, "servers": servers, "active": "g2"}).outputs["runbook"]["restore"]

    assert "{id: g2, restore: {from: g1, time:" in first
    assert "{id: g3, restore: {from: g2, time:" in third


def test_rotating_names_the_next_number(provision: Any) -> None:
    """With tokens there is nothing to rotate."""
    rotate = provision(backend="gcp", gcp={**BARE, "rotation": 3}).outputs["runbook"]["rotate"]

    assert "rotation: 4" in rotate.replace(" (Pulumi.stack.yaml)", "")
    assert provision(backend="gcp", gcp=IAM).outputs["runbook"]["rotate"].startswith("nothing to rotate")
