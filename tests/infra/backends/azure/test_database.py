"""What a stack on Azure consists of, and what it exports."""

import json
import shlex
import uuid
from typing import Any

import pytest

from infra.backends.azure import dashboard
from infra.backends.azure.parameters import parameters
from infra.settings.azure import AzureSettings

KIND = "azure-native:dbforpostgresql:"
SERVER = f"{KIND}Server"
SECRET = "azure-native:keyvault:Secret"
GRANT = "azure-native:authorization:RoleAssignment"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
ALERT = "azure-native:monitor:MetricAlert"

GROUPS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
SUBNET = f"{GROUPS}/network/providers/Microsoft.Network/virtualNetworks/main/subnets/postgres"
FAR_SUBNET = f"{GROUPS}/network/providers/Microsoft.Network/virtualNetworks/far/subnets/postgres"
ZONE = f"{GROUPS}/network/providers/Microsoft.Network/privateDnsZones/sessions.postgres.database.azure.com"
CHANNEL = f"{GROUPS}/watch/providers/Microsoft.Insights/actionGroups/oncall"
OBJECT = "11111111-1111-1111-1111-111111111111"

TWO: dict[str, Any] = {
    "servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
}


def test_the_default_is_production(provision: Any) -> None:
    """A standby in another zone, private, protected, with two weeks of PITR."""
    server = provision(backend="azure").one(SERVER).inputs

    assert server["sku"] == {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"}
    assert server["highAvailability"]["mode"] == "ZoneRedundant"
    assert server["backup"]["backupRetentionDays"] == 14
    assert server["network"]["publicNetworkAccess"] == "Disabled"
    assert server["network"]["delegatedSubnetResourceId"] == "adk-sessions-network-servers-id"
    assert server["version"] == "17"


@pytest.mark.parametrize(("profile", "sku"), [("dev", "Standard_B1ms"), ("staging", "Standard_B2s")])
def test_cheaper_profiles_are_burstable_and_without_a_standby(provision: Any, profile: str, sku: str) -> None:
    """The mix is one that Azure takes."""
    server = provision(backend="azure", profile=profile).one(SERVER).inputs

    assert server["sku"] == {"name": sku, "tier": "Burstable"}
    assert server["highAvailability"]["mode"] == "Disabled"
    assert server["storage"]["storageSizeGB"] == 32


def test_everything_is_where_and_labelled_as_asked(provision: Any) -> None:
    """One resource group, built or given; tags on all that can have them."""
    recorded = provision(
        backend="azure",
        azure={"resource_group": "mine", "region": "westeurope", "labels": {"team": "agents"}, "read_replicas": 1},
    )

    assert not recorded.of("azure-native:resources:ResourceGroup")
    groups = {each.inputs["resourceGroupName"] for each in recorded.resources if "resourceGroupName" in each.inputs}
    assert groups == {"mine"}
    assert {each.inputs["location"] for each in recorded.of(SERVER)} == {"westeurope"}
    for kind in (SERVER, IDENTITY, SECRET, ALERT, "azure-native:keyvault:Vault", "azure-native:network:VirtualNetwork"):
        assert {str(each.inputs["tags"]) for each in recorded.of(kind)} == {"{'team': 'agents'}"}, kind


def test_the_subscription_of_the_stack_file_is_the_one_that_counts(provision: Any) -> None:
    """Whatever the shell is logged in to."""
    recorded = provision(backend="azure", azure={"subscription": OBJECT})

    (provider,) = recorded.of("pulumi:providers:azure-native")
    assert provider.inputs["subscriptionId"] == OBJECT
    own = [each for each in recorded.resources if each.type.startswith("azure-native:")]
    assert {"adk-sessions-azure" in each.provider for each in own} == {True}


def test_a_given_network_is_used_as_it_is(provision: Any) -> None:
    """Nothing of a network is built beside it."""
    recorded = provision(backend="azure", azure={"network": {"subnet_id": SUBNET, "dns_zone_id": ZONE}})

    assert recorded.one(SERVER).inputs["network"] == {
        "delegatedSubnetResourceId": SUBNET,
        "privateDnsZoneArmResourceId": ZONE,
        "publicNetworkAccess": "Disabled",
    }
    assert not [
        each for each in recorded.resources if each.type.startswith(("azure-native:network:", "azure-native:pri"))
    ]


def test_a_replica_in_another_region_has_a_network_over_there(provision: Any) -> None:
    """Linked to the same zone, and peered both ways, since whoever is promoted streams back."""
    recorded = provision(backend="azure", azure={"read_replicas": 1, "replica_region": "germanywestcentral"})
    _primary, near, far = recorded.of(SERVER)

    assert (near.name, near.inputs["location"]) == ("adk-sessions-g1-r1", "swedencentral")
    assert (far.name, far.inputs["location"]) == ("adk-sessions-g1-far", "germanywestcentral")
    assert far.inputs["network"]["delegatedSubnetResourceId"] == "adk-sessions-network-far-servers-id"
    assert len(recorded.of("azure-native:privatedns:VirtualNetworkLink")) == 2
    peerings = recorded.of("azure-native:network:VirtualNetworkPeering")
    ways = {(each.inputs["virtualNetworkName"], each.inputs["remoteVirtualNetwork"]["id"]) for each in peerings}
    assert ways == {
        ("adk-sessions-network1f0c2abd", "adk-sessions-network-far-id"),
        ("adk-sessions-network-far1f0c2abd", "adk-sessions-network-id"),
    }


def test_a_given_network_has_a_given_subnet_for_the_far_replica(provision: Any) -> None:
    """The one of the stack file, in the same zone."""
    network = {"subnet_id": SUBNET, "dns_zone_id": ZONE, "replica_subnet_id": FAR_SUBNET}
    recorded = provision(backend="azure", azure={"network": network, "replica_region": "westeurope"})

    assert recorded.of(SERVER)[1].inputs["network"]["delegatedSubnetResourceId"] == FAR_SUBNET


def test_a_replica_has_nothing_that_only_a_primary_has(provision: Any) -> None:
    """No standby, no backup, no password, no version, no protection; scaled up before its primary."""
    recorded = provision(backend="azure", azure={"read_replicas": 1, "replica_sku": "Standard_D4ds_v5"})
    primary, replica = recorded.of(SERVER)

    assert replica.inputs["createMode"] == "Replica"
    assert replica.inputs["sourceServerResourceId"] == "adk-sessions-g1-id"
    assert not replica.inputs.keys() & {
        "administratorLogin",
        "administratorLoginPassword",
        "backup",
        "highAvailability",
        "version",
    }
    assert not replica.protect
    assert replica.inputs["sku"]["name"] == "Standard_D4ds_v5"
    assert primary.inputs["sku"]["name"] == "Standard_D2ds_v5"
    assert replica.inputs["storage"]["autoGrow"] == primary.inputs["storage"]["autoGrow"]


def test_the_writers_name_follows_the_replica_to_promote(provision: Any) -> None:
    """The farthest one; without replicas there is nobody to follow."""
    recorded = provision(backend="azure", azure={"read_replicas": 2, "replica_region": "westeurope"})

    endpoint = recorded.one(f"{KIND}VirtualEndpoint").inputs
    assert endpoint["endpointType"] == "ReadWrite"
    assert endpoint["members"] == ["adk-sessions-g1-far1f0c2abd"]
    assert "adk-sessions-g1-far1f0c2abd" in recorded.outputs["runbook"]["failover"]
    assert not provision(backend="azure").of(f"{KIND}VirtualEndpoint")


def test_what_a_promoted_replica_lacks_is_in_the_runbook(provision: Any) -> None:
    """Azure backs no replica up; it is in the stack's own group, also where its primary was adopted elsewhere."""
    recorded = provision(backend="azure", azure={"resource_group": "mine", "replica_region": "westeurope"})

    at = "--resource-group mine --name adk-sessions-g1-far1f0c2abd"
    failover = recorded.outputs["runbook"]["failover"]
    assert f"replica promote {at} --promote-mode switchover --promote-option planned, or forced" in failover
    assert f"az postgres flexible-server update {at} --backup-retention 14" in failover
    assert "leave replica_region" in failover, "the stack still knows it as a replica"


def test_a_replica_can_be_reached_like_its_primary(provision: Any) -> None:
    """The same firewall rules, on each server its own."""
    public = {"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}
    recorded = provision(backend="azure", azure={"network": public, "read_replicas": 1})

    rules = recorded.of(f"{KIND}FirewallRule")
    assert [each.inputs["serverName"] for each in rules] == ["adk-sessions-g11f0c2abd", "adk-sessions-g1-r11f0c2abd"]


def test_switching_moves_the_uri_and_the_secret(provision: Any) -> None:
    """One word of the stack file; both servers stay."""
    recorded = provision(backend="azure", azure={**TWO, "active": "g2"})

    assert "@adk-sessions-g21f0c2abd.postgres" in recorded.outputs["session_db_uri"]
    (secret,) = [each for each in recorded.of(SECRET) if each.name == "adk-sessions-uri"]
    assert secret.inputs["properties"]["value"]["value"] == recorded.outputs["session_db_uri"]
    assert {name: each["active"] for name, each in recorded.outputs["servers"].items()} == {"g1": False, "g2": True}
    assert len(recorded.of(SERVER)) == 2


def test_generations_are_listed_in_any_order(provision: Any) -> None:
    """Whatever is restored is made after its source."""
    servers = list(reversed(TWO["servers"]))
    recorded = provision(backend="azure", azure={"servers": servers})

    assert [each.name for each in recorded.of(SERVER)] == ["adk-sessions-g1", "adk-sessions-g2"]
    assert recorded.of(SERVER)[1].inputs["sourceServerResourceId"] == "adk-sessions-g1-id"


def test_readers_read_the_apps_secrets_one_by_one(provision: Any) -> None:
    """Never the vault, never the owner's password; the app's own identity is one of them."""
    recorded = provision(backend="azure", azure={"secret_readers": [f"Group:{OBJECT}"]})

    grants = {
        (each.inputs["scope"], each.inputs["principalId"], each.inputs["principalType"]) for each in recorded.of(GRANT)
    }
    app = ("object-of-adk-sessions-app", "ServicePrincipal")
    assert grants == {
        (scope, *who) for scope in ("adk-db-password-app-id", "adk-sessions-uri-id") for who in (app, (OBJECT, "Group"))
    }
    assert {each.inputs["roleDefinitionId"].rpartition("/")[2] for each in recorded.of(GRANT)} == {
        "4633458b-17de-408a-b874-0445c86b69e6"
    }


@pytest.mark.parametrize(("public", "access", "action"), [(True, "Enabled", "Allow"), (False, "Disabled", "Deny")])
def test_the_vault_is_kept_by_roles_and_cannot_be_purged(
    provision: Any, *, public: bool, access: str, action: str
) -> None:
    """Closed to the internet where the stack file says so; Azure's own services get in."""
    vault = provision(backend="azure", azure={"vault_public": public}).one("azure-native:keyvault:Vault")

    properties = vault.inputs["properties"]
    assert properties["enableRbacAuthorization"]
    assert properties["enablePurgeProtection"]
    assert properties["enableSoftDelete"]
    assert properties["publicNetworkAccess"] == access
    assert properties["networkAcls"] == {"bypass": "AzureServices", "defaultAction": action}


def test_rotation_moves_the_app_to_its_other_role(provision: Any) -> None:
    """The password in the vault and in the URI is the other role's."""
    recorded = provision(backend="azure", azure={"rotation": 1})

    assert recorded.outputs["user"] == "adk_user_2"
    assert "adk_user_2:change-me-adk-sessions-app-2@" in recorded.outputs["session_db_uri"]
    assert "azure.rotation (Pulumi.stack.yaml): 2" in recorded.outputs["runbook"]["rotate"]


def test_with_entra_there_is_no_password_anywhere(provision: Any) -> None:
    """None made, none in an input, none in a URI, and no vault."""
    recorded = provision(backend="azure", azure={"auth": "iam"})
    server = recorded.one(SERVER)

    assert server.inputs["authConfig"] == {
        "activeDirectoryAuth": "Enabled",
        "passwordAuth": "Disabled",
        "tenantId": "99999999-9999-9999-9999-999999999999",
    }
    assert not server.inputs.keys() & {"administratorLogin", "administratorLoginPassword"}
    assert not [each for each in recorded.resources if "Password" in each.type or "keyvault" in each.type]
    assert recorded.outputs["session_db_uri"].startswith("postgresql+psycopg://adk-sessions-app1f0c2abd@")
    assert recorded.outputs["admin_db_uri"].startswith("postgresql+psycopg://adk-sessions-owner1f0c2abd@")
    assert recorded.outputs["secret_ref"] == ""


def test_an_identity_is_made_for_the_owner_and_for_the_app(provision: Any) -> None:
    """Nobody has to look up an object id to do without passwords."""
    recorded = provision(backend="azure", azure={"auth": "iam"})

    administrator = recorded.one(f"{KIND}AdministratorsMicrosoftEntra").inputs
    assert administrator["objectId"] == "object-of-adk-sessions-owner"
    assert administrator["principalType"] == "ServicePrincipal"
    assert {each.name for each in recorded.of(IDENTITY)} == {"adk-sessions-app", "adk-sessions-owner"}


def test_given_identities_are_used_instead(provision: Any) -> None:
    """A group of people, for example, bootstraps."""
    owner = {"name": "admins@example.com", "object_id": OBJECT, "kind": "Group"}
    recorded = provision(backend="azure", azure={"auth": "iam", "iam": {"owner": owner, "app": "api servers"}})

    administrator = recorded.one(f"{KIND}AdministratorsMicrosoftEntra").inputs
    assert (administrator["objectId"], administrator["principalName"]) == (OBJECT, "admins@example.com")
    assert recorded.outputs["user"] == "api servers"
    assert recorded.outputs["session_db_uri"].startswith("postgresql+psycopg://api%20servers@")
    assert recorded.outputs["admin_db_uri"].startswith("postgresql+psycopg://admins%40example.com@")


def test_somebody_is_told_by_mail_and_by_channel(provision: Any) -> None:
    """An action group for the addresses, beside those that are there already."""
    alerts = {"emails": ["oncall@example.com"], "channels": [CHANNEL]}
    recorded = provision(backend="azure", azure={"alerts": alerts})

    (receiver,) = recorded.one("azure-native:monitor:ActionGroup").inputs["emailReceivers"]
    assert receiver["emailAddress"] == "oncall@example.com"
    for alert in recorded.of(ALERT):
        assert [each["actionGroupId"] for each in alert.inputs["actions"]] == [CHANNEL, "adk-sessions-alerts-id"]
    health = recorded.one("azure-native:monitor:ActivityLogAlert").inputs
    assert [each["actionGroupId"] for each in health["actions"]["actionGroups"]] == [CHANNEL, "adk-sessions-alerts-id"]


def test_each_alert_looks_at_its_metric_with_its_limit(provision: Any) -> None:
    """From the stack file, and connections from what the machine gives."""
    alerts = {"cpu_percent": 70, "memory_percent": 71, "storage_percent": 72, "connections_percent": 50}
    recorded = provision(
        backend="azure", azure={"alerts": {**alerts, "replication_lag_seconds": 9}, "read_replicas": 1}
    )

    found = {}
    for alert in recorded.of(ALERT):
        (criterion,) = alert.inputs["criteria"]["allOf"]
        found[alert.name] = (criterion["metricName"], criterion["operator"], criterion["threshold"])
    assert found == {
        "adk-sessions-g1-cpu": ("cpu_percent", "GreaterThan", 70),
        "adk-sessions-g1-memory": ("memory_percent", "GreaterThan", 71),
        "adk-sessions-g1-storage": ("storage_percent", "GreaterThan", 72),
        "adk-sessions-g1-growth": ("storage_used", "GreaterThan", 512 * 1024**3 * 72 // 100),
        "adk-sessions-g1-connections": ("active_connections", "GreaterThan", 422),
        "adk-sessions-g1-availability": ("is_db_alive", "LessThan", 1),
        "adk-sessions-g1-backup": ("backup_storage_used", "LessThanOrEqual", 0),
        "adk-sessions-g1-r1-lag": ("physical_replication_delay_in_seconds", "GreaterThan", 9),
    }
    (lag,) = [each for each in recorded.of(ALERT) if each.name.endswith("-lag")]
    assert lag.inputs["scopes"] == ["adk-sessions-g1-r1-id"]


def test_windows_and_frequencies_are_among_those_azure_has(provision: Any) -> None:
    """And nothing is looked at less often than its window is long."""
    minutes = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT6H": 360, "PT12H": 720, "P1D": 1440}
    for alert in provision(backend="azure").of(ALERT):
        assert minutes[alert.inputs["evaluationFrequency"]] <= minutes[alert.inputs["windowSize"]]
        assert minutes[alert.inputs["evaluationFrequency"]] <= 60


def test_failovers_are_told_by_azure_itself(provision: Any) -> None:
    """Resource health: the one place where it says that a standby took over or is missing."""
    health = provision(backend="azure").one("azure-native:monitor:ActivityLogAlert").inputs

    assert health["scopes"] == ["adk-sessions-g1-id"]
    assert health["condition"] == {"allOf": [{"field": "category", "equals": "ResourceHealth"}]}


def test_without_alerts_nothing_is_watched(provision: Any) -> None:
    """The profile of development, where nobody is on call."""
    recorded = provision(backend="azure", azure={"alerts": {"enabled": False, "emails": ["oncall@example.com"]}})

    assert not [each for each in recorded.resources if each.type.startswith("azure-native:monitor:M")]
    assert not recorded.of("azure-native:monitor:ActionGroup")
    assert not recorded.of("azure-native:monitor:ActivityLogAlert")


@pytest.mark.parametrize(("asked", "kept"), [(7, 30), (30, 30), (365, 365)])
def test_logs_are_kept_as_long_as_asked_and_as_azure_allows(provision: Any, asked: int, kept: int) -> None:
    """Azure keeps thirty days in any case, at no charge."""
    recorded = provision(backend="azure", azure={"log_retention_days": asked})

    assert recorded.one("azure-native:operationalinsights:Workspace").inputs["retentionInDays"] == kept
    setting = recorded.one("azure-native:monitor:DiagnosticSetting").inputs
    assert setting["workspaceId"] == "adk-sessions-logs-id"
    assert setting["resourceUri"] == "adk-sessions-g1-id"
    assert setting["metrics"] == [{"category": "AllMetrics", "enabled": True}]


@pytest.mark.parametrize(
    ("insights", "logs"), [(True, {"categoryGroup": "allLogs"}), (False, {"category": "PostgreSQLLogs"})]
)
def test_query_insights_are_the_query_store_and_its_logs(
    provision: Any, *, insights: bool, logs: dict[str, str]
) -> None:
    """Switched on in the server, and kept in the workspace."""
    recorded = provision(backend="azure", azure={"query_insights": insights})

    names = {each.inputs["configurationName"] for each in recorded.of(f"{KIND}Configuration")}
    assert ("pg_qs.query_capture_mode" in names) is insights
    assert recorded.one("azure-native:monitor:DiagnosticSetting").inputs["logs"] == [{**logs, "enabled": True}]


def test_burstable_machines_are_spared_the_query_store() -> None:
    """They are too small for it."""
    settings = AzureSettings(sku="Standard_B2s", high_availability=False, query_insights=True)

    assert not [name for name in parameters(settings) if name.startswith("pg_qs")]


def test_a_parameter_of_the_stack_file_wins_over_a_default_of_ours() -> None:
    """A report may take longer than a minute."""
    assert parameters(AzureSettings(parameters={"statement_timeout": "5000"}))["statement_timeout"] == "5000"


def test_the_dashboard_shows_all_servers(provision: Any) -> None:
    """A workbook, whose name Azure wants to be an id."""
    recorded = provision(backend="azure", azure={**TWO, "read_replicas": 1})

    workbook = recorded.one("azure-native:applicationinsights:Workbook").inputs
    shown = json.loads(workbook["serializedData"])
    servers = ["adk-sessions-g1-id", "adk-sessions-g1-r1-id", "adk-sessions-g2-id", "adk-sessions-g2-r1-id"]
    assert shown["fallbackResourceIds"] == servers
    assert {tuple(item["content"]["resourceIds"]) for item in shown["items"]} == {tuple(servers)}
    assert str(uuid.UUID(workbook["resourceName"])) == workbook["resourceName"]


def test_the_dashboard_has_a_chart_for_each_question() -> None:
    """Each chart has a title, a metric and a name of its own."""
    items = dashboard.workbook(["x"])["items"]

    assert len({item["name"] for item in items}) == len({item["content"]["title"] for item in items}) == len(items)
    assert all(item["content"]["metrics"] for item in items)


def test_backups_on_demand_are_the_active_servers(provision: Any) -> None:
    """Before something risky, kept as long as all others."""
    recorded = provision(backend="azure", azure={**TWO, "backup": {"on_demand": ["before-it"]}, "active": "g2"})

    backup = recorded.one(f"{KIND}BackupsAutomaticAndOnDemand").inputs
    assert (backup["backupName"], backup["serverName"]) == ("before-it", "adk-sessions-g21f0c2abd")


def test_the_runbook_has_the_commands_of_this_very_stack(provision: Any) -> None:
    """Nobody fills in a name at night."""
    runbook = provision(backend="azure", azure={"resource_group": "mine"}).outputs["runbook"]

    assert runbook["connect"].startswith(
        'PGPASSWORD="$(az keyvault secret show --id '
        "https://adk-sessions-kv1f0c2abd.vault.azure.net/secrets/adk-db-password-owner-1f0c2abd "
        '--query value --output tsv)" psql "host=adk-sessions-g11f0c2abd.postgres.database.azure.com port=5432 '
        "dbname=adk_sessions user='adk_owner' sslmode=verify-full sslrootcert=system\"  # from a machine in "
        "the virtual network of the server"
    )
    assert runbook["failover"] == (
        "az postgres flexible-server restart --resource-group mine --name adk-sessions-g11f0c2abd --failover Forced"
    )
    assert "{id: g2, restore: {from: g1, time: '<YYYY-MM-DDTHH:MM:SSZ>'}}" in runbook["restore"]


def test_a_restored_server_gets_its_standby_by_a_command(provision: Any) -> None:
    """Azure ignores it in a restore and says so at once, so neither an `up` nor a refresh sees a difference."""
    restore = provision(backend="azure", azure={"resource_group": "mine"}).outputs["runbook"]["restore"]
    words = shlex.split(restore.partition("in RESTORED: ")[2].partition("  # look at")[0])

    assert words[:4] == ["az", "rest", "--method", "patch"]
    assert words[5].startswith("https://management.azure.com$(az postgres flexible-server show --resource-group mine ")
    assert words[5].endswith("?api-version=2025-08-01")
    body = json.loads(words[-1])["properties"]
    assert body["highAvailability"] == {"mode": "ZoneRedundant"}
    assert body["maintenanceWindow"]["dayOfWeek"] == 0
    assert "make refresh" not in restore


@pytest.mark.parametrize(
    ("network", "place"),
    [
        ({"mode": "private_endpoint"}, "from a machine in the virtual network of the endpoint"),
        ({"mode": "public", "allowed_cidrs": ["203.0.113.0/24"]}, "from an address in network.allowed_cidrs"),
    ],
)
def test_the_command_to_connect_says_from_where(provision: Any, network: dict[str, Any], place: str) -> None:
    """Nothing in the stack leads into its network."""
    connect = provision(backend="azure", azure={"network": network}).outputs["runbook"]["connect"]

    assert connect.partition("  # ")[2].startswith(place)


def test_the_runbook_knows_what_does_not_apply(provision: Any) -> None:
    """No standby, no password: it says so, and what would change it."""
    runbook = provision(backend="azure", azure={"auth": "iam", "high_availability": False}).outputs["runbook"]

    assert runbook["failover"].startswith("there is no standby; to have one: ")
    assert runbook["rotate"].startswith("nothing to rotate")
    assert "az account get-access-token --resource-type oss-rdbms" in runbook["connect"]
