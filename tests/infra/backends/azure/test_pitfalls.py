"""Every known pitfall of a production program on Azure, one test each; preflight's own are in tests/infra/preflight."""

import ipaddress
import json
import re
from typing import Any

import pytest

KIND = "azure-native:dbforpostgresql:"
SERVER = f"{KIND}Server"
LOCK = "azure-native:authorization:ManagementLockByScope"
GRANT = "azure-native:authorization:RoleAssignment"

GROUPS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
KEY = f"{GROUPS}/keys/providers/Microsoft.KeyVault/vaults/example/keys/sessions"
FAR_KEY = f"{GROUPS}/keys/providers/Microsoft.KeyVault/vaults/example-far/keys/sessions"
ADOPTED = f"{GROUPS}/elsewhere/providers/Microsoft.DBforPostgreSQL/flexibleServers/sessions"
OBJECT = "11111111-1111-1111-1111-111111111111"

RESTORED: dict[str, Any] = {
    "servers": [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "2026-11-23T17:05:00Z"}}]
}

PUBLIC: dict[str, Any] = {"network": {"mode": "public", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}}
ENDPOINT: dict[str, Any] = {"network": {"mode": "private_endpoint"}}


def ends(urns: frozenset[str]) -> set[str]:
    """The names in addresses of resources."""
    return {urn.rpartition("::")[2] for urn in urns}


def test_zones_that_a_failover_swaps_are_no_change(provision: Any) -> None:
    """After a failover the zones are swapped (azurerm#25538); the mode of the standby stays ours to change."""
    (server,) = provision(backend="azure").of(SERVER)

    assert {"availabilityZone", "highAvailability.standbyAvailabilityZone"} <= set(server.ignore_changes)
    assert "highAvailability" not in server.ignore_changes
    assert server.inputs["highAvailability"]["mode"] == "ZoneRedundant"


def test_a_region_without_zones_gets_its_standby_by_an_explicit_word(provision: Any) -> None:
    """SameZone is never a silent fallback."""
    recorded = provision(backend="azure", azure={"region": "westus", "high_availability_mode": "SameZone"})

    assert recorded.one(SERVER).inputs["highAvailability"]["mode"] == "SameZone"
    assert recorded.outputs["availability"] == "SameZone"


def test_grown_storage_is_no_change(provision: Any) -> None:
    """Autogrow doubles the storage, and Azure refuses to shrink it; its other settings stay ours to change."""
    server = provision(backend="azure").one(SERVER)

    assert server.inputs["storage"]["autoGrow"] == "Enabled"
    assert "storage.storageSizeGB" in server.ignore_changes
    assert "storage" not in server.ignore_changes


def test_growth_that_azure_cannot_cap_raises_an_alert(provision: Any) -> None:
    """85 percent of max_gib."""
    recorded = provision(backend="azure", azure={"storage": {"max_gib": 200}})

    (alert,) = [each for each in recorded.of("azure-native:monitor:MetricAlert") if each.name.endswith("-growth")]
    (criterion,) = alert.inputs["criteria"]["allOf"]
    assert (criterion["metricName"], criterion["threshold"]) == ("storage_used", 170 * 1024**3)


def test_the_administrator_that_can_never_change_replaces_nothing(provision: Any) -> None:
    """Another owner_user is for the next server; the URI goes on with the name that this one was made with."""
    server = provision(backend="azure", azure={"owner_user": "boss"}).one(SERVER)

    assert "administratorLogin" in server.ignore_changes


class TestAServerMadeWithAnotherAdministrator:
    """The stack file said another owner_user once."""

    @pytest.fixture
    def computed(self, computed: Any) -> Any:
        """Azure tells the name that the server was made with."""

        def compute(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
            return {**computed(kind, name, inputs), **({"administratorLogin": "first"} if kind == SERVER else {})}

        return compute

    def test_the_uri_leads_to_the_role_that_is_there(self, provision: Any) -> None:
        """Not to the one of the stack file, which is for the next server."""
        recorded = provision(backend="azure", azure={"owner_user": "boss"})

        assert recorded.outputs["admin_db_uri"].startswith("postgresql+psycopg://first:")
        assert "user='first'" in recorded.outputs["runbook"]["connect"]


def test_the_password_is_secret_though_the_sdk_marks_nothing(provision: Any) -> None:
    """A plain string would stand in the state in clear."""
    recorded = provision(backend="azure")
    server = recorded.one(SERVER)

    assert server.inputs["administratorLoginPassword"] == {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "value": "change-me-adk-sessions-owner",
    }
    assert "administratorLoginPassword" in server.secret_outputs
    for secret in recorded.of("azure-native:keyvault:Secret"):
        assert secret.inputs["properties"]["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
        assert "properties" in secret.secret_outputs


def test_no_generated_password_stands_anywhere_in_clear(provision: Any) -> None:
    """Neither in an input nor in an output that is not secret."""
    recorded = provision(backend="azure", azure={**RESTORED, "read_replicas": 1})

    def clear(value: Any) -> str:
        if isinstance(value, dict):
            return "" if "4dabf18193072939515e22adb298388d" in value else "".join(map(clear, value.values()))
        return "".join(map(clear, value)) if isinstance(value, list) else str(value)

    shown = {name: value for name, value in recorded.outputs.items() if name not in recorded.secret}
    assert "change-me" not in "".join(clear(each.inputs) for each in recorded.resources) + json.dumps(shown)
    assert recorded.secret == {"session_db_uri", "admin_db_uri"}


def test_the_password_is_what_azure_calls_complex(provision: Any) -> None:
    """8 to 128 characters of three kinds, and not a word of the administrator's name by chance."""
    for password in provision(backend="azure").of("random:index/randomPassword:RandomPassword"):
        assert 8 <= password.inputs["length"] <= 128
        assert all(password.inputs[kind] >= 1 for kind in ("minLower", "minUpper", "minNumeric"))


def test_what_a_restore_says_never_replaces_a_server_that_is_there(provision: Any) -> None:
    """azurerm#12996: edits of these inputs replaced servers; also when `restore` is dropped from the stack file."""
    once = {"createMode", "pointInTimeUTC", "sourceServerResourceId"}
    for server in provision(backend="azure", azure=RESTORED).of(SERVER):
        assert once <= set(server.ignore_changes)


def test_a_restored_server_is_made_of_its_source_at_that_moment(provision: Any) -> None:
    """A new server beside it; the administrator is the source's own."""
    recorded = provision(backend="azure", azure=RESTORED)
    first, second = recorded.of(SERVER)

    assert "createMode" not in first.inputs
    assert second.inputs["createMode"] == "PointInTimeRestore"
    assert second.inputs["sourceServerResourceId"] == "adk-sessions-g1-id"
    assert second.inputs["pointInTimeUTC"] == "2026-11-23T17:05:00Z"
    assert "administratorLogin" not in second.inputs
    assert recorded.outputs["servers"]["g1"]["active"]


def test_the_newest_moment_is_the_time_of_the_run(provision: Any) -> None:
    """Azure has no word for it."""
    latest = [{"id": "g1"}, {"id": "g2", "restore": {"from": "g1", "time": "latest"}}]
    _first, second = provision(backend="azure", azure={"servers": latest}).of(SERVER)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", second.inputs["pointInTimeUTC"])


def test_a_server_whose_source_is_gone_never_comes_up_empty(provision: Any) -> None:
    """Where it is there nobody looks at the source; where it is not, Azure refuses the name."""
    alone = {"servers": [{"id": "g2", "restore": {"from": "g1", "time": "latest"}}], "active": "g2"}
    server = provision(backend="azure", azure=alone).one(SERVER)

    assert server.inputs["createMode"] == "PointInTimeRestore"
    assert server.inputs["sourceServerResourceId"] == "no-server-g1-in-the-stack-file"


def test_every_generation_has_the_network_of_its_source(provision: Any) -> None:
    """A public server can be restored to a public one only, and a private one to a private one."""
    for keys in ({}, PUBLIC, ENDPOINT):
        first, second = provision(backend="azure", azure={**RESTORED, **keys}).of(SERVER)
        assert first.inputs["network"] == second.inputs["network"]


@pytest.mark.parametrize(
    "keys", [{}, PUBLIC, ENDPOINT, {"auth": "iam"}, {"read_replicas": 2, "replica_region": "westus"}]
)
def test_one_control_plane_operation_at_a_time(provision: Any, keys: dict[str, Any]) -> None:
    """`ServerIsBusy` otherwise (azure-postgresql#134): a chain without a gap or a branch, from the server on."""
    recorded = provision(backend="azure", azure=keys)

    parts = [each for each in recorded.resources if each.parent.endswith(":Server::adk-sessions-g1")]
    names = {each.name for each in parts}
    waits = {each.name: ends(each.dependencies) & names for each in parts}
    order: list[str] = []
    while len(order) < len(parts):
        (following,) = [name for name in names - set(order) if waits[name] <= set(order)]
        order.append(following)
    assert order[0] == "adk-sessions-g1"
    assert order[-1] == "adk-sessions-g1-lock"


def test_the_order_on_a_server(provision: Any) -> None:
    """Administrator, database, parameters, replicas, the writer's name, logs, and the lock in the end."""
    recorded = provision(
        backend="azure", azure={"auth": "iam", "read_replicas": 1, "backup": {"on_demand": ["before"]}}
    )

    parts = [each for each in recorded.resources if each.parent.endswith(":Server::adk-sessions-g1")]
    parts.sort(key=recorded.resources.index)
    kinds = list(dict.fromkeys(each.type.rpartition(":")[2] for each in parts))
    assert kinds == [
        "Server",
        "AdministratorsMicrosoftEntra",
        "Database",
        "Configuration",
        "VirtualEndpoint",
        "BackupsAutomaticAndOnDemand",
        "DiagnosticSetting",
        "ManagementLockByScope",
    ]


def test_what_lives_on_a_server_goes_with_it(provision: Any) -> None:
    """Nothing resets parameters one by one, and a revived server has its database."""
    recorded = provision(backend="azure", azure={**PUBLIC, "backup": {"on_demand": ["before"]}})

    for kind in ("Database", "Configuration", "FirewallRule", "BackupsAutomaticAndOnDemand"):
        for each in recorded.of(f"{KIND}{kind}"):
            assert ends(frozenset({each.deleted_with})) == {"adk-sessions-g1"}, each.name


def test_what_outlives_a_server_is_deleted_by_itself(provision: Any) -> None:
    """Azure keeps the diagnostic settings of a deleted resource and gives them to the next of that name."""
    recorded = provision(backend="azure", azure={"read_replicas": 1})

    for kind in ("azure-native:monitor:DiagnosticSetting", LOCK, f"{KIND}VirtualEndpoint"):
        assert not recorded.one(kind).deleted_with


def test_parameters_say_that_they_are_ours(provision: Any) -> None:
    """A value without `user-override` looks like Azure's own default."""
    recorded = provision(backend="azure", azure={"parameters": {"log_min_duration_statement": "500"}})

    values = {each.inputs["configurationName"]: each.inputs["value"] for each in recorded.of(f"{KIND}Configuration")}
    assert values["TimeZone"] == "UTC"
    assert values["log_connections"] == values["log_disconnections"] == "on"
    assert values["log_min_duration_statement"] == "500"
    assert int(values["statement_timeout"]) > 0
    assert int(values["idle_in_transaction_session_timeout"]) > 0
    assert {each.inputs["source"] for each in recorded.of(f"{KIND}Configuration")} == {"user-override"}


def test_nothing_rests_on_a_parameter_that_azure_would_silently_ignore(provision: Any) -> None:
    """A default of the new size is not set (pulumi-azure-native#4736), so `max_connections` stays as it was made."""
    names = {each.inputs["configurationName"] for each in provision(backend="azure").of(f"{KIND}Configuration")}

    assert "max_connections" not in names


def test_tls_is_enforced_and_the_servers_name_is_checked(provision: Any) -> None:
    """The roots are in every system's store; the intermediate ones change unannounced, so nothing is pinned."""
    recorded = provision(backend="azure")

    values = {each.inputs["configurationName"]: each.inputs["value"] for each in recorded.of(f"{KIND}Configuration")}
    assert values["require_secure_transport"] == "on"
    assert values["ssl_min_protocol_version"] == "TLSv1.2"
    assert recorded.outputs["session_db_uri"].endswith("?sslmode=verify-full&sslrootcert=system")
    assert recorded.outputs["ca_certificate"] == "system"


def test_an_extension_is_allowed_before_it_is_made(provision: Any) -> None:
    """`azure.extensions` is a parameter like any other, dot and all."""
    recorded = provision(backend="azure", azure={"parameters": {"azure.extensions": "PG_TRGM"}})

    names = {each.inputs["configurationName"] for each in recorded.of(f"{KIND}Configuration")}
    assert "azure.extensions" in names


def test_the_subnet_belongs_to_flexible_servers_alone(provision: Any) -> None:
    """And is /28 at least; the other half of the network is left to workloads."""
    subnet = provision(backend="azure", azure={"network": {"cidr": "10.9.0.0/27"}}).one("azure-native:network:Subnet")

    (delegation,) = subnet.inputs["delegations"]
    assert delegation["serviceName"] == "Microsoft.DBforPostgreSQL/flexibleServers"
    assert subnet.inputs["addressPrefix"] == "10.9.0.0/28"


def test_the_zone_is_named_as_azure_wants_it(provision: Any) -> None:
    """It ends in `.postgres.database.azure.com` and is never a server's own name."""
    recorded = provision(backend="azure")

    zone = recorded.one("azure-native:privatedns:PrivateZone").inputs["privateZoneName"]
    assert zone.endswith(".postgres.database.azure.com")
    assert zone.count(".") > "adk-sessions-g1.postgres.database.azure.com".count(".")


def test_destroy_ends_in_the_right_order(provision: Any) -> None:
    """Server before link, link before subnet: `InUseSubnetCannotBeDeleted` otherwise (azurerm#23150)."""
    recorded = provision(backend="azure")

    link = recorded.one("azure-native:privatedns:VirtualNetworkLink")
    assert "adk-sessions-network-link" in ends(recorded.one(SERVER).dependencies)
    assert "adk-sessions-network-servers" in ends(link.dependencies)


def test_nothing_has_a_name_that_stays_taken(provision: Any) -> None:
    """Servers and vaults are unique in the world, so Pulumi names them; deleted secrets keep their names for months."""
    recorded = provision(backend="azure", azure={"read_replicas": 1})

    for kind, key in {SERVER: "serverName", "azure-native:keyvault:Vault": "vaultName"}.items():
        assert recorded.of(kind)
        assert not [each.name for each in recorded.of(kind) if key in each.inputs]
    for secret in recorded.of("azure-native:keyvault:Secret"):
        assert secret.inputs["secretName"] == f"{secret.name}-1f0c2abd"
    suffix = recorded.one("random:index/randomId:RandomId")
    assert suffix.inputs["keepers"] == {"server": "adk-sessions", "secret": "adk-db-password"}


def test_the_writers_name_is_as_unique_as_its_server(provision: Any) -> None:
    """It is a name in the world's DNS, and Pulumi adds nothing to the name of what belongs to a server."""
    endpoint = provision(backend="azure", azure={"read_replicas": 1}).one(f"{KIND}VirtualEndpoint")

    assert endpoint.inputs["virtualEndpointName"] == "adk-sessions-g11f0c2abd-w"


@pytest.mark.parametrize("prefix", ["ab", "adk-sessions", "a" * 40, "abcdefghijkl-mnop"])
def test_a_vaults_name_fits_its_24_characters(provision: Any, prefix: str) -> None:
    """With the 8 that Pulumi adds; it begins with a letter and has no two hyphens in a row."""
    name = provision(backend="azure", azure={"server_prefix": prefix}).one("azure-native:keyvault:Vault").name

    assert len(name) + 8 <= 24
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)


@pytest.mark.parametrize("on", [True, False])
def test_deletion_is_refused_in_both_layers(provision: Any, *, on: bool) -> None:
    """The engine's protection, and a lock at the server that Azure itself keeps; dropping either is one setting."""
    recorded = provision(backend="azure", azure={"deletion_protection": on})

    protected = [*recorded.of(SERVER), *recorded.of(f"{KIND}Database")]
    assert {each.protect for each in protected} == {on}
    assert [each.inputs["level"] for each in recorded.of(LOCK)] == ["CanNotDelete"] * on
    assert [each.inputs["scope"] for each in recorded.of(LOCK)] == ["adk-sessions-g1-id"] * on


def test_the_locks_are_the_last_to_come_on_each_server(provision: Any) -> None:
    """A lock on the far replica holds for its firewall rules as well, and is made once nothing follows there."""
    recorded = provision(backend="azure", azure={**PUBLIC, "replica_region": "westeurope"})

    far, own = recorded.of(LOCK)
    assert [(far.name, far.inputs["scope"]), (own.name, own.inputs["scope"])] == [
        ("adk-sessions-g1-far-lock", "adk-sessions-g1-far-id"),
        ("adk-sessions-g1-lock", "adk-sessions-g1-id"),
    ]
    assert "adk-sessions-g1-far-lock" in ends(own.dependencies)
    assert "replica_protection: false" in far.inputs["notes"]


def test_one_generation_is_retired_while_the_other_stays_protected(provision: Any) -> None:
    """First unprotected, then dropped from the list."""
    retiring = {"servers": [{"id": "g1", "deletion_protection": False}, {"id": "g2"}], "active": "g2"}
    recorded = provision(backend="azure", azure=retiring)

    assert [each.protect for each in recorded.of(SERVER)] == [False, True]
    assert [each.name for each in recorded.of(LOCK)] == ["adk-sessions-g2-lock"]


def test_backups_are_as_long_and_as_far_as_asked(provision: Any) -> None:
    """7 to 35 days, which is the window of point-in-time recovery as well."""
    recorded = provision(backend="azure", azure={"backup": {"retention_days": 35, "copy_region": "swedensouth"}})

    assert recorded.one(SERVER).inputs["backup"] == {"backupRetentionDays": 35, "geoRedundantBackup": "Enabled"}
    assert recorded.outputs["backup_policy"]["pitr_window_days"] == 35


def test_the_record_promises_no_final_backup(provision: Any) -> None:
    """Backups go with their server; what there is are about five days in which it can often be revived."""
    final = provision(backend="azure").outputs["backup_policy"]["final_backup"]

    assert final.startswith("none that lasts")
    assert "5 days" in final


def test_minor_upgrades_need_no_change_and_major_ones_are_a_setting(provision: Any) -> None:
    """Only the major version is said, in a maintenance window that is said too."""
    server = provision(backend="azure", azure={"version": 18, "maintenance": {"day": "monday", "hour": 3}}).one(SERVER)

    assert server.inputs["version"] == "18"
    assert "version" not in server.ignore_changes
    assert server.inputs["maintenanceWindow"] == {
        "customWindow": "Enabled",
        "dayOfWeek": 1,
        "startHour": 3,
        "startMinute": 0,
    }


def test_a_firewall_lets_in_what_is_listed_and_never_all_of_azure(provision: Any) -> None:
    """A rule of 0.0.0.0 lets in every tenant of Azure."""
    rules = provision(backend="azure", azure=PUBLIC).of(f"{KIND}FirewallRule")

    found = [(each.inputs["startIpAddress"], each.inputs["endIpAddress"]) for each in rules]
    assert found == [("203.0.113.0", "203.0.113.255"), ("198.51.100.7", "198.51.100.7")]
    assert all(int(ipaddress.ip_address(first)) for first, _last in found)


def test_a_private_endpoint_leaves_no_public_way_in(provision: Any) -> None:
    """Looked up in the one zone where clients look, which the network is linked to."""
    recorded = provision(backend="azure", azure={**ENDPOINT, "read_replicas": 1})

    assert {each.inputs["network"]["publicNetworkAccess"] for each in recorded.of(SERVER)} == {"Disabled"}
    endpoints = recorded.of("azure-native:network:PrivateEndpoint")
    connections = [each.inputs["privateLinkServiceConnections"][0] for each in endpoints]
    assert [each["privateLinkServiceId"] for each in connections] == ["adk-sessions-g1-id", "adk-sessions-g1-r1-id"]
    assert {tuple(each["groupIds"]) for each in connections} == {("postgresqlServer",)}
    zone = recorded.one("azure-native:privatedns:PrivateZone").inputs["privateZoneName"]
    assert zone == "privatelink.postgres.database.azure.com"


def test_a_key_of_ones_own_is_unlocked_by_an_identity_of_the_server(provision: Any) -> None:
    """Without a version, so that the server follows each rotation of the key by itself."""
    recorded = provision(backend="azure", azure={"encryption_key": KEY})
    server = recorded.one(SERVER)

    assert server.inputs["dataEncryption"] == {
        "type": "AzureKeyVault",
        "primaryKeyURI": "https://example.vault.azure.net/keys/sessions",
        "primaryUserAssignedIdentityId": "adk-sessions-key-id",
    }
    assert server.inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {"adk-sessions-key-id": {}},
    }
    (grant,) = [each for each in recorded.of(GRANT) if each.inputs["scope"] == KEY]
    assert grant.inputs["principalId"] == "object-of-adk-sessions-key"
    assert grant.name in ends(server.dependencies), "the key has to be in reach before the server asks for it"


def test_copies_in_another_region_have_a_key_and_an_identity_over_there(provision: Any) -> None:
    """One identity for both vaults is refused, and so is a key in another region."""
    keys = {"encryption_key": KEY, "replica_encryption_key": FAR_KEY, "replica_region": "swedensouth"}
    recorded = provision(backend="azure", azure={**keys, "backup": {"copy_region": "swedensouth"}})
    server, replica = recorded.of(SERVER)

    assert server.inputs["dataEncryption"]["geoBackupKeyURI"] == "https://example-far.vault.azure.net/keys/sessions"
    assert server.inputs["dataEncryption"]["geoBackupUserAssignedIdentityId"] == "adk-sessions-copy-id"
    assert replica.inputs["dataEncryption"]["primaryKeyURI"] == "https://example-far.vault.azure.net/keys/sessions"
    assert server.inputs["identity"]["userAssignedIdentities"].keys() == {"adk-sessions-key-id", "adk-sessions-copy-id"}
    assert replica.inputs["identity"]["userAssignedIdentities"] == {"adk-sessions-copy-id": {}}
    identities = {
        each.name: each.inputs["location"] for each in recorded.of("azure-native:managedidentity:UserAssignedIdentity")
    }
    assert (identities["adk-sessions-key"], identities["adk-sessions-copy"]) == ("swedencentral", "swedensouth")


def test_long_operations_have_the_time_they_take(provision: Any) -> None:
    """A copy to another region takes hours, which no default allows."""
    for server in provision(backend="azure", azure={"replica_region": "westeurope"}).of(SERVER):
        assert server.create_timeout == "6h"


def test_alerts_go_out_under_their_wire_names(provision: Any) -> None:
    """A dict in a union of types would go out in snake_case, which Azure refuses and mocks do not."""
    for alert in provision(backend="azure").of("azure-native:monitor:MetricAlert"):
        (criterion,) = alert.inputs["criteria"]["allOf"]
        assert {"criterionType", "metricName", "timeAggregation", "threshold"} <= criterion.keys()
        assert alert.inputs["criteria"]["odataType"] == "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"


def test_an_adopted_server_stays_as_it_is(provision: Any) -> None:
    """An import with other inputs than the server has would fail, and a changed one would be no adoption."""
    recorded = provision(backend="azure", azure={"servers": [{"id": "g1", "adopt": ADOPTED}]})
    server, database = recorded.one(SERVER), recorded.one(f"{KIND}Database")

    assert server.import_id == ADOPTED
    assert database.import_id == f"{ADOPTED}/databases/adk_sessions"
    assert server.inputs["resourceGroupName"] == database.inputs["resourceGroupName"] == "elsewhere"
    described = server.inputs.keys() - {"resourceGroupName", "availabilityZone", "location"}
    assert described <= set(server.ignore_changes)
    assert "until `adopt` is taken out of the stack file" in recorded.outputs["runbook"]["connect"]
