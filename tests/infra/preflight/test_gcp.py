"""Mixes of settings that Cloud SQL would not take are refused by name, and what the refusal names is accepted."""

from typing import Any

import pytest
import yaml

from infra.preflight import gcp
from infra.preflight.gcp.machines import custom_tier, machine
from infra.settings.gcp import GcpSettings

BARE: dict[str, Any] = {"project": "example-project"}

PLUS = {"edition": "ENTERPRISE_PLUS", "tier": "db-perf-optimized-N-2"}

KEY = "projects/example-project/locations/us-central1/keyRings/sessions/cryptoKeys/database"

IAM: dict[str, Any] = {
    "auth": "iam",
    "iam": {
        "owner": "serviceAccount:bootstrap@example-project.iam.gserviceaccount.com",
        "app": "serviceAccount:api@example-project.iam.gserviceaccount.com",
    },
}

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"project": ""}, "project", "the id of the Google Cloud project"),
    ({"tier": "db-n1-standard-2"}, "tier", "a PostgreSQL machine of ENTERPRISE"),
    (
        {"tier": "db-perf-optimized-N-3", "edition": "ENTERPRISE_PLUS"},
        "tier",
        "a PostgreSQL machine of ENTERPRISE_PLUS",
    ),
    ({"tier": "db-custom-3-7680"}, "tier", "an even number up to 96"),
    ({"tier": "db-custom-98-98304"}, "tier", "an even number up to 96"),
    ({"tier": "db-custom-2-7681"}, "tier", "steps of 256 MiB"),
    ({"tier": "db-custom-1-2048"}, "tier", "from 3840 MiB on"),
    ({"tier": "db-custom-1-7680"}, "tier", "0.9 to 6.5 GiB"),
    ({"tier": "db-custom-16-12288"}, "tier", "0.9 to 6.5 GiB"),
    ({"edition": "ENTERPRISE_PLUS"}, "tier", "db-custom-2-7680 is one of ENTERPRISE"),
    ({"edition": "ENTERPRISE_PLUS", "tier": "db-f1-micro"}, "tier", "db-f1-micro is one of ENTERPRISE"),
    ({"tier": "db-perf-optimized-N-2"}, "tier", "db-perf-optimized-N-2 is one of ENTERPRISE_PLUS"),
    ({"tier": "db-c4a-highmem-4"}, "tier", "db-c4a-highmem-4 is one of ENTERPRISE_PLUS"),
    ({"tier": "db-g1-small", "api_processes": 1}, "high_availability", "no SLA covers db-g1-small"),
    ({"tier": "db-f1-micro", "api_processes": 1}, "high_availability", "no SLA covers db-f1-micro"),
    ({"storage": {"size_gib": 300, "max_gib": 299}}, "storage.max_gib", "300 or more"),
    (
        {"tier": "db-g1-small", "api_processes": 1, "high_availability": False, "storage": {"max_gib": 3063}},
        "storage.max_gib",
        "3062 or less",
    ),
    (
        {"edition": "ENTERPRISE_PLUS", "tier": "db-c4a-highmem-4", "storage": {"size_gib": 19}},
        "storage.size_gib",
        "20 or more",
    ),
    ({"api_processes": 27}, "api_processes", "26 or fewer on db-custom-2-7680, which allows 400"),
    ({"api_processes": 300}, "api_processes", "26 or fewer"),
    ({**PLUS, "api_processes": 60}, "api_processes", "32 or fewer on db-perf-optimized-N-2"),
    ({"backup": {"pitr_days": 0}}, "backup.pitr_days", "1 or more with high_availability"),
    ({"backup": {"pitr_days": 8}}, "backup.pitr_days", "7 or less with ENTERPRISE"),
    ({"backup": {"pitr_days": 7, "retention_days": 6}}, "backup.pitr_days", "no more than retention_days, 6"),
    ({**PLUS, "backup": {"pitr_days": 31}}, "backup.pitr_days", "no more than retention_days, 30"),
    ({"deny_maintenance": {"start": "11-31", "end": "12-02"}}, "deny_maintenance", "two days of the calendar"),
    ({"deny_maintenance": {"start": "november", "end": "12-02"}}, "deny_maintenance", "two days of the calendar"),
    ({"deny_maintenance": {"start": "2026-11-20", "end": "12-02"}}, "deny_maintenance", "a year in both"),
    ({"deny_maintenance": {"start": "01-01", "end": "04-01"}}, "deny_maintenance", "within 90 days"),
    ({"deny_maintenance": {"start": "2026-12-02", "end": "2026-11-20"}}, "deny_maintenance", "within 90 days"),
    ({"alerts": {"backup_age_hours": 48}}, "alerts.backup_age_hours", "47 or less"),
    ({"alerts": {"channels": ["oncall"]}}, "alerts.channels", "names of notification channels"),
    ({"network": {"cidr": "203.0.114.0/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "169.254.0.0/20"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "10.64.0.0/24"}}, "network.cidr", "/16 to /23"),
    ({"network": {"cidr": "fd00::/16"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "172.17.16.0/20"}}, "network.cidr", "outside of 172.17.0.0/16"),
    ({"network": {"allocated_range": "google"}}, "network.allocated_range", "none, unless mode is private and id"),
    ({"network": {"allowed_cidrs": ["203.0.113.0/24"]}}, "network.allowed_cidrs", "none with mode private"),
    ({"network": {"mode": "public"}}, "network.allowed_cidrs", "at least one block"),
    ({"network": {"mode": "public", "allowed_cidrs": ["10.0.0.0/16"]}}, "network.allowed_cidrs", "public IPv4 blocks"),
    ({"network": {"mode": "public", "allowed_cidrs": ["2001:db8::/32"]}}, "network.allowed_cidrs", "public IPv4"),
    (
        {
            "network": {
                "mode": "public",
                "allowed_cidrs": ["203.0.113.0/24"],
                "id": "projects/example-project/global/networks/shared",
            }
        },
        "network.id",
        "none with mode public",
    ),
    ({"network": {"mode": "psc"}}, "network.consumer_projects", "at least one project"),
    ({"network": {"consumer_projects": ["example-project"]}}, "network.consumer_projects", "none with mode private"),
    ({"replica_region": "us-central1"}, "replica_region", "another region than us-central1"),
    ({"region": "us-east1", "replica_region": "us-east1"}, "replica_region", "another region than us-east1"),
    (
        {
            "project": "a-project-with-a-long-name-123",
            "server_prefix": "sessions-of-all-agents-of-the-whole-firm",
            "replica_region": "northamerica-northeast2",
        },
        "server_prefix",
        "24 characters or fewer",
    ),
    ({"encryption_key": KEY, "region": "us-west1"}, "encryption_key", "a key in us-west1"),
    ({"encryption_key": KEY, "replica_region": "us-east1"}, "replica_encryption_key", "a key in us-east1"),
    ({"replica_encryption_key": KEY}, "replica_encryption_key", "none without both"),
    (
        {"encryption_key": KEY, "replica_region": "us-east1", "replica_encryption_key": KEY},
        "replica_encryption_key",
        "a key in us-east1",
    ),
    ({"secret_regions": ["us-east1"], "encryption_key": KEY}, "secret_regions", "us-central1 alone"),
    ({"servers": [{"id": "g1", "adopt": "sessions"}]}, "servers[0].adopt", "projects/example-project/instances/<name>"),
    (
        {"servers": [{"id": "g1", "adopt": "projects/another-project/instances/sessions"}]},
        "servers[0].adopt",
        "an instance of example-project",
    ),
    ({"owner_user": "postgres"}, "owner_user", "another name than postgres"),
    ({"owner_user": "cloudsqladmin"}, "owner_user", "another name than cloudsqladmin"),
    ({"owner_user": "cloudsqlsuperuser"}, "owner_user", "another name than cloudsqlsuperuser"),
    ({"app_user": "cloudsqlreplica"}, "app_user", "another name than cloudsqlreplica"),
    ({"database": "postgres"}, "database", "another name than postgres"),
    ({"database": "cloudsqladmin"}, "database", "another name than cloudsqladmin"),
    ({"auth": "iam"}, "iam", "serviceAccount:<email> or user:<email>"),
    ({"auth": "iam", "iam": {**IAM["iam"], "app": "group:team@example.com"}}, "iam", "serviceAccount:<email>"),
    ({"auth": "iam", "iam": {"owner": IAM["iam"]["app"], "app": IAM["iam"]["app"]}}, "iam.app", "another identity"),
    ({"iam": IAM["iam"]}, "iam", "no identities with auth: password"),
    ({**IAM, "secret_readers": ["user:someone@example.com"]}, "secret_readers", "none with auth: iam"),
    ({"secret_readers": ["api@example.com"]}, "secret_readers", "members as IAM writes them"),
    ({"secret_readers": ["allUsers"]}, "secret_readers", "never everybody"),
    ({"labels": {"Team": "agents"}}, "labels", "small letters"),
    ({"labels": {"team": "Agents"}}, "labels", "small letters"),
    ({"labels": {"goog-team": "agents"}}, "labels", "not with goog"),
    ({"labels": {f"team{number}": "agents" for number in range(65)}}, "labels", "up to 64 labels"),
    ({"parameters": {"cloudsql.iam_authentication": "on"}}, "parameters", "which auth: iam sets"),
    ({"parameters": {"Log-Connections": "on"}}, "parameters", "names of database flags"),
]

ACCEPTED: list[dict[str, Any]] = [
    {},
    PLUS,
    IAM,
    {**PLUS, "backup": {"pitr_days": 35, "retention_days": 35}},
    {"edition": "ENTERPRISE_PLUS", "tier": "db-c4a-highmem-4", "storage": {"size_gib": 20}},
    {"tier": "db-f1-micro", "high_availability": False, "api_processes": 1},
    {"tier": "db-custom-96-638976", "api_processes": 66},
    {"high_availability": False, "backup": {"pitr_days": 0}},
    {"deny_maintenance": {"start": "12-15", "end": "01-10"}},
    {"deny_maintenance": {"start": "2026-11-20", "end": "2026-12-02"}},
    {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}},
    {"network": {"mode": "psc", "consumer_projects": ["example-project"]}},
    {"network": {"id": "projects/example-project/global/networks/shared", "allocated_range": "google"}},
    {"encryption_key": KEY, "secret_regions": ["us-central1"]},
    {"replica_region": "us-east1"},
    {"servers": [{"id": "g1", "adopt": "projects/example-project/instances/sessions"}]},
    {"secret_readers": ["principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/*"]},
    {"alerts": {"channels": ["projects/example-project/notificationChannels/1"], "backup_age_hours": 47}},
    {"alerts": {"enabled": False, "backup_age_hours": 168}},
]


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The keys of both, sections merged but not free maps, as somebody edits a stack file."""
    both = {**under, **over}
    for key, value in under.items():
        if key not in {"labels", "parameters"} and isinstance(value, dict) and isinstance(over.get(key), dict):
            both[key] = merged(value, over[key])
    return both


@pytest.mark.parametrize(("keys", "key", "expected"), REFUSED)
def test_a_wrong_mix_is_refused_by_name_and_its_fix_is_accepted(keys: dict[str, Any], key: str, expected: str) -> None:
    """One refusal, of that very setting, and with the named value there is none any more."""
    (refusal,) = gcp.check(GcpSettings.model_validate({**BARE, **keys}))

    assert refusal.key == f"gcp.{key}"
    assert expected in refusal.expected

    mended = merged({**BARE, **keys}, yaml.safe_load(refusal.fix))
    assert refusal.key not in {each.key for each in gcp.check(GcpSettings.model_validate(mended))}


@pytest.mark.parametrize("keys", ACCEPTED)
def test_what_cloud_sql_takes_is_not_refused(keys: dict[str, Any]) -> None:
    """The matrix has no false alarm where somebody relies on it."""
    assert list(gcp.check(GcpSettings.model_validate({**BARE, **keys}))) == []


@pytest.mark.parametrize(
    ("tier", "connections"),
    [
        ("db-f1-micro", 25),
        ("db-g1-small", 50),
        ("db-custom-1-3840", 100),
        ("db-custom-2-6144", 200),
        ("db-custom-2-7680", 400),
        ("db-custom-4-15360", 500),
        ("db-custom-8-30720", 600),
        ("db-perf-optimized-N-8", 800),
        ("db-perf-optimized-N-16", 1000),
    ],
)
def test_connections_follow_from_memory(tier: str, connections: int) -> None:
    """The table of Cloud SQL, "Quotas and limits", at each of its steps."""
    known = machine(tier)

    assert known
    assert connections == known.max_connections


@pytest.mark.parametrize("cpus", range(1, 120, 7))
@pytest.mark.parametrize("memory_mib", [1, 3841, 7680, 65536, 700000])
def test_the_custom_machine_of_a_refusal_is_one_that_exists(cpus: int, memory_mib: int) -> None:
    """The fix of a fix is the fix itself."""
    tier = custom_tier(cpus, memory_mib)
    known = machine(tier)

    assert known
    assert tier == custom_tier(known.cpus, known.memory_mib)
    assert known.cpus >= min(cpus, 96)
