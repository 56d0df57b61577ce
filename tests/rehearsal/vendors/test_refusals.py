"""What the clouds refuse: a server that each accepts, and one change at a time that it does not."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rehearsal.refusal import Refusal
from rehearsal.values import UNKNOWN, Secret

Check = Callable[[str, dict[str, Any]], list[Refusal]]

_CLOUD_SQL = "gcp:sql/databaseInstance:DatabaseInstance"
_RDS = "aws:rds/instance:Instance"
_FLEXIBLE = "azure-native:dbforpostgresql:Server"

ACCEPTED: dict[str, dict[str, Any]] = {
    _CLOUD_SQL: {
        "databaseVersion": "POSTGRES_17",
        "region": "europe-west1",
        "rootPassword": Secret("change-me"),
        "settings": {
            "tier": "db-custom-2-7680",
            "edition": "ENTERPRISE",
            "availabilityType": "REGIONAL",
            "diskSize": 20,
            "diskType": "PD_SSD",
            "diskAutoresizeLimit": 200,
            "databaseFlags": [{"name": "timezone", "value": "UTC"}],
            "backupConfiguration": {
                "enabled": True,
                "pointInTimeRecoveryEnabled": True,
                "startTime": "03:00",
                "transactionLogRetentionDays": 7,
                "backupRetentionSettings": {"retainedBackups": 30, "retentionUnit": "COUNT"},
            },
            "ipConfiguration": {"ipv4Enabled": False, "privateNetwork": UNKNOWN, "sslMode": "ENCRYPTED_ONLY"},
            "insightsConfig": {"queryInsightsEnabled": True, "queryStringLength": 1024, "queryPlansPerMinute": 5},
            "maintenanceWindow": {"day": 7, "hour": 4, "updateTrack": "stable"},
            "denyMaintenancePeriod": {"startDate": "11-20", "endDate": "12-02", "time": "00:00:00"},
        },
    },
    _RDS: {
        "engine": "postgres",
        "engineVersion": "17",
        "instanceClass": "db.m8g.large",
        "allocatedStorage": 100,
        "maxAllocatedStorage": 500,
        "storageType": "gp3",
        "storageEncrypted": True,
        "username": "adk_owner",
        "password": Secret("change-me-please"),
        "dbName": "adk_sessions",
        "multiAz": True,
        "backupRetentionPeriod": 30,
        "backupWindow": "03:00-03:30",
        "maintenanceWindow": "sun:04:00-sun:04:30",
        "monitoringInterval": 60,
        "monitoringRoleArn": UNKNOWN,
        "performanceInsightsEnabled": True,
        "performanceInsightsRetentionPeriod": 7,
        "databaseInsightsMode": "standard",
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "vpcSecurityGroupIds": [UNKNOWN],
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "finalSnapshotIdentifier": UNKNOWN,
        "tags": {"team": "agents"},
    },
    _FLEXIBLE: {
        "resourceGroupName": "adk-sessions",
        "location": "westeurope",
        "version": "17",
        "administratorLogin": "adk_owner",
        "administratorLoginPassword": Secret("Change-me-1"),
        "availabilityZone": "",
        "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
        "storage": {"storageSizeGB": 128, "autoGrow": "Enabled", "tier": "P10"},
        "backup": {"backupRetentionDays": 30, "geoRedundantBackup": "Enabled"},
        "highAvailability": {"mode": "ZoneRedundant", "standbyAvailabilityZone": ""},
        "network": {
            "delegatedSubnetResourceId": UNKNOWN,
            "privateDnsZoneArmResourceId": UNKNOWN,
            "publicNetworkAccess": "Disabled",
        },
        "authConfig": {"passwordAuth": "Enabled", "activeDirectoryAuth": "Disabled", "tenantId": ""},
        "maintenanceWindow": {"customWindow": "Enabled", "dayOfWeek": 0, "startHour": 3, "startMinute": 0},
    },
}

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    # From the vendors' models.
    (_CLOUD_SQL, {"databaseVersion": "POSTGRES_77"}, "databaseVersion", "POSTGRES_17"),
    (_CLOUD_SQL, {"settings.availabilityType": "MULTI"}, "settings.availabilityType", "one of ZONAL, REGIONAL"),
    (_CLOUD_SQL, {"settings.diskType": "SSD"}, "settings.diskType", "PD_SSD"),
    (_CLOUD_SQL, {"settings.ipConfiguration.sslMode": "ON"}, "settings.ipConfiguration.sslMode", "ENCRYPTED_ONLY"),
    (_RDS, {"databaseInsightsMode": "full"}, "databaseInsightsMode", "one of standard, advanced"),
    # Machines and editions.
    (_CLOUD_SQL, {"settings.edition": "ENTERPRISE_PLUS"}, "settings.tier", "Invalid Tier (db-custom-2-7680)"),
    (_CLOUD_SQL, {"settings.edition": None}, "settings.tier", "for (ENTERPRISE_PLUS) Edition"),
    (_CLOUD_SQL, {"settings.tier": "db-perf-optimized-N-2"}, "settings.tier", "for (ENTERPRISE) Edition"),
    (_CLOUD_SQL, {"settings.tier": "db-n1-standard-1"}, "settings.tier", "Only custom or shared-core"),
    (_CLOUD_SQL, {"settings.tier": "db-custom-3-7680"}, "settings.tier", "an even number"),
    (_CLOUD_SQL, {"settings.tier": "db-custom-2-3000"}, "settings.tier", "multiple of 256 MiB"),
    (_RDS, {"instanceClass": "m7g.large"}, "instanceClass", "Invalid DB Instance class"),
    (_RDS, {"engineVersion": "99"}, "engineVersion", "Cannot find version 99"),
    (_RDS, {"availabilityZone": "eu-central-1a"}, "availabilityZone", "not valid for Multi-AZ"),
    (_FLEXIBLE, {"sku.tier": "Burstable"}, "sku.tier", "no machine of the tier Burstable"),
    (
        _FLEXIBLE,
        {"sku.name": "Standard_B2s", "sku.tier": "Burstable"},
        "highAvailability.mode",
        "not supported for the Burstable",
    ),
    # Storage.
    (_CLOUD_SQL, {"settings.diskSize": 9}, "settings.diskSize", "10 to 65536"),
    (_CLOUD_SQL, {"settings.diskAutoresizeLimit": 15}, "settings.diskAutoresizeLimit", "at least diskSize"),
    (_RDS, {"allocatedStorage": 19}, "allocatedStorage", "Invalid storage size"),
    (_RDS, {"maxAllocatedStorage": 100}, "maxAllocatedStorage", "more than allocatedStorage"),
    (_RDS, {"iops": 3000}, "iops", "less than 400"),
    (_RDS, {"storageType": "io1"}, "iops", "must specify iops"),
    (_RDS, {"storageType": "io2", "iops": 250000}, "iops", "ratio"),
    (_FLEXIBLE, {"storage.storageSizeGB": 100}, "storage.storageSizeGB", "one of 32, 64, 128"),
    (_FLEXIBLE, {"storage.tier": "P4"}, "storage.tier", "at least P10"),
    # Backups.
    (
        _CLOUD_SQL,
        {"settings.backupConfiguration.transactionLogRetentionDays": 8},
        "settings.backupConfiguration.transactionLogRetentionDays",
        "between 1 and 7",
    ),
    (
        _CLOUD_SQL,
        {"settings.backupConfiguration.pointInTimeRecoveryEnabled": False},
        "settings.backupConfiguration",
        "REGIONAL instance needs",
    ),
    (_RDS, {"backupRetentionPeriod": 36}, "backupRetentionPeriod", "0 to 35"),
    (_RDS, {"backupWindow": "04:15-04:45"}, "maintenanceWindow", "must not overlap"),
    (_RDS, {"backupWindow": "03:00-03:10"}, "backupWindow", "at least 30 minutes"),
    (_RDS, {"maintenanceWindow": "sonntags"}, "maintenanceWindow", "ddd:hh24:mi-ddd:hh24:mi"),
    (_FLEXIBLE, {"backup.backupRetentionDays": 6}, "backup.backupRetentionDays", "7 to 35"),
    # Logins.
    (_RDS, {"username": "admin"}, "username", "reserved word"),
    (_RDS, {"password": Secret("has@sign-in-it")}, "password", "Only printable ASCII"),
    (_RDS, {"manageMasterUserPassword": True}, "password", "conflicts with manageMasterUserPassword"),
    (_FLEXIBLE, {"administratorLogin": "azure_superuser"}, "administratorLogin", "reserved"),
    (_FLEXIBLE, {"administratorLoginPassword": Secret("simple")}, "administratorLoginPassword", "of three kinds"),
    (_FLEXIBLE, {"authConfig.passwordAuth": "Disabled"}, "authConfig", "at least one"),
    # Secrets.
    (_CLOUD_SQL, {"rootPassword": "change-me"}, "rootPassword", "expected a secret"),
    (_RDS, {"password": "change-me-please"}, "password", "expected a secret"),
    (_FLEXIBLE, {"administratorLoginPassword": "Change-me-1"}, "administratorLoginPassword", "expected a secret"),
    # Networks.
    (
        _CLOUD_SQL,
        {"settings.ipConfiguration.privateNetwork": None},
        "settings.ipConfiguration",
        "At least one of Public",
    ),
    (
        _CLOUD_SQL,
        {"settings.ipConfiguration.privateNetwork": "default"},
        "settings.ipConfiguration.privateNetwork",
        "projects/",
    ),
    (_FLEXIBLE, {"network.privateDnsZoneArmResourceId": None}, "network.privateDnsZoneArmResourceId", "together"),
    (_FLEXIBLE, {"network.publicNetworkAccess": "Enabled"}, "network.publicNetworkAccess", "Disabled"),
    # Monitoring and maintenance.
    (
        _CLOUD_SQL,
        {"settings.insightsConfig.queryStringLength": 5000},
        "settings.insightsConfig.queryStringLength",
        "4500",
    ),
    (_CLOUD_SQL, {"settings.denyMaintenancePeriod.endDate": "04-01"}, "settings.denyMaintenancePeriod", "90 days"),
    (_RDS, {"monitoringInterval": 7}, "monitoringInterval", "one of 0, 1, 5"),
    (_RDS, {"monitoringRoleArn": None}, "monitoringRoleArn", "required if you specify a MonitoringInterval"),
    (_RDS, {"databaseInsightsMode": "advanced"}, "databaseInsightsMode", "465 days"),
    (_RDS, {"performanceInsightsRetentionPeriod": 30}, "performanceInsightsRetentionPeriod", "multiple of 31"),
    (_FLEXIBLE, {"maintenanceWindow.startHour": 24}, "maintenanceWindow.startHour", "0 to 23"),
    # Restores.
    (
        _RDS,
        {"restoreToPointInTime": {"sourceDbInstanceIdentifier": "g1"}},
        "restoreToPointInTime",
        "exactly one of restoreTime",
    ),
    (_FLEXIBLE, {"createMode": "PointInTimeRestore", "sourceServerResourceId": UNKNOWN}, "pointInTimeUTC", "a moment"),
]


@pytest.mark.parametrize("token", ACCEPTED)
def test_a_server_as_it_should_be_is_accepted(token: str, refused: Check) -> None:
    """What every refusal below differs from in one point."""
    assert refused(token, deepcopy(ACCEPTED[token])) == []


@pytest.mark.parametrize(("token", "changes", "path", "reason"), REFUSED)
def test_one_wrong_value_is_refused_where_it_stands(
    token: str, changes: dict[str, Any], path: str, reason: str, refused: Check
) -> None:
    """Each refusal names the property and what was expected, in the vendor's words where they are known."""
    refusals = refused(token, _changed(ACCEPTED[token], changes))

    assert any(each.path == path and reason in each.reason for each in refusals), list(map(str, refusals))


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        ("aws:rds/parameterGroup:ParameterGroup", {"family": "mysql8.0"}, "family"),
        (
            "aws:rds/parameterGroup:ParameterGroup",
            {"family": "postgres17", "parameters": [{"name": "max_connections", "value": "100"}]},
            "parameters[0].applyMethod",
        ),
        ("aws:rds/subnetGroup:SubnetGroup", {"subnetIds": ["subnet-1"]}, "subnetIds"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays"),
        ("aws:secretsmanager/secret:Secret", {"recoveryWindowInDays": 3}, "recoveryWindowInDays"),
        (
            "aws:secretsmanager/secretVersion:SecretVersion",
            {"secretId": "x", "secretString": "change-me"},
            "secretString",
        ),
        ("aws:iam/role:Role", {"assumeRolePolicy": "{}"}, "assumeRolePolicy"),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock"),
        ("gcp:sql/user:User", {"instance": "g1", "name": "cloudsqladmin"}, "name"),
        ("gcp:sql/user:User", {"instance": "g1", "name": "adk_owner", "password": "change-me"}, "password"),
        (
            "gcp:sql/user:User",
            {"instance": "g1", "name": "api@p.iam.gserviceaccount.com", "type": "CLOUD_IAM_SERVICE_ACCOUNT"},
            "name",
        ),
        ("gcp:sql/user:User", {"instance": "g1", "name": "api@example.com", "type": "IAM"}, "type"),
        ("gcp:secretmanager/secretVersion:SecretVersion", {"secret": "s", "secretData": "change-me"}, "secretData"),
        ("gcp:compute/globalAddress:GlobalAddress", {"purpose": "VPC", "addressType": "INTERNAL"}, "purpose"),
        ("gcp:projects/iAMMember:IAMMember", {"project": "p", "role": "owner", "member": "user:a@example.com"}, "role"),
        (
            "azure-native:keyvault:Secret",
            {"resourceGroupName": "rg", "vaultName": "kv-1", "properties": {"value": "change-me"}},
            "properties.value",
        ),
        (
            "azure-native:dbforpostgresql:FirewallRule",
            {
                "resourceGroupName": "rg",
                "serverName": "s",
                "startIpAddress": "203.0.113.9",
                "endIpAddress": "203.0.113.1",
            },
            "endIpAddress",
        ),
        ("random:index/randomPassword:RandomPassword", {"length": 4, "minUpper": 3, "minLower": 3}, "length"),
    ],
)
def test_what_stands_around_a_server_is_judged_as_well(
    token: str, inputs: dict[str, Any], path: str, refused: Check
) -> None:
    """A refusal for each of the other services."""
    assert path in {each.path for each in refused(token, inputs)}


def test_a_criterion_in_snake_case_is_refused(refused: Check) -> None:
    """The SDK sends a dict as it is where a property takes several kinds of objects; mocks let it pass."""
    inputs = {
        "resourceGroupName": "rg",
        "enabled": True,
        "evaluationFrequency": "PT1M",
        "windowSize": "PT5M",
        "severity": 1,
        "scopes": [UNKNOWN],
        "location": "global",
        "criteria": {"odata_type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", "all_of": []},
    }
    refusals = refused("azure-native:monitor:MetricAlert", inputs)

    assert {each.path for each in refusals} >= {"criteria.odata_type", "criteria.all_of"}


def _changed(inputs: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Inputs with the values at dotted paths changed, or taken out where the new one is None."""
    changed = deepcopy(inputs)
    for path, value in changes.items():
        *parents, last = path.split(".")
        here = changed
        for parent in parents:
            here = here[parent]
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    return changed


def test_no_refusal_tells_a_secret(refused: Check) -> None:
    """Also where a rule quotes what it judged, and does not know that it was a secret."""
    (refusal,) = refused("aws:secretsmanager/secret:Secret", {"name": Secret("change me")})

    assert (refusal.path, "change me" in refusal.reason, "[secret]" in refusal.reason) == ("name", False, True)
