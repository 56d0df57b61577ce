"""Mixes of settings that Azure would not take are refused by name, and what the refusal names is accepted."""

from typing import Any

import pytest
import yaml

from infra.preflight import azure
from infra.preflight.azure.machines import MACHINES, smallest_for
from infra.preflight.azure.regions import REGIONS
from infra.settings.azure import AzureSettings

GROUPS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
SUBNET = f"{GROUPS}/network/providers/Microsoft.Network/virtualNetworks/main/subnets/postgres"
ZONES = f"{GROUPS}/network/providers/Microsoft.Network/privateDnsZones"
KEY = f"{GROUPS}/keys/providers/Microsoft.KeyVault/vaults/example/keys/sessions"
OBJECT = "11111111-1111-1111-1111-111111111111"

SMALL: dict[str, Any] = {"sku": "Standard_B2s", "high_availability": False}

GIVEN: dict[str, Any] = {"subnet_id": SUBNET, "dns_zone_id": f"{ZONES}/sessions.postgres.database.azure.com"}

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"sku": "Standard_D3ds_v5"}, "sku", "a size that Azure offers"),
    ({"sku": "D2ds_v5"}, "sku", "a size that Azure offers"),
    ({"sku": "Standard_B2s"}, "sku", "is burstable and has none"),
    ({**SMALL, "read_replicas": 1}, "sku", "a size with read replicas"),
    ({**SMALL, "replica_region": "germanywestcentral"}, "sku", "a size with read replicas"),
    ({**SMALL, "backup": {"on_demand": ["before"]}}, "sku", "a size with backups on demand"),
    ({"sku": "Standard_D2ds_v6"}, "network.mode", "generation 6 cannot be in a delegated subnet"),
    ({**SMALL, "sku": "Standard_B1ms", "api_processes": 3}, "sku", "has 35, enough for 2"),
    ({"api_processes": 57}, "sku", "at least 855 connections for 57 API processes of 15 each"),
    ({"sku": "Standard_E2ds_v5", "api_processes": 114}, "sku", "has 1703, enough for 113"),
    ({"region": "westus"}, "high_availability_mode", "SameZone in westus, which has no availability zones"),
    ({"replica_region": "swedencentral"}, "replica_region", "another region than swedencentral"),
    ({"read_replicas": 5, "replica_region": "westeurope"}, "read_replicas", "5 replicas at most"),
    ({"sku": "Standard_D4ds_v5", "replica_sku": "Standard_D2ds_v5"}, "replica_sku", "at least the primary's 4"),
    ({"replica_sku": "Standard_B2s"}, "replica_sku", "none that is burstable"),
    ({"replica_sku": "Standard_X9"}, "replica_sku", "at least the primary's 2"),
    ({"storage": {"size_gib": 100}}, "storage.size_gib", "one of 32, 64, 128"),
    ({"storage": {"size_gib": 40000, "max_gib": 32767}}, "storage.size_gib", "16384, 32767"),
    ({"storage": {"size_gib": 1024, "max_gib": 512}}, "storage.max_gib", "at least storage.size_gib, 1024"),
    ({"storage": {"tier": "P6"}}, "storage.tier", "one of P10, P15, P20, P30, P40, P50 for 128 GiB"),
    ({"storage": {"tier": "P60"}}, "storage.tier", "one of P10"),
    ({"storage": {"size_gib": 8192, "max_gib": 32767, "tier": "P50"}}, "storage.tier", "one of P60, P70, P80"),
    ({"backup": {"copy_region": "northeurope"}}, "backup.copy_region", "swedensouth: Azure copies backups of"),
    (
        {"region": "polandcentral", "backup": {"copy_region": "westeurope"}},
        "backup.copy_region",
        "none: Azure copies no",
    ),
    ({"encryption_key": f"{KEY}/0123456789abcdef"}, "encryption_key", "without a version"),
    (
        {"encryption_key": KEY, "backup": {"copy_region": "swedensouth"}},
        "replica_encryption_key",
        "Key Vault of swedens",
    ),
    ({"encryption_key": KEY, "replica_region": "westeurope"}, "replica_encryption_key", "Key Vault of westeurope"),
    ({"replica_encryption_key": KEY}, "replica_encryption_key", "encryption_key beside it"),
    (
        {
            "encryption_key": KEY,
            "replica_encryption_key": KEY,
            "replica_region": "westeurope",
            "backup": {"copy_region": "swedensouth"},
        },
        "replica_region",
        "swedensouth: replica_encryption_key can be in one region only",
    ),
    ({"servers": [{"id": "g1", "adopt": "sessions"}]}, "servers", "the id of a flexible server to adopt as g1"),
    (
        {"servers": [{"id": "g1", "version": 16}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]},
        "servers",
        "version 16 for g2 as long as it says restore",
    ),
    ({"alerts": {"backup_age_hours": 48}}, "alerts.backup_age_hours", "Azure shows no backup's age"),
    ({"alerts": {"channels": ["oncall"]}}, "alerts.channels", "ids of action groups"),
    ({"network": {"mode": "public"}}, "network.allowed_cidrs", "the blocks of addresses that may reach"),
    ({"network": {"mode": "public", "allowed_cidrs": ["0.0.0.0/16"]}}, "network.allowed_cidrs", "not 0.0.0.0/16"),
    ({"network": {"mode": "public", "allowed_cidrs": ["0.0.0.0/32"]}}, "network.allowed_cidrs", "not 0.0.0.0/32"),
    ({"network": {"mode": "public", "allowed_cidrs": ["2001:db8::/32"]}}, "network.allowed_cidrs", "IPv4"),
    (
        {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24"], **GIVEN}},
        "network.subnet_id",
        "a public server is in no network",
    ),
    (
        {"network": {"allowed_cidrs": ["203.0.113.0/24"]}},
        "network.allowed_cidrs",
        "none where the server is not public",
    ),
    ({"network": {"subnet_id": SUBNET}}, "network.dns_zone_id", "a given network has both"),
    ({"network": {"dns_zone_id": GIVEN["dns_zone_id"]}}, "network.subnet_id", "a given network has both"),
    ({"network": {**GIVEN, "dns_zone_id": f"{ZONES}/example.com"}}, "network.dns_zone_id", "not example.com"),
    (
        {"network": {**GIVEN, "mode": "private_endpoint"}},
        "network.dns_zone_id",
        "ends in privatelink.postgres.database.azure.com",
    ),
    (
        {"network": GIVEN, "replica_region": "westeurope"},
        "network.replica_subnet_id",
        "peered with the one of subnet_id",
    ),
    ({"network": {"replica_subnet_id": SUBNET}}, "network.replica_subnet_id", "none where the network is built"),
    ({"network": {"cidr": "10.60.0.0/28"}}, "network.cidr", "/16 to /27"),
    ({"network": {"cidr": "203.0.0.0/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "198.18.0.0/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"cidr": "fd00::/24"}}, "network.cidr", "a private IPv4 block"),
    ({"network": {"replica_cidr": "10.61.0.0/28"}}, "network.replica_cidr", "/16 to /27"),
    (
        {"network": {"cidr": "10.60.0.0/23"}, "replica_region": "westeurope"},
        "network.replica_cidr",
        "the two networks are peered",
    ),
    ({"owner_user": "azure_pg_admin"}, "owner_user", "not azure_pg_admin"),
    ({"owner_user": "azure_superuser"}, "owner_user", "not azure_superuser"),
    ({"owner_user": "admin"}, "owner_user", "not admin"),
    ({"owner_user": "administrator"}, "owner_user", "not administrator"),
    ({"owner_user": "root"}, "owner_user", "not root"),
    ({"owner_user": "guest"}, "owner_user", "not guest"),
    ({"owner_user": "adk", "app_user": "adk_2"}, "app_user", "another name than adk_2"),
    ({"database": "azure_maintenance"}, "database", "which every server has already"),
    ({"database": "postgres"}, "database", "which every server has already"),
    ({"auth": "iam", "iam": {"owner": {"name": "admins"}}}, "iam.owner.object_id", "has both"),
    ({"auth": "iam", "iam": {"owner": {"object_id": OBJECT}}}, "iam.owner.name", "has both"),
    ({"iam": {"owner": {"name": "admins", "object_id": OBJECT}}}, "iam", "auth: iam beside it"),
    ({"iam": {"app": "api"}}, "iam", "auth: iam beside it"),
    (
        {"auth": "iam", "iam": {"app": "api", "owner": {"name": "api", "object_id": OBJECT}}},
        "iam.app",
        "another principal than the owner's",
    ),
    ({"secret_readers": ["api@example.com"]}, "secret_readers", "Entra object ids"),
    ({"secret_readers": [f"Everyone:{OBJECT}"]}, "secret_readers", "Entra object ids"),
    ({"auth": "iam", "secret_readers": [OBJECT]}, "secret_readers", "none with auth: iam"),
    ({"parameters": {"require_secure_transport": "off"}}, "parameters", "which the program sets itself"),
    ({"parameters": {"ssl_min_protocol_version": "TLSv1.1"}}, "parameters", "which the program sets itself"),
    ({"parameters": {"log_timezone": "UTC"}}, "parameters", "which is read-only on Azure"),
    ({"labels": {"a/b": "c"}}, "labels", "names without <>%&\\?/"),
    ({"labels": {"team": "x" * 257}}, "labels", "values of up to 256"),
    ({"labels": {f"team{number}": "agents" for number in range(51)}}, "labels", "up to 50 tags"),
]

ACCEPTED: list[dict[str, Any]] = [
    {},
    SMALL,
    {"auth": "iam"},
    {"auth": "iam", "iam": {"app": "api", "owner": {"name": "admins", "object_id": OBJECT, "kind": "Group"}}},
    {"api_processes": 56},
    {"sku": "Standard_E4ads_v5", "api_processes": 228},
    {"sku": "Standard_D2ds_v6", "network": {"mode": "private_endpoint"}},
    {"region": "westus", "high_availability_mode": "SameZone"},
    {"region": "westus", "high_availability": False},
    {"region": "atlantis", "backup": {"copy_region": "westeurope"}},
    {"read_replicas": 4, "replica_region": "germanywestcentral"},
    {"storage": {"size_gib": 4095, "max_gib": 8192, "tier": "P50"}},
    {"storage": {"size_gib": 32767, "max_gib": 32767, "autogrow": False, "tier": "P80"}},
    {"backup": {"retention_days": 35, "copy_region": "swedensouth", "on_demand": ["before", "after"]}},
    {"encryption_key": KEY},
    {"encryption_key": KEY, "replica_encryption_key": KEY, "backup": {"copy_region": "swedensouth"}},
    {"encryption_key": KEY, "replica_encryption_key": KEY, "replica_region": "westeurope"},
    {"network": GIVEN},
    {"network": {**GIVEN, "replica_subnet_id": SUBNET}, "replica_region": "westeurope"},
    {
        "network": {
            "mode": "private_endpoint",
            "subnet_id": SUBNET,
            "dns_zone_id": f"{ZONES}/privatelink.postgres.database.azure.com",
        }
    },
    {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}},
    {"network": {"cidr": "192.168.0.0/27"}},
    {"servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]},
    {"servers": [{"id": "g2", "restore": {"from": "g1", "time": "latest"}}], "active": "g2"},
    {"servers": [{"id": "g1", "adopt": f"{GROUPS}/a/providers/Microsoft.DBforPostgreSQL/flexibleServers/sessions"}]},
    {"secret_readers": [OBJECT, f"Group:{OBJECT}", f"User:{OBJECT}"]},
    {"parameters": {"log_min_duration_statement": "500", "azure.extensions": "PG_TRGM"}},
    {"alerts": {"channels": [f"{GROUPS}/watch/providers/Microsoft.Insights/actionGroups/oncall"]}},
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
    (refusal,) = azure.check(AzureSettings.model_validate(keys))

    assert f"azure.{key}" == refusal.key
    assert expected in refusal.expected

    mended = merged(keys, yaml.safe_load(refusal.fix))
    assert refusal.key not in {each.key for each in azure.check(AzureSettings.model_validate(mended))}


@pytest.mark.parametrize("keys", ACCEPTED)
def test_what_azure_takes_is_not_refused(keys: dict[str, Any]) -> None:
    """The matrix has no false alarm where somebody relies on it."""
    assert list(azure.check(AzureSettings.model_validate(keys))) == []


@pytest.mark.parametrize(
    ("sku", "tier", "connections"),
    [
        ("Standard_B1ms", "Burstable", 35),
        ("Standard_B2s", "Burstable", 414),
        ("Standard_D2ds_v5", "GeneralPurpose", 844),
        ("Standard_D4s_v3", "GeneralPurpose", 1703),
        ("Standard_D8ads_v5", "GeneralPurpose", 3422),
        ("Standard_D16ds_v4", "GeneralPurpose", 4985),
        ("Standard_E2ds_v5", "MemoryOptimized", 1703),
        ("Standard_E20ads_v5", "MemoryOptimized", 4985),
    ],
)
def test_tier_and_connections_follow_from_the_size(sku: str, tier: str, connections: int) -> None:
    """Microsoft's own table, at each of its steps: the API wants the tier beside the size."""
    assert (tier, connections) == (MACHINES[sku].tier, MACHINES[sku].connections)


def test_there_is_no_size_that_microsoft_does_not_list() -> None:
    """E20 begins with generation 4, 96 processors with 5, and 128 with 6."""
    assert "Standard_E20s_v3" not in MACHINES
    assert "Standard_D96ds_v4" not in MACHINES
    assert "Standard_D128ds_v5" not in MACHINES
    assert {"Standard_E20ds_v4", "Standard_D96ads_v5", "Standard_E192ds_v6"} <= MACHINES.keys()


@pytest.mark.parametrize("connections", [1, 844, 845, 3423, 5000])
def test_a_refusal_names_the_smallest_size_that_does(connections: int) -> None:
    """Nobody is sent to a machine larger than needed; beyond the largest the fix is fewer processes."""
    machine = smallest_for(connections, "GeneralPurpose")

    smaller = [each for each in MACHINES.values() if each.tier == machine.tier and each.vcores < machine.vcores]
    assert all(each.connections < connections for each in smaller)


def test_backups_are_copied_to_regions_that_exist() -> None:
    """A pair is mutual where both ends of it are in Microsoft's table of what they offer."""
    for name, region in REGIONS.items():
        if region.pair in REGIONS and REGIONS[region.pair].pair:
            assert name == REGIONS[region.pair].pair
