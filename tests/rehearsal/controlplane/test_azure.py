"""Azure Database for PostgreSQL as Microsoft's SDK sees it: unpatched, with nothing but another endpoint."""

import datetime as dt
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient

Ask = Callable[[str, str], list[Any]]
NAME = "adk-sessions"
GROUP = "adk-rehearsal"
HERE = (GROUP, NAME)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def production(folder: Path) -> ControlPlaneClient:
    """A control plane with one server of production."""
    plane = client.connect(folder)
    plane.call(
        "servers.create",
        cloud="azure",
        name=NAME,
        version="17",
        owner="adk_owner",
        password="change-me",
        database="adk",
        standby=True,
        storage_gib=32,
        attributes={
            "serverName": NAME,
            "resourceGroupName": GROUP,
            "location": "germanywestcentral",
            "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
            "administratorLoginPassword": "change-me",
            "backup": {"backupRetentionDays": 14},
            "highAvailability": {"mode": "ZoneRedundant"},
        },
    )
    return plane


@pytest.fixture(scope="module")
def azure(production: ControlPlaneClient) -> Iterator[Any]:
    """The SDK; without a proof of identity, which it gives over HTTPS alone, and without second tries."""
    policies = importlib.import_module("azure.core.pipeline.policies")
    made = importlib.import_module("azure.mgmt.postgresqlflexibleservers").PostgreSQLManagementClient(
        object(),
        SUBSCRIPTION,
        base_url=f"{production.url}/azure",
        authentication_policy=policies.SansIOHTTPPolicy(),
        polling_interval=1,
        retry_total=0,
    )
    yield made
    made.close()


@pytest.fixture
def refusal() -> type[Exception]:
    """What the SDK raises."""
    error: type[Exception] = importlib.import_module("azure.core.exceptions").HttpResponseError
    return error


def test_a_server_is_described_as_it_was_asked_for(azure: Any) -> None:
    """And as it runs; no password is anywhere."""
    found = azure.servers.get(*HERE)

    assert found.state == "Ready"
    assert found.fully_qualified_domain_name == f"{NAME}.postgres.database.azure.com"
    assert found.sku.name == "Standard_D2ds_v5"
    assert (found.high_availability.mode, found.high_availability.state) == ("ZoneRedundant", "Healthy")
    assert found.high_availability.standby_availability_zone != found.availability_zone
    assert found.backup.backup_retention_days == 14
    assert isinstance(found.backup.earliest_restore_date, dt.datetime)
    assert found.storage.storage_size_gb == 32
    assert found.id.endswith(f"/resourceGroups/{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{NAME}")
    assert "change-me" not in str(found.as_dict())


def test_servers_are_listed_by_group_and_by_subscription(azure: Any) -> None:
    """Another group has none."""
    assert NAME in [each.name for each in azure.servers.list_by_resource_group(GROUP)]
    assert NAME in [each.name for each in azure.servers.list_by_subscription()]
    assert list(azure.servers.list_by_resource_group("another")) == []


def test_a_server_that_is_not_there_is_not_found(azure: Any, refusal: type[Exception]) -> None:
    """Nor is one of another group."""
    for group, name in ((GROUP, "nobody"), ("another", NAME)):
        with pytest.raises(refusal, match="ResourceNotFound"):
            azure.servers.get(group, name)


@pytest.mark.parametrize("mode", ["ForcedFailover", "PlannedFailover"])
def test_a_failover_changes_the_zone_and_loses_nothing(
    azure: Any, refusal: type[Exception], ask_at: Ask, mode: str
) -> None:
    """While it goes on, everything else is refused, as in life; the host name stays."""
    before = azure.servers.get(*HERE)
    host = before.fully_qualified_domain_name
    ask_at(host, "CREATE TABLE IF NOT EXISTS kept ()")

    poller = azure.servers.begin_restart(*HERE, {"restartWithFailover": True, "failoverMode": mode})
    with pytest.raises(refusal, match="ServerIsBusy") as refused:
        azure.servers.begin_restart(*HERE)
    during = azure.servers.get(*HERE)
    poller.result()
    after = azure.servers.get(*HERE)

    assert vars(refused.value)["status_code"] == 409
    assert (during.state, during.high_availability.state) == ("Restarting", "FailingOver")
    assert (after.availability_zone, after.high_availability.standby_availability_zone) == (
        before.high_availability.standby_availability_zone,
        before.availability_zone,
    )
    assert ask_at(host, "SELECT to_regclass('kept')::text") == [("kept",)]


def test_a_failover_needs_a_mode_that_there_is(azure: Any, refusal: type[Exception]) -> None:
    """The refusal names those that there are."""
    with pytest.raises(refusal, match="PlannedFailover or ForcedFailover"):
        azure.servers.begin_restart(*HERE, {"restartWithFailover": True, "failoverMode": "Somehow"})


def test_a_restore_has_what_was_there_at_the_moment(azure: Any, refusal: type[Exception], ask_at: Ask) -> None:
    """In a new server, with the source's machine, but without a standby; deleted, its name is free again."""
    source = azure.servers.get(*HERE)
    host = source.fully_qualified_domain_name
    ask_at(host, "CREATE TABLE marks (word text)")
    ask_at(host, "INSERT INTO marks VALUES ('before')")
    ((moment,),) = ask_at(host, "SELECT clock_timestamp()")
    ask_at(host, "INSERT INTO marks VALUES ('after')")
    wanted = {
        "location": source.location,
        "properties": {
            "createMode": "PointInTimeRestore",
            "sourceServerResourceId": source.id,
            "pointInTimeUTC": moment.isoformat(),
        },
    }

    found = azure.servers.begin_create_or_update(GROUP, "restored", wanted).result()

    assert found.state == "Ready"
    assert ask_at(found.fully_qualified_domain_name, "SELECT word FROM marks") == [("before",)]
    assert found.sku.name == source.sku.name
    assert found.high_availability.mode == "Disabled"
    with pytest.raises(refusal, match="no high availability"):
        azure.servers.begin_restart(GROUP, "restored", {"restartWithFailover": True, "failoverMode": "ForcedFailover"})
    azure.servers.begin_delete(GROUP, "restored").result()
    assert "restored" not in [each.name for each in azure.servers.list_by_subscription()]


@pytest.mark.parametrize(
    ("words", "name", "asked"),
    [
        ("pointInTimeUTC", "never", {"pointInTimeUTC": "2020-01-01T00:00:00Z"}),
        ("ServerNameAlreadyExists", NAME, {}),
        ("ResourceNotFound", "never", {"sourceServerResourceId": "/nobody"}),
        ("createMode", "never", {"createMode": "GeoRestore"}),
    ],
)
def test_a_restore_that_cannot_be_is_refused(
    azure: Any, refusal: type[Exception], words: str, name: str, asked: dict[str, str]
) -> None:
    """With a code and a sentence."""
    properties = {"createMode": "PointInTimeRestore", "sourceServerResourceId": f"/{NAME}", **asked}
    with pytest.raises(refusal, match=words):
        azure.servers.begin_create_or_update(GROUP, name, {"location": "germanywestcentral", "properties": properties})


def test_a_locked_server_is_deleted_only_without_its_lock(
    azure: Any, production: ControlPlaneClient, refusal: type[Exception]
) -> None:
    """A lock is a thing that needs the server."""
    words = {"code": "ScopeLocked", "message": "The scope cannot perform delete operation: {by}", "status": 409}
    need = {"id": f"server/{NAME}", "in_use": words}
    production.call("things.put", cloud="azure", type="lock", id="lock-1", needs=[need])

    with pytest.raises(refusal, match=r"ScopeLocked.*lock-1"):
        azure.servers.begin_delete(*HERE)
    production.call("things.remove", cloud="azure", id="lock-1")


def test_a_standby_can_be_done_without_and_made_again(azure: Any) -> None:
    """High availability is a property that an update changes."""
    alone = azure.servers.begin_update(*HERE, {"properties": {"highAvailability": {"mode": "Disabled"}}}).result()
    both = azure.servers.begin_update(*HERE, {"properties": {"highAvailability": {"mode": "ZoneRedundant"}}}).result()

    assert [each.high_availability.mode for each in (alone, both)] == ["Disabled", "ZoneRedundant"]


def test_a_backup_on_demand_is_listed(azure: Any, refusal: type[Exception]) -> None:
    """Once under a name."""
    azure.backups_automatic_and_on_demand.begin_create(*HERE, "by-hand").result()

    assert "by-hand" in [each.name for each in azure.backups_automatic_and_on_demand.list_by_server(*HERE)]
    with pytest.raises(refusal, match="BackupAlreadyExists"):
        azure.backups_automatic_and_on_demand.begin_create(*HERE, "by-hand")


def test_plugins_are_refused_too_while_the_server_is_busy(azure: Any, production: ControlPlaneClient) -> None:
    """Azure's provider does not wait: the program has to put one thing after the other."""
    poller = azure.servers.begin_restart(*HERE)

    with pytest.raises(Exception, match="ServerIsBusy"):
        production.call("databases.create", cloud="azure", server=NAME, name="other")
    poller.result()
    production.call("databases.create", cloud="azure", server=NAME, name="other")

    assert production.call("servers.describe", cloud="azure", name=NAME)["databases"] == ["adk", "other"]
    production.call("databases.delete", cloud="azure", server=NAME, name="other")


def test_a_fault_reaches_the_sdk_as_azure_says_it(
    azure: Any, production: ControlPlaneClient, refusal: type[Exception]
) -> None:
    """Once; then all is well."""
    production.call("faults.add", type="api", operation="servers.get", fault="throttle", cloud="azure")

    with pytest.raises(refusal, match="TooManyRequests"):
        azure.servers.get(*HERE)
    azure.servers.get(*HERE)
