"""What becomes of a resource: its name, its outputs, what replaces it, what refuses to go, and what an import knows."""

from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.plugin.behaviour import Behaviour, Call, State
from rehearsal.values import UNKNOWN, Secret, at

Find = Callable[[str], Behaviour]
Ask = Callable[[str], Call]

_CLOUD_SQL = "gcp:sql/databaseInstance:DatabaseInstance"
_RDS = "aws:rds/instance:Instance"
_FLEXIBLE = "azure-native:dbforpostgresql:Server"
_PASSWORD = "random:index/randomPassword:RandomPassword"


@pytest.mark.parametrize(
    ("token", "field", "pattern"),
    [
        (_CLOUD_SQL, "name", "adk-sessions-g1-"),
        (_RDS, "identifier", "adk-sessions-g1"),
        (_FLEXIBLE, "serverName", "adk-sessions-g1"),
        ("gcp:secretmanager/secret:Secret", "secretId", "adk-sessions-g1-"),
        ("aws:secretsmanager/secret:Secret", "name", "adk-sessions-g1-"),
    ],
)
def test_a_nameless_resource_gets_a_name_and_keeps_it(
    token: str, field: str, pattern: str, behaviour: Find, call: Ask
) -> None:
    """The logical name and random digits, as each provider joins them; a later check draws no other."""
    first, _ = behaviour(token).check(call(token), {}, {})
    again, _ = behaviour(token).check(Call("urn", {}, "adk-sessions-g1", b"another"), first, {})
    fresh, _ = behaviour(token).check(Call("urn", {}, "adk-sessions-g1", b"another"), {}, {})

    assert first[field].startswith(pattern)
    assert len(first[field]) == len(pattern) + (8 if "azure" in token else 7)
    assert again[field] == first[field] != fresh[field]


def test_a_name_of_the_programs_own_stands(behaviour: Find, call: Ask) -> None:
    """No digits are put to it, also where an earlier name was generated."""
    generated, _ = behaviour(_RDS).check(call(_RDS), {}, {})
    named, _ = behaviour(_RDS).check(call(_RDS), generated, {"identifier": "adk-sessions"})

    assert named["identifier"] == "adk-sessions"


@pytest.mark.parametrize(
    ("token", "old", "new", "replaced"),
    [
        (_CLOUD_SQL, {"settings": {"tier": "db-custom-2-7680"}}, {"settings": {"tier": "db-custom-4-15360"}}, []),
        (_CLOUD_SQL, {"region": "europe-west1"}, {"region": "europe-west4"}, ["region"]),
        (
            _CLOUD_SQL,
            {"settings": {"diskSize": 40, "diskAutoresize": False}},
            {"settings": {"diskSize": 20, "diskAutoresize": False}},
            ["settings.diskSize"],
        ),
        (
            _CLOUD_SQL,
            {"settings": {"diskSize": 20, "diskAutoresize": False}},
            {"settings": {"diskSize": 40, "diskAutoresize": False}},
            [],
        ),
        (_CLOUD_SQL, {"settings": {"diskSize": 20}}, {"settings": {"diskSize": 40}}, []),
        (
            _CLOUD_SQL,
            {"settings": {"ipConfiguration": {"privateNetwork": "n", "ipv4Enabled": True}}},
            {"settings": {"ipConfiguration": {"ipv4Enabled": True}}},
            ["settings.ipConfiguration.privateNetwork"],
        ),
        (_CLOUD_SQL, {}, {"settings": {"collation": "C"}}, ["settings"]),
        (_RDS, {"engineVersion": "17"}, {"engineVersion": "18"}, []),
        (_RDS, {"identifier": "a"}, {"identifier": "b"}, []),
        (_RDS, {"restoreToPointInTime": {"useLatestRestorableTime": True}}, {}, ["restoreToPointInTime"]),
        (
            _RDS,
            {"restoreToPointInTime": {"restoreTime": "a"}},
            {"restoreToPointInTime": {"restoreTime": "b"}},
            ["restoreToPointInTime.restoreTime"],
        ),
        (_RDS, {"kmsKeyId": "a"}, {"kmsKeyId": UNKNOWN}, ["kmsKeyId"]),
        (_FLEXIBLE, {"highAvailability": {"mode": "Disabled"}}, {"highAvailability": {"mode": "SameZone"}}, []),
        (_FLEXIBLE, {"administratorLogin": "a"}, {"administratorLogin": "b"}, ["administratorLogin"]),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"cidrIpv4": "a"}, {"cidrIpv4": "b"}, []),
        (
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"cidrIpv4": "a"},
            {"referencedSecurityGroupId": "b"},
            ["cidrIpv4", "referencedSecurityGroupId"],
        ),
        (_PASSWORD, {"length": 20}, {"length": 24}, ["length"]),
        (_PASSWORD, {"keepers": {"g": "1"}}, {"keepers": {"g": "2"}}, ["keepers.g"]),
    ],
)
def test_only_what_cannot_change_in_place_replaces(
    token: str, old: dict[str, Any], new: dict[str, Any], replaced: list[str], behaviour: Find
) -> None:
    """Each change is seen, and those of the tables replace, with their paths."""
    found = behaviour(token).diff(old, new, [])

    assert found.changes
    assert [change.where for change in found.replacing] == replaced


def test_what_the_program_ignores_is_no_change(behaviour: Find) -> None:
    """A path under `ignoreChanges`, with all that is below it."""
    old = {"settings": {"diskSize": 20, "tier": "a"}, "clone": {"sourceInstanceName": "g1"}}
    new = {"settings": {"diskSize": 40, "tier": "a"}}

    assert behaviour(_CLOUD_SQL).diff(old, new, ["settings.diskSize", "clone"]).changes == []


def test_an_equal_secret_is_no_change(behaviour: Find) -> None:
    """Marks are looked through: the values are compared."""
    assert behaviour(_RDS).diff({"password": Secret("a")}, {"password": Secret("a")}, []).changes == []
    assert len(behaviour(_RDS).diff({"password": Secret("a")}, {"password": Secret("b")}, []).changes) == 1


@pytest.mark.parametrize(
    ("token", "named", "first"),
    [
        (_CLOUD_SQL, {"name": "a", "region": "x"}, True),
        (_CLOUD_SQL, {"name": "a", "region": "x", "__defaults": ["name"]}, False),
        (_FLEXIBLE, {"serverName": "a", "location": "x"}, True),
        (_FLEXIBLE, {"serverName": "a", "location": "x", "__defaults": ["serverName"]}, False),
        ("azure-native:dbforpostgresql:Database", {"databaseName": "b", "serverName": "x"}, True),
    ],
)
def test_a_fixed_name_is_deleted_before_it_is_made_again(
    token: str, named: dict[str, Any], first: object, behaviour: Find
) -> None:
    """As the providers do: with a generated name the new one is made first."""
    before: dict[str, Any] = {key: "old" for key in ("region", "location", "databaseName") if key in named}
    old = {**named, **before}

    assert behaviour(token).diff(old, named, []).delete_first is first


def test_a_preview_knows_no_more_than_the_program(behaviour: Find, call: Ask) -> None:
    """Computed outputs are unknown, and those that will be secret are marked already."""
    identity, outputs = behaviour(_CLOUD_SQL).create(call(_CLOUD_SQL), {"region": "europe-west1"}, preview=True)

    assert identity == ""
    assert outputs["region"] == "europe-west1"
    assert outputs["connectionName"] is UNKNOWN
    assert outputs["serverCaCerts"] == Secret(UNKNOWN)


def test_servers_answer_with_an_address_of_their_vendor(behaviour: Find, call: Ask) -> None:
    """In the vendor's own form, region and name in it."""
    wanted: dict[str, dict[str, Any]] = {
        _CLOUD_SQL: {"name": "g1", "region": "europe-west1", "settings": {}},
        _RDS: {"identifier": "g1"},
        _FLEXIBLE: {"serverName": "g1", "resourceGroupName": "rg"},
    }
    outputs = {
        token: behaviour(token).create(call(token), inputs, preview=False)[1] for token, inputs in wanted.items()
    }

    assert outputs[_CLOUD_SQL]["connectionName"] == "example-project:europe-west1:g1"
    assert "-----BEGIN CERTIFICATE-----" in at(outputs[_CLOUD_SQL], "serverCaCerts")[0]["cert"]
    assert outputs[_RDS]["endpoint"].endswith(".eu-central-1.rds.amazonaws.com:5432")
    assert outputs[_FLEXIBLE]["fullyQualifiedDomainName"] == "g1.postgres.database.azure.com"


def test_an_update_keeps_what_the_cloud_said(behaviour: Find, call: Ask) -> None:
    """An address stays where it is when the machine changes."""
    inputs = {"identifier": "g1", "instanceClass": "db.m7g.large"}
    _, outputs = behaviour(_RDS).create(call(_RDS), inputs, preview=False)
    bigger = {**inputs, "instanceClass": "db.m7g.xlarge"}
    updated = behaviour(_RDS).update(call(_RDS), State(inputs, outputs), bigger, preview=False)

    assert updated == {**outputs, "instanceClass": "db.m7g.xlarge"}


def test_a_restored_server_takes_a_second_run_on_rds(behaviour: Find, call: Ask) -> None:
    """The restoring call knows neither insights nor the window (hashicorp/terraform-provider-aws#47742)."""
    asked = {"maintenanceWindow": "sun:04:00-sun:05:00", "performanceInsightsEnabled": True, "multiAz": True}
    inputs = {"identifier": "g2", "restoreToPointInTime": {"sourceDbInstanceIdentifier": "g1"}, **asked}
    _, outputs = behaviour(_RDS).create(call(_RDS), inputs, preview=False)

    later = behaviour(_RDS).diff(behaviour(_RDS).there(inputs, outputs), inputs, [])
    assert {each.where for each in later.changes} == {"maintenanceWindow", "performanceInsightsEnabled"}
    assert not later.replacing
    outputs = behaviour(_RDS).update(call(_RDS), State(inputs, outputs), inputs, preview=False)
    assert behaviour(_RDS).diff(behaviour(_RDS).there(inputs, outputs), inputs, []).changes == []


def test_a_new_server_takes_one_run_on_rds(behaviour: Find, call: Ask) -> None:
    """It is made with all that the program says."""
    inputs = {"identifier": "g1", "maintenanceWindow": "sun:04:00-sun:05:00", "performanceInsightsEnabled": True}
    _, outputs = behaviour(_RDS).create(call(_RDS), inputs, preview=False)

    assert behaviour(_RDS).diff(behaviour(_RDS).there(inputs, outputs), inputs, []).changes == []


@pytest.mark.parametrize(
    ("token", "outputs", "reason"),
    [
        (_CLOUD_SQL, {"deletionProtection": True}, "deletion_protection is set to true"),
        (_CLOUD_SQL, {"settings": {"deletionProtectionEnabled": True}}, "The instance is protected"),
        (_RDS, {"deletionProtection": True}, "Cannot delete protected DB Instance"),
        (_RDS, {"skipFinalSnapshot": False}, "final_snapshot_identifier is required"),
    ],
)
def test_a_protected_server_does_not_go(
    token: str, outputs: dict[str, Any], reason: str, behaviour: Find, call: Ask
) -> None:
    """Neither layer lets it, and RDS wants its last snapshot to have a name."""
    with pytest.raises(RehearsalError, match=reason):
        behaviour(token).delete(call(token), "g1", outputs)


@pytest.mark.parametrize(
    ("token", "identity", "known"),
    [
        (_CLOUD_SQL, "projects/p/instances/old", {"project": "p", "name": "old"}),
        (_RDS, "old", {"identifier": "old"}),
        (
            _FLEXIBLE,
            "/subscriptions/0/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/old",
            {"resourceGroupName": "rg", "serverName": "old"},
        ),
    ],
)
def test_an_import_reads_what_its_id_says_and_no_more(
    token: str, identity: str, known: dict[str, str], behaviour: Find, call: Ask
) -> None:
    """The program adds what it wants; what contradicts the id is a difference, which the engine refuses to import."""
    inputs, outputs = behaviour(token).read(call(token), identity, {}, {}) or ({}, {})
    name = list(known.values())[-1]
    field = list(known)[-1]

    assert known.items() <= inputs.items()
    assert outputs
    assert behaviour(token).diff(inputs, {**inputs, "tags": {"team": "agents"}}, []).changes == []
    assert behaviour(token).diff(inputs, {**inputs, field: f"{name}-2"}, []).changes != []


def test_a_refresh_finds_what_the_state_knows(behaviour: Find, call: Ask) -> None:
    """A stand-in without state has no drift."""
    inputs, outputs = {"identifier": "g1"}, {"identifier": "g1", "address": "somewhere"}

    assert behaviour(_RDS).read(call(_RDS), "db-1", inputs, outputs) == (inputs, outputs)


def test_a_password_is_as_long_and_as_plain_as_asked(behaviour: Find, call: Ask) -> None:
    """Length, kinds and minima are honoured; what comes out is secret, and the id does not tell it."""
    inputs = {"length": 40, "special": False, "minUpper": 30}
    identity, outputs = behaviour(_PASSWORD).create(call(_PASSWORD), inputs, preview=False)
    _, other = behaviour(_PASSWORD).create(call(_PASSWORD), inputs, preview=False)

    assert isinstance(outputs["result"], Secret)
    assert isinstance(outputs["bcryptHash"], Secret)
    text = outputs["result"].value
    assert (len(text), text.isalnum(), identity) == (40, True, "none")
    assert sum(letter.isupper() for letter in text) >= 30
    assert other["result"] != outputs["result"]
