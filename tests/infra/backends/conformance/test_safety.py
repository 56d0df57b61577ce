"""Production is safe on every cloud without being asked: nothing open, nothing in clear, nothing unprotected."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.runtime.rpc import is_rpc_secret

from rehearsal.schemas.sdk import resource_schema

GENERATED = "change-me"

PACKAGES = {"gcp": "pulumi_gcp", "aws": "pulumi_aws", "azure-native": "pulumi_azure_native"}


def values(value: Any) -> Iterator[Any]:
    """Every value in an input that is not inside a secret."""
    if is_rpc_secret(value):
        return
    if isinstance(value, dict):
        for each in value.values():
            yield from values(each)
    elif isinstance(value, list):
        for each in value:
            yield from values(each)
    else:
        yield value


MODES = [{}, {"read_replicas": 1}, {"auth": "iam"}, {"rotation": 3}, {"high_availability": False}]


def section(cloud: Any, **changes: Any) -> dict[str, Any]:
    """A section with the identities that `auth: iam` needs."""
    iam = {"iam": cloud.iam} if changes.get("auth") == "iam" and cloud.iam else {}
    return dict(cloud.section(**changes, **iam))


@pytest.mark.parametrize("changes", MODES, ids=str)
def test_no_generated_password_is_in_any_input_in_clear(cloud: Any, provision: Any, changes: dict[str, Any]) -> None:
    """What is not marked secret is readable in the state."""
    recording = provision(backend=cloud.name, **section(cloud, **changes))
    clear = [(each.type, each.name) for each in recording.resources if GENERATED in str(list(values(each.inputs)))]

    assert clear == []


@pytest.mark.parametrize("mode", ["private", "public"])
def test_the_whole_internet_is_let_in_nowhere(cloud: Any, provision: Any, mode: str) -> None:
    """Not as a block, not as a range, not on the way out."""
    network = {"mode": mode, **({"allowed_cidrs": ["203.0.113.0/24"]} if mode == "public" else {})}
    recording = provision(backend=cloud.name, **cloud.section(network=network))
    clear = [str(value) for each in recording.resources for value in values(each.inputs)]
    servers = [each for each in recording.resources if each.type.endswith(("FirewallRule", "IngressRule"))]

    if mode == "private":
        assert not any("0.0.0.0/0" in value or "::/0" in value for value in clear)
    assert not any("0.0.0.0" in str(each.inputs) or "::/0" in str(each.inputs) for each in servers)  # noqa: S104
    if mode == "public":
        assert any("203.0.113.0" in value for value in clear)


def test_the_server_is_private_and_has_a_standby_by_default(cloud: Any, provision: Any) -> None:
    """Nobody has to know the words for it."""
    inputs = provision(backend=cloud.name, **cloud.section()).one(cloud.server).inputs

    said = json.dumps(inputs, default=str)
    assert {
        "gcp": '"availabilityType": "REGIONAL"',
        "aws": '"multiAz": true',
        "azure": '"mode": "ZoneRedundant"',
    }[cloud.name] in said
    assert {
        "gcp": '"ipv4Enabled": false',
        "aws": '"publiclyAccessible": false',
        "azure": '"publicNetworkAccess": "Disabled"',
    }[cloud.name] in said


def test_servers_are_protected_twice_and_replicas_may_go(cloud: Any, provision: Any) -> None:
    """By the engine and by the cloud; what a replica holds its leader holds."""
    recording = provision(backend=cloud.name, **cloud.section(read_replicas=1))
    protected = {each.name: each.protect for each in recording.of(cloud.server)}

    assert sorted(protected.values()) == [False, True]
    assert protected["adk-sessions-g1"]
    lock = {"gcp": '"deletionProtectionEnabled": true', "aws": '"deletionProtection": true', "azure": "CanNotDelete"}
    everything = json.dumps([each.inputs for each in recording.resources], default=str)
    assert lock[cloud.name] in everything


FAR_LOCKS = {
    "gcp": '"deletionProtectionEnabled": true',
    "aws": '"deletionProtection": true',
    "azure": "adk-sessions-g1-far-id",
}


def far_replica(cloud: Any, recording: Any) -> tuple[bool, bool]:
    """Whether the engine, and whether the cloud protects the replica in the other region."""
    (replica,) = [each for each in recording.of(cloud.server) if each.name != "adk-sessions-g1"]
    locks = recording.of("azure-native:authorization:ManagementLockByScope")
    said = json.dumps([replica.inputs, *(each.inputs for each in locks)], default=str)
    return replica.protect, FAR_LOCKS[cloud.name] in said


def test_the_replica_that_is_promoted_one_day_is_protected_before(cloud: Any, provision: Any) -> None:
    """From the moment of its promotion it is the database, and nobody thinks of protection then."""
    recording = provision(backend=cloud.name, **cloud.section(replica_region=cloud.far))

    assert far_replica(cloud, recording) == (True, True)


@pytest.mark.parametrize("lifted", ["replica_protection", "deletion_protection"])
def test_the_replica_can_be_let_go_without_its_primary(cloud: Any, provision: Any, lifted: str) -> None:
    """One setting lifts its own protection; what lifts the primary's lifts both."""
    recording = provision(backend=cloud.name, **cloud.section(replica_region=cloud.far, **{lifted: False}))
    (primary,) = [each for each in recording.of(cloud.server) if each.name == "adk-sessions-g1"]

    assert far_replica(cloud, recording) == (False, False)
    assert primary.protect == (lifted == "replica_protection")


def test_protection_goes_where_it_is_lifted(cloud: Any, provision: Any) -> None:
    """In both layers, or a retirement would fail halfway."""
    recording = provision(backend=cloud.name, **cloud.section(deletion_protection=False))

    assert not any(each.protect for each in recording.resources)
    everything = json.dumps([each.inputs for each in recording.resources], default=str)
    assert "CanNotDelete" not in everything
    assert '"deletionProtection": true' not in everything
    assert '"deletionProtectionEnabled": true' not in everything


def test_connections_without_tls_are_refused_by_the_server(cloud: Any, provision: Any) -> None:
    """Whatever a client asks for."""
    recording = provision(backend=cloud.name, **cloud.section())
    everything = json.dumps([each.inputs for each in recording.resources], default=str, sort_keys=True)
    said = {
        "gcp": '"sslMode": "ENCRYPTED_ONLY"',
        "aws": '"name": "rds.force_ssl", "value": "1"',
        "azure": '"configurationName": "require_secure_transport"',
    }

    assert said[cloud.name] in everything


def test_times_are_utc_and_a_query_has_an_end(cloud: Any, provision: Any) -> None:
    """ADK's timestamps have no zone, and a forgotten query holds a connection for ever."""
    recording = provision(backend=cloud.name, **cloud.section())
    everything = json.dumps([each.inputs for each in recording.resources], default=str).lower()

    assert "utc" in everything
    assert all(name in everything for name in ("timezone", "statement_timeout", "log_connections"))


@pytest.mark.parametrize(
    ("alarm", "words"),
    [
        ("cpu", ("cpu",)),
        ("memory", ("memory",)),
        ("storage", ("storage",)),
        ("connections", ("connections",)),
        ("replication lag", ("lag", "replica")),
        ("backup", ("backup",)),
        ("failover", ("failover", "failing over", "availability")),
    ],
)
def test_every_alarm_that_was_promised_is_there(cloud: Any, provision: Any, alarm: str, words: tuple[str, ...]) -> None:  # noqa: ARG001
    """For a server with a replica; a failover may be an event instead of a metric."""
    recording = provision(backend=cloud.name, **cloud.section(read_replicas=1))
    kinds = ("AlertPolicy", "MetricAlarm", "MetricAlert", "ActivityLogAlert", "EventSubscription")
    watching = [str((each.name, each.inputs)).lower() for each in recording.resources if each.type.endswith(kinds)]

    assert any(word in each for each in watching for word in words)


def test_without_alerts_nothing_alerts(cloud: Any, provision: Any) -> None:
    """What a stack file switches off is off."""
    recording = provision(backend=cloud.name, **cloud.section(alerts={"enabled": False}))
    kinds = ("AlertPolicy", "MetricAlarm", "MetricAlert", "ActivityLogAlert", "EventSubscription")

    assert [each.name for each in recording.resources if each.type.endswith(kinds)] == []


def test_labels_are_on_everything_that_takes_them(cloud: Any, provision: Any) -> None:
    """Whoever pays the bill sorts it by them."""
    recording = provision(backend=cloud.name, **cloud.section(read_replicas=1, labels={"team": "agents"}))
    providers = [each for each in recording.resources if each.type.startswith("pulumi:providers:")]
    if cloud.name == "aws":  # The provider puts them on everything it makes.
        assert all('"team": "agents"' in each.inputs["defaultTags"] for each in providers)
        return
    bare = [
        (each.type, each.name)
        for each in recording.resources
        if (package := PACKAGES.get(each.type.partition(":")[0])) is not None
        and {"labels", "userLabels", "tags"} & set(resource_schema(package, each.type).inputs.fields)
        and "'team': 'agents'" not in str(each.inputs)
    ]

    assert bare == []


def test_the_labels_of_a_server_are_its_own(cloud: Any, provision: Any) -> None:
    """Cloud SQL has them inside of its settings."""
    recording = provision(backend=cloud.name, **cloud.section(labels={"team": "agents"}))
    everything = str([each.inputs for each in recording.resources])

    assert "agents" in everything


def test_every_resource_is_in_a_component_with_an_explicit_provider(cloud: Any, provision: Any) -> None:
    """What the shell or the machine say about an account decides nothing."""
    recording = provision(backend=cloud.name, **cloud.section(read_replicas=1))
    own = {"gcp": "gcp", "aws": "aws", "azure": "azure-native"}[cloud.name]

    for each in recording.resources:
        if each.type == f"sessiondb:{cloud.name}:Database":
            continue
        assert f"sessiondb:{cloud.name}:Database" in each.parent, each.name
        if each.type.startswith(f"{own}:"):
            assert f"pulumi:providers:{own}::" in each.provider, each.name
            assert "default" not in each.provider.rpartition("::")[2], each.name


def test_the_components_are_those_of_every_cloud(cloud: Any, provision: Any) -> None:
    """A reader of one knows all."""
    recording = provision(backend=cloud.name, **cloud.section())
    components = {each.type: each.name for each in recording.resources if each.type.startswith("sessiondb:")}

    assert components[f"sessiondb:{cloud.name}:Database"] == "adk-sessions"
    assert components[f"sessiondb:{cloud.name}:Server"] == "adk-sessions-g1"
    assert {"Network", "Secrets", "Monitoring"} <= {kind.rpartition(":")[2] for kind in components}


def test_with_iam_there_is_no_password_anywhere(cloud: Any, provision: Any) -> None:
    """Not generated, not in an input, not in a URI, not in a store of secrets."""
    recording = provision(backend=cloud.name, **section(cloud, auth="iam"))

    assert not [each for each in recording.resources if each.type == "random:index/randomPassword:RandomPassword"]
    assert recording.of(cloud.secret) == []
    assert not any(
        "assword" in key and value
        for each in recording.resources
        for key, value in each.inputs.items()
        if key in {"password", "administratorLoginPassword", "rootPassword", "passwordWo"}
    )
    for name in ("session_db_uri", "admin_db_uri"):
        assert recording.outputs[name].startswith("postgresql+psycopg://")
        assert ":" not in recording.outputs[name].partition("://")[2].partition("@")[0]
    assert (recording.outputs["auth"], recording.outputs["secret_ref"]) == ("iam", "")
