"""Cloud SQL as google-api-python-client sees it: the real SDK, unpatched, with nothing but another endpoint."""

import datetime as dt
import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient

Ask = Callable[[str, str], list[Any]]
Run = Callable[[Any], dict[str, Any]]
NAME = "adk-sessions"
PROJECT = "adk-rehearsal"
HERE = {"project": PROJECT, "instance": NAME}


@pytest.fixture(scope="module")
def production(folder: Path) -> ControlPlaneClient:
    """A control plane with one server of production."""
    plane = client.connect(folder)
    plane.call(
        "servers.create",
        cloud="gcp",
        name=NAME,
        version="17",
        owner="adk_owner",
        password="change-me",
        database="adk",
        standby=True,
        storage_gib=20,
        attributes={
            "databaseVersion": "POSTGRES_17",
            "rootPassword": "change-me",
            "settings": {"tier": "db-custom-2-7680", "diskSize": 20, "deletionProtectionEnabled": True},
        },
    )
    return plane


@pytest.fixture(scope="module")
def sql(production: ControlPlaneClient) -> Iterator[Any]:
    """The SDK; its description of the API comes with it, so that nothing is looked up."""
    made = importlib.import_module("googleapiclient.discovery").build(
        "sqladmin",
        "v1",
        credentials=importlib.import_module("google.auth.credentials").AnonymousCredentials(),
        client_options={"api_endpoint": f"{production.url}/gcp/"},
        static_discovery=True,
        cache_discovery=False,
    )
    yield made
    made.close()


@pytest.fixture
def refusal() -> type[Exception]:
    """What the SDK raises."""
    error: type[Exception] = importlib.import_module("googleapiclient.errors").HttpError
    return error


@pytest.fixture
def run(sql: Any) -> Run:
    """Executes a request and waits for the end of its operation, which is returned."""

    def until_done(request: Any) -> dict[str, Any]:
        operation = request.execute()
        while operation["status"] != "DONE":
            time.sleep(0.1)
            operation = sql.operations().get(project=PROJECT, operation=operation["name"]).execute()
        return dict(operation)

    return until_done


@pytest.fixture
def instance(sql: Any) -> Callable[..., dict[str, Any]]:
    """Describes an instance."""

    def describe(name: str = NAME) -> dict[str, Any]:
        return dict(sql.instances().get(project=PROJECT, instance=name).execute())

    return describe


def test_an_instance_is_described_as_it_was_asked_for(sql: Any, production: ControlPlaneClient, instance: Any) -> None:
    """And as it runs; no password is anywhere."""
    found = instance()

    assert found["state"] == "RUNNABLE"
    assert found["connectionName"] == f"{PROJECT}:europe-west3:{NAME}"
    assert found["dnsName"].endswith(".europe-west3.sql.goog.")
    assert found["ipAddresses"][0]["type"] == "PRIVATE"
    assert found["settings"]["availabilityType"] == "REGIONAL"
    assert found["settings"]["dataDiskSizeGb"] == "20"
    assert found["gceZone"] != found["secondaryGceZone"]
    assert found["selfLink"] == f"{production.url}/gcp/v1/projects/{PROJECT}/instances/{NAME}"
    assert "change-me" not in str(found)
    assert NAME in [each["name"] for each in sql.instances().list(project=PROJECT).execute()["items"]]


def test_an_instance_that_is_not_there_is_not_found(instance: Any, refusal: type[Exception]) -> None:
    """With Google's reason."""
    with pytest.raises(refusal, match="The Cloud SQL instance does not exist") as refused:
        instance("nobody")

    assert vars(refused.value)["resp"].status == 404


def test_a_failover_changes_the_zone_and_loses_nothing(
    sql: Any, run: Run, instance: Any, refusal: type[Exception], ask_at: Ask
) -> None:
    """While it goes on, everything else is refused, as in life; the name and the address stay."""
    before = instance()
    host, version = before["dnsName"].rstrip("."), before["settings"]["settingsVersion"]
    ask_at(host, "CREATE TABLE IF NOT EXISTS kept ()")
    body = {"failoverContext": {"settingsVersion": version}}

    began = sql.instances().failover(**HERE, body=body).execute()
    with pytest.raises(refusal, match="another operation was already in progress") as refused:
        sql.instances().failover(**HERE, body=body).execute()
    ended = run(sql.operations().get(project=PROJECT, operation=began["name"]))
    after = instance()

    assert vars(refused.value)["resp"].status == 409
    assert (began["operationType"], began["status"], ended["targetId"]) == ("FAILOVER", "RUNNING", NAME)
    assert (after["gceZone"], after["secondaryGceZone"]) == (before["secondaryGceZone"], before["gceZone"])
    assert (after["dnsName"], after["ipAddresses"]) == (before["dnsName"], before["ipAddresses"])
    assert ask_at(host, "SELECT to_regclass('kept')::text") == [("kept",)]


def test_a_failover_of_old_settings_is_refused(sql: Any, refusal: type[Exception]) -> None:
    """The settings version tells that somebody else has changed the instance."""
    with pytest.raises(refusal, match="settings version"):
        sql.instances().failover(**HERE, body={"failoverContext": {"settingsVersion": "99"}}).execute()


def test_a_clone_has_what_was_there_at_the_moment(sql: Any, run: Run, instance: Any, ask_at: Ask) -> None:
    """With the source's settings and its protection; a deleted name stays reserved."""
    host = instance()["dnsName"].rstrip(".")
    ask_at(host, "CREATE TABLE marks (word text)")
    ask_at(host, "INSERT INTO marks VALUES ('before')")
    ((moment,),) = ask_at(host, "SELECT clock_timestamp()")
    ask_at(host, "INSERT INTO marks VALUES ('after')")
    while _latest(sql) <= moment:
        pass

    context = {"destinationInstanceName": "restored", "pointInTime": moment.isoformat()}
    operation = run(sql.instances().clone(**HERE, body={"cloneContext": context}))
    found = instance("restored")

    assert "error" not in operation
    assert ask_at(found["dnsName"].rstrip("."), "SELECT word FROM marks") == [("before",)]
    assert found["settings"]["tier"] == "db-custom-2-7680"
    assert found["settings"]["deletionProtectionEnabled"]
    _discard(sql, run, "restored")
    with pytest.raises(Exception, match="cannot reuse the name"):
        sql.instances().clone(**HERE, body={"cloneContext": context}).execute()


@pytest.mark.parametrize(
    ("words", "context"),
    [
        ("cannot be recovered", {"pointInTime": "2020-01-01T00:00:00Z"}),
        ("expected a moment", {"pointInTime": "yesterday"}),
        ("is required", {"destinationInstanceName": ""}),
        ("already exists", {"destinationInstanceName": NAME}),
    ],
)
def test_a_clone_that_cannot_be_is_refused(
    sql: Any, refusal: type[Exception], words: str, context: dict[str, str]
) -> None:
    """With a sentence."""
    with pytest.raises(refusal, match=words):
        sql.instances().clone(**HERE, body={"cloneContext": {"destinationInstanceName": "never", **context}}).execute()


def test_a_protected_instance_is_deleted_only_without_its_protection(
    sql: Any, run: Run, refusal: type[Exception]
) -> None:
    """And its final backup outlives it."""
    run(sql.instances().clone(**HERE, body={"cloneContext": {"destinationInstanceName": "protected"}}))

    with pytest.raises(refusal, match="The instance is protected"):
        sql.instances().delete(project=PROJECT, instance="protected").execute()
    _discard(sql, run, "protected", enableFinalBackup=True)

    backups = sql.Backups().ListBackups(parent=f"projects/{PROJECT}").execute()["backups"]
    assert ("protected", "FINAL") in [(each["instance"], each["type"]) for each in backups]


def test_a_backup_is_listed_while_it_is_made_and_after(sql: Any, run: Run) -> None:
    """The newest first."""
    run(sql.backupRuns().insert(**HERE, body={}))

    (newest, *_) = sql.backupRuns().list(**HERE).execute()["items"]

    assert (newest["status"], newest["type"]) == ("SUCCESSFUL", "ON_DEMAND")


def test_flags_come_into_force(sql: Any, run: Run, instance: Any, ask_at: Ask) -> None:
    """Cloud SQL restarts by itself where one needs it."""
    flags = [{"name": "max_connections", "value": "55"}]
    run(sql.instances().patch(**HERE, body={"settings": {"databaseFlags": flags}}))

    assert ask_at(instance()["dnsName"].rstrip("."), "SHOW max_connections") == [("55",)]
    assert instance()["settings"]["databaseFlags"] == flags


def test_a_change_that_postgresql_refuses_fails_in_its_operation(sql: Any, run: Run, instance: Any) -> None:
    """With the reason; the instance stays as it was."""
    before = instance()["settings"].get("databaseFlags")
    flags = [{"name": "max_connections", "value": "many"}]

    operation = run(sql.instances().patch(**HERE, body={"settings": {"databaseFlags": flags}}))

    assert operation["error"]["errors"][0]["code"] == "InvalidParameterValue"
    assert instance()["settings"].get("databaseFlags") == before


def test_a_fault_reaches_the_sdk_as_google_says_it(
    sql: Any, production: ControlPlaneClient, refusal: type[Exception]
) -> None:
    """Once; then all is well."""
    production.call("faults.add", type="api", operation="instances.list", fault="throttle", cloud="gcp")

    with pytest.raises(refusal, match="Quota exceeded"):
        sql.instances().list(project=PROJECT).execute()
    sql.instances().list(project=PROJECT).execute()


def _latest(sql: Any) -> dt.datetime:
    found = sql.projects().instances().getLatestRecoveryTime(**HERE).execute()
    return dt.datetime.fromisoformat(found["latestRecoveryTime"])


def _discard(sql: Any, run: Run, name: str, **how: Any) -> None:
    where = {"project": PROJECT, "instance": name}
    run(sql.instances().patch(**where, body={"settings": {"deletionProtectionEnabled": False}}))
    run(sql.instances().delete(**where, **how))
