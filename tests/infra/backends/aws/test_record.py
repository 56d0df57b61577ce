"""The record says where the server is and what to do with it, in commands that can be run as they are."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest

Record = Callable[..., dict[str, Any]]


@pytest.fixture
def record(provision: Any) -> Record:
    """The record of a stack with these keys of the section."""
    return lambda **keys: dict(provision(backend="aws", aws=keys).outputs)


def test_the_record_names_the_active_server(record: Record) -> None:
    """Every part, as RDS reports it."""
    made = record()

    assert made["backend"] == "aws"
    assert made["engine_version"] == "17.6"
    assert made["region"] == "eu-west-1"
    assert made["host"] == "adk-sessions-g1-0a1b2c3d.abc.eu-west-1.rds.amazonaws.com"
    assert (made["port"], made["database"], made["user"]) == (5432, "adk_sessions", "adk_user")
    assert made["instance"] == "adk-sessions-g1-0a1b2c3d"
    assert made["auth"] == "password"
    assert made["secret_ref"] == "arn:aws:secretsmanager:eu-west-1:123456789012:adk-sessions-uri"


def test_the_uris_are_whole(record: Record) -> None:
    """One for the app, one for the owner."""
    made = record()
    place = "adk-sessions-g1-0a1b2c3d.abc.eu-west-1.rds.amazonaws.com:5432/adk_sessions?sslmode=verify-full"

    assert made["session_db_uri"] == f"postgresql+psycopg://adk_user:change-me-adk-sessions-app-1@{place}"
    assert made["admin_db_uri"] == f"postgresql+psycopg://adk_owner:change-me-adk-sessions-owner@{place}"


@pytest.mark.parametrize(("standby", "availability"), [(True, "multi-az"), (False, "single-az")])
def test_availability_is_that_of_rds(record: Record, standby: bool, availability: str) -> None:  # noqa: FBT001
    """In its own words."""
    assert record(high_availability=standby)["availability"] == availability


def test_the_backup_policy_is_what_is_set(record: Record) -> None:
    """Retention is the window of point-in-time recovery."""
    policy = record(backup={"retention_days": 21, "window": "23:30"})["backup_policy"]

    assert policy["window"] == "23:30-00:30"
    assert (policy["retention_days"], policy["pitr_window_days"]) == (21, 21)
    assert "snapshot" in policy["final_backup"]
    assert "automated backups" in policy["final_backup"]


def test_without_backups_the_policy_promises_none(record: Record) -> None:
    """Not even a window."""
    bare = {"retention_days": 0, "final": False}
    policy = record(high_availability=False, backup=bare)["backup_policy"]

    assert policy == {"window": "", "retention_days": 0, "pitr_window_days": 0, "final_backup": "nothing is kept"}


def test_the_servers_are_listed_with_the_active_one(record: Record) -> None:
    """For whoever compares two before switching."""
    servers = record(servers=[{"id": "g1"}, {"id": "g2"}], active="g2")["servers"]

    assert {name: each["active"] for name, each in servers.items()} == {"g1": False, "g2": True}
    assert servers["g1"]["instance"] == "adk-sessions-g1-0a1b2c3d"


def test_the_command_to_connect_keeps_the_password_out_of_the_command_line(record: Record) -> None:
    """It goes from the secret into the environment, and the server's name is verified."""
    words = shlex.split(record()["runbook"]["connect"])

    assert words[:4] == [
        "curl",
        "-sSfo",
        "rds.pem",
        "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    ]
    assert words[5].startswith(
        "PGPASSWORD=$(aws secretsmanager get-secret-value --region eu-west-1 --secret-id arn:aws:"
    )
    assert words[6] == "psql"
    assert dict(word.split("=") for word in words[7].split()) == {
        "host": "adk-sessions-g1-0a1b2c3d.abc.eu-west-1.rds.amazonaws.com",
        "port": "5432",
        "dbname": "adk_sessions",
        "user": "adk_user",
        "sslmode": "verify-full",
        "sslrootcert": "rds.pem",
    }


@pytest.mark.parametrize(
    ("network", "clients"),
    [
        ({}, "from a machine of 10.80.0.0/24 in the VPC of the server"),
        (
            {
                "vpc_id": "vpc-0a1b2c3d4e5f67890",
                "subnet_ids": ["subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"],
                "client_security_groups": ["sg-0a1b2c3d4e5f67890"],
            },
            "from a machine of sg-0a1b2c3d4e5f67890 in the VPC of the server",
        ),
        ({"mode": "public", "allowed_cidrs": ["203.0.113.0/28"]}, "from an address in 203.0.113.0/28"),
    ],
)
def test_the_command_to_connect_says_from_where(record: Record, network: dict[str, Any], clients: str) -> None:
    """Nothing in the stack leads into its network; whoever the security group lets in is who can run it."""
    command, _, remark = record(network=network)["runbook"]["connect"].partition("  # ")

    assert command.endswith("sslrootcert=rds.pem'")
    assert remark.startswith(clients)


def test_with_iam_a_token_takes_the_passwords_place(record: Record) -> None:
    """Made by the CLI, for 15 minutes."""
    connect = record(auth="iam")["runbook"]["connect"]

    assert "aws rds generate-db-auth-token --region eu-west-1 --hostname adk-sessions-g1-0a1b2c3d.abc" in connect
    assert "get-secret-value" not in connect


def test_the_command_to_fail_over_is_rds_own(record: Record) -> None:
    """And says what is missing where there is no standby."""
    assert record()["runbook"]["failover"] == (
        "aws rds reboot-db-instance --region eu-west-1 --db-instance-identifier adk-sessions-g1-0a1b2c3d "
        "--force-failover"
    )
    assert "Set high_availability: true" in record(high_availability=False)["runbook"]["failover"]


def test_a_restore_is_an_edit_of_the_stack_file(record: Record) -> None:
    """From the active server, beside it; two runs, since a restore does not take everything."""
    restore = record(servers=[{"id": "g1"}, {"id": "g2"}], active="g2")["runbook"]["restore"]

    assert "restore: {from: g2, time:" in restore
    assert "run `make up STACK=stack` twice" in restore


def test_the_next_rotation_is_named(record: Record) -> None:
    """By the very number to write."""
    assert (
        record(rotation=3)["runbook"]["rotate"] == "set aws.rotation to 4 in the stack file, then: make up STACK=stack"
    )
