"""A plan that would cost a database is refused, with the property that does it and what to do instead."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi as sdk
import pulumi_aws as aws
import pytest
from pulumi import automation
from pulumi.automation.events import EngineEvent

from infra import guard
from infra.errors import DeploymentError
from infra.guard import Step
from infra.guard.ground import GROUND
from infra.layout import PLUGINS, ROOT
from infra.policy.enforcement import Gate
from infra.policy.rule import Resource

SERVER = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"
SECRET = "aws:secretsmanager/secret:Secret"  # A type, no secret.


def step(operation: str, kind: str = SERVER, name: str = "adk-sessions-g1", **extra: Any) -> Step:
    """A step on a resource, in the component of the same name."""
    urn = f"urn:pulumi:prod::session-database::sessiondb:gcp:Server${kind}::{name}"
    return Step(operation, kind, urn, **{"parent": f"urn:pulumi:prod::x::sessiondb:gcp:Server::{name}"} | extra)


def lost(*steps: Step, profile: str = "prod") -> list[str]:
    """What the guard says of these steps."""
    return list(guard.losses(steps, stack="prod", profile=profile))


@pytest.mark.parametrize("operation", ["same", "create", "update", "refresh", "read", "import"])
def test_a_server_that_stays_is_no_loss(operation: str) -> None:
    """Whatever is changed in place."""
    assert lost(step(operation, protect=True)) == []


def test_a_replacement_names_its_property_and_what_to_do_instead() -> None:
    """Whoever reads it knows which edit did it."""
    (line,) = lost(step("create-replacement", protect=True, causes=("region", "name")))

    assert line.startswith("Pulumi.prod.yaml: session-database:gcp: expected the server adk-sessions-g1 (gcp:sql/")
    assert "a change of region, name replaces it" in line
    assert "For example: session-db promote --from-stack prod --stack prod2" in line


@pytest.mark.parametrize(("profile", "count"), [("prod", 1), ("staging", 0), ("dev", 0)])
def test_an_unprotected_server_is_replaced_outside_production_alone(profile: str, count: int) -> None:
    """In production a second server beside it is the only way."""
    assert len(lost(step("replace"), profile=profile)) == count


@pytest.mark.parametrize("profile", ["dev", "staging", "prod"])
def test_a_protected_server_stays_in_every_profile(profile: str) -> None:
    """Neither deleted nor replaced."""
    assert len(lost(step("delete", protect=True), profile=profile)) == 1
    assert len(lost(step("replace", protect=True), profile=profile)) == 1


def test_a_protected_replica_is_let_go_by_a_setting_of_its_own() -> None:
    """The primary keeps its protection meanwhile."""
    (line,) = lost(step("same", protect=True), step("delete", protect=True, inputs={"masterInstanceName": "g1"}))

    assert "For example: session-database:gcp: {replica_protection: false}" in line
    assert "deletion_protection" not in line


def test_a_server_whose_protection_was_lifted_goes_with_what_is_its_own() -> None:
    """The second step of a retirement; the other server and the shared secret stay."""
    steps = [
        step("same", name="adk-sessions-g2", protect=True),
        step("delete"),
        step("delete", DATABASE, parent=step("delete").parent),
    ]

    assert lost(*steps) == []


def test_a_database_does_not_go_without_its_server() -> None:
    """Its tables would."""
    (line,) = lost(step("same", protect=True), step("delete", DATABASE, name="adk_sessions"))

    assert "expected the database adk_sessions" in line


def test_a_key_that_stays_in_the_cloud_may_be_forgotten() -> None:
    """With the replica of another region its key goes out of the stack; what it encrypted stays readable."""
    key, server = "aws:kms/key:Key", step("same", "aws:rds/instance:Instance", protect=True)

    assert lost(server, step("delete", key, name="adk-sessions-eu-west-2", retained=True)) == []
    assert len(lost(server, step("delete", key, name="adk-sessions-eu-west-2"))) == 1
    assert len(lost(server, step("replace", key, name="adk-sessions-eu-west-2", retained=True))) == 1


def test_a_secret_is_not_replaced_as_long_as_a_server_is_protected() -> None:
    """Its readers know it by its reference."""
    (line,) = lost(step("same", protect=True), step("replace", SECRET, name="uri", causes=("name",)))

    assert "expected the secret uri" in line
    assert "a change of name replaces it" in line


def test_what_is_replaced_by_one_edit_is_told_in_one_line() -> None:
    """Whatever it is of parts; where a server is among them, its line names the edit."""
    secrets = [step("replace", SECRET, name=name, causes=("name",)) for name in ("uri", "owner", "app")]

    (line,) = lost(step("same", protect=True), *secrets)
    assert "expected the secret uri (" in line
    assert "), the secret owner, the secret app to stay, but a change of name replaces them" in line
    (line,) = lost(step("replace", protect=True, causes=("region",)), *secrets)
    assert "expected the server" in line


def test_a_copy_of_backups_is_made_anew_but_does_not_go() -> None:
    """A longer retention replaces it; the copies that are there stay for theirs."""
    copy = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    server = step("same", "aws:rds/instance:Instance", protect=True)

    assert lost(server, step("replace", copy, name="c")) == []
    assert len(lost(server, step("delete", copy, name="c", parent="elsewhere"))) == 1


@pytest.mark.parametrize("operation", ["delete", "create-replacement"])
@pytest.mark.parametrize("kind", sorted(GROUND))
def test_what_a_server_stands_on_stays_under_it(kind: str, operation: str) -> None:
    """Another region, or another way in, would pull it away; with a server that goes, it goes."""
    server, part = step("update", protect=True), step(operation, kind, name="n", causes=("availabilityZone",))

    (line,) = guard.ground([server, part], stack="prod")
    assert "a change of availabilityZone" in line
    assert "session-db promote" in line
    replica = step("delete", name="r", inputs={"masterInstanceName": "g1"})
    assert list(guard.ground([server, part, replica], stack="prod")) == []


def test_a_network_that_goes_is_told_of_in_one_line() -> None:
    """Whatever it has of parts."""
    parts = [step("delete", kind, name="n") for kind in sorted(GROUND) if kind.startswith("gcp:")]

    (line,) = guard.ground([step("same", protect=True), *parts], stack="prod")
    assert "(GlobalAddress n, Network n, Connection n), but it is taken away" in line


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (SERVER, "settings.ipConfiguration.privateNetwork"),
        ("aws:rds/instance:Instance", "dbSubnetGroupName"),
        ("azure-native:dbforpostgresql:Server", "network.delegatedSubnetResourceId"),
    ],
)
def test_a_server_is_not_put_into_another_network(kind: str, path: str) -> None:
    """Where both are given, nothing of the network itself is in the plan; a replica may move."""
    moved = step("update", kind, protect=True, changes=("tags", path))

    (line,) = guard.ground([moved], stack="prod")
    assert f"a change of {path} takes it from them" in line
    assert list(guard.ground([step("update", kind, protect=True, changes=("tags",))], stack="prod")) == []
    replica = step("update", kind, inputs={"masterInstanceName": "g1", "replicateSourceDb": "g1"}, changes=(path,))
    if not kind.startswith("azure"):
        assert list(guard.ground([step("same", kind, protect=True), replica], stack="prod")) == []


def test_a_security_group_shows_that_the_vpc_is_another_one() -> None:
    """RDS refuses to move a subnet group, half-way through the `up`."""
    group = step("create-replacement", "aws:ec2/securityGroup:SecurityGroup", name="s", causes=("vpcId",))

    (line,) = guard.ground([step("same", AWS, protect=True), group], stack="prod")
    assert "a change of vpcId" in line


HOMES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "gcp": (SERVER, {"outputs": {"project": "one-project"}}, "project", "one-project"),
    "aws": (
        "aws:rds/instance:Instance",
        {"outputs": {"arn": "arn:aws:rds:eu-west-1:111111111111:db:g1"}},
        "allowedAccountIds",
        '["111111111111"]',
    ),
    "azure-native": (
        "azure-native:dbforpostgresql:Server",
        {"id": "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/g/providers/x"},
        "subscriptionId",
        "11111111-1111-1111-1111-111111111111",
    ),
}


@pytest.mark.parametrize("provider", list(HOMES))
def test_servers_are_not_looked_for_in_another_account(provider: str) -> None:
    """The provider would find nothing there; to name the one they are in is fine, and so is to begin somewhere."""
    kind, told, key, home = HOMES[provider]
    server = step("same", kind, **told)

    def asked(account: str, operation: str = "update", *others: Step) -> list[str]:
        wanted = step(operation, f"pulumi:providers:{provider}", wanted={key: account, "region": "x"})
        return list(guard.accounts([*others, wanted], stack="prod"))

    (line,) = asked(home.replace("1", "2").replace("one", "other"), "update", server)
    assert f"expected {home.strip('[]').strip(chr(34))}, where the servers are, but " in line
    assert asked(home, "update", server) == asked("", "update", server) == []
    assert asked(home.replace("1", "2"), "create") == []


def test_a_database_that_is_replaced_with_its_server_is_told_of_once() -> None:
    """The line of the server says what does it."""
    server = step("create-replacement", protect=True, causes=("region",))

    (line,) = lost(server, step("replace", DATABASE, name="d", parent=server.parent))
    assert "expected the server" in line


def test_everything_goes_once_no_server_is_protected() -> None:
    """Or a stack could never be taken down."""
    assert lost(step("delete"), step("delete", SECRET, name="uri"), step("delete", DATABASE, name="d")) == []


def test_a_replica_may_be_made_anew() -> None:
    """It holds nothing that its leader does not."""
    assert lost(step("replace", inputs={"masterInstanceName": "g1"}), step("same", name="g", protect=True)) == []


AZURE = "azure-native:dbforpostgresql:Server"
AWS = "aws:rds/instance:Instance"


def edited(
    kind: str, old: dict[str, Any], new: dict[str, Any], *, stated: frozenset[int] = frozenset(), **extra: Any
) -> list[str]:
    """What the guard says of an edit in place."""
    plan = [step("update", kind, inputs=old, wanted=new, **extra)]
    return list(guard.edits(plan, stack="prod", stated=stated))


@pytest.mark.parametrize(
    ("kind", "key", "old", "new"),
    [
        (SERVER, "databaseVersion", "POSTGRES_17", "POSTGRES_18"),
        (AWS, "engineVersion", "17.4", "18"),
        (AZURE, "version", "17", "18"),
    ],
)
def test_a_major_upgrade_in_place_is_asked_for_by_a_generation(kind: str, key: str, old: str, new: str) -> None:
    """A changed default of the section upgrades nothing that runs, and nobody goes back."""
    (line,) = edited(kind, {key: old}, {key: new})
    assert "servers: [{id: g1, version: 18}]" in line
    assert edited(kind, {key: old}, {key: new}, stated=frozenset({18})) == []
    assert edited(kind, {key: old}, {key: old}) == []

    (line,) = edited(kind, {key: new}, {key: old}, stated=frozenset({17}))
    assert "no cloud goes back" in line


def test_azure_never_changes_where_backups_are_copied_to() -> None:
    """The engine would plan an update, which Azure refuses half-way."""
    off, on = ({"backup": {"geoRedundantBackup": word}} for word in ("Disabled", "Enabled"))

    (line,) = edited(AZURE, off, on)

    assert "azure.backup.copy_region" in line
    assert edited(AZURE, on, on) == []


def test_the_database_of_a_restored_server_is_not_made_again() -> None:
    """It came with the data, and Cloud SQL would refuse it at every `up`."""
    clone = {"clone": {"sourceInstanceName": "g1"}}
    database = step("create", DATABASE, name="d", parent=step("same").parent)

    (line,) = guard.edits([step("same", inputs=clone), database], stack="prod", stated=frozenset())

    assert "Put `restore` back" in line
    assert list(guard.edits([step("same"), database], stack="prod", stated=frozenset())) == []


def test_what_is_made_is_known_by_its_component() -> None:
    """There is no old one to ask."""
    new = {"type": DATABASE, "urn": "urn:x::d", "id": "", "parent": "urn:x::server", "provider": ""}
    metadata = {"op": "create", "urn": "urn:x::d", "type": DATABASE, "provider": "", "new": new}
    plan = guard.Plan()
    plan.event(
        EngineEvent.from_json(
            {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata, "planning": True}}
        )
    )

    assert [each.parent for each in plan.steps.values()] == ["urn:x::server"]


def test_another_profile_alone_lifts_no_protection() -> None:
    """One word of the stack file would do it for a database in use."""
    server = step("update", inputs={"region": "a"}, wanted={"region": "a"}, protect=True)

    (line,) = guard.edits([server], stack="prod", lifted=False)
    assert "deletion_protection: false" in line
    assert list(guard.edits([server], stack="prod", lifted=True)) == []


def test_a_rotation_by_two_would_shut_out_whoever_is_in() -> None:
    """Both roles would get new passwords at once."""
    kind = "random:index/randomPassword:RandomPassword"
    first, second = (step("replace", kind, name=f"adk-sessions-app-{slot}") for slot in (1, 2))

    (line,) = guard.edits([first, second], stack="prod")
    assert "counted up by one" in line
    assert list(guard.edits([first, step("replace", kind, name="adk-sessions-owner")], stack="prod")) == []


def test_a_server_is_not_restored_from_one_that_is_not_there() -> None:
    """The cloud would say so half-way through the `up`."""
    wanted = {"restoreToPointInTime": {"sourceDbInstanceIdentifier": "adk-sessions-g9-is-not-there"}}

    (line,) = guard.edits([step("create", AWS, wanted=wanted)], stack="prod")
    assert "restored from a server that is there" in line
    assert list(guard.edits([step("same", AWS, wanted=wanted)], stack="prod")) == []


def test_the_versions_that_generations_state_are_read_from_the_configuration() -> None:
    """As the engine tells it at the start of its events."""
    config = {
        "session-database:backend": "gcp",
        "session-database:gcp": '{"servers": [{"id": "g1"}, {"id": "g2", "version": 18}]}',
        "session-database:profile": "staging",
    }
    plan = guard.Plan()
    plan.event(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "preludeEvent": {"config": config}}))

    assert (plan.stated, plan.profile) == (frozenset({18}), "staging")


def test_the_first_of_three_steps_of_a_replacement_is_remembered() -> None:
    """The later ones do not know the properties any more."""
    plan = guard.Plan()
    for operation, keys in (("create-replacement", ["region"]), ("replace", ["region"]), ("delete-replaced", None)):
        plan.event(_event(operation, keys))

    assert [each.causes for each in plan.steps.values()] == [("region",)]


def test_a_replacement_that_begins_with_a_deletion_is_known_by_its_later_steps() -> None:
    """Where the old one has to go before the new one comes."""
    plan = guard.Plan()
    for operation, keys in (("delete-replaced", None), ("replace", ["region"]), ("create-replacement", ["region"])):
        plan.event(_event(operation, keys))

    assert [each.causes for each in plan.steps.values()] == [("region",)]


def test_the_paths_of_a_detailed_diff_are_causes_too() -> None:
    """A provider may tell the path instead of the key."""
    plan = guard.Plan()
    detailed = {"settings.tier": {"diffKind": "update"}, "encryptionKeyName": {"diffKind": "add-replace"}}
    plan.event(_event("replace", None, detailedDiff=detailed))

    assert [each.causes for each in plan.steps.values()] == [("encryptionKeyName",)]


def _event(operation: str, keys: list[str] | None, **extra: Any) -> EngineEvent:
    old = {"type": SERVER, "urn": "urn:x::g1", "id": "i", "parent": "urn:x::p", "provider": "", "protect": True}
    step_ = {"op": operation, "urn": "urn:x::g1", "type": SERVER, "provider": "", "old": old, "keys": keys, **extra}
    return EngineEvent.from_json(
        {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": step_, "planning": True}}
    )


def test_what_the_engine_refuses_itself_is_told_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops before there is a step, and names no property: the one that differs from the state does it."""
    urn = f"urn:pulumi:prod::session-database::sessiondb:gcp:Server${SERVER}::adk-sessions-g1"
    message = f'unable to replace resource "{urn}"\nas it is currently marked for protection. To unprotect'
    plan = guard.Plan()
    plan.event(
        EngineEvent.from_json(
            {"sequence": 1, "timestamp": 1, "diagnosticEvent": {"message": message, "color": "", "severity": "error"}}
        )
    )
    asked = Resource(SERVER, "adk-sessions-g1", {"region": "b", "settings": {"tier": "t"}})
    monkeypatch.setattr(Gate, "registered", [asked])
    plan.add_refused([{"urn": urn, "inputs": {"region": "a", "name": "n", "settings": {"tier": "t", "default": 1}}}])

    (line,) = guard.losses(plan.steps.values(), stack="prod", profile="prod")
    assert re.search(r"expected the server adk-sessions-g1 .* a change of region replaces it", line)


Program = Callable[[], None]

QUIET: dict[str, Any] = {"on_event": lambda _: None, "color": "never"}


@pytest.fixture
def stack(
    pulumi: str,
    tmp_path: Path,
    closing: None,  # noqa: ARG001  # Closed in the end.
) -> Callable[[Program], automation.Stack]:
    """Gives a stack of the real engine that runs a program against the stand-in for AWS."""
    (tmp_path / "state").mkdir()
    path = [str(tmp_path / "bin"), str(PLUGINS / "rehearsal"), str(Path(pulumi).parent), os.environ["PATH"]]
    variables = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "change-me",
        "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join(path),
        "SESSION_DB_STAND_INS": "yes",
    }
    options = automation.LocalWorkspaceOptions(
        env_vars=variables, pulumi_command=automation.PulumiCommand(root=str(Path(pulumi).parent.parent))
    )
    return lambda program: automation.create_or_select_stack("prod", "session-database", program, opts=options)


def database(*, protect: bool, **changes: Any) -> Program:
    """A program with one RDS instance."""

    def main() -> None:
        inputs: dict[str, Any] = {"instance_class": "db.t4g.large", "engine": "postgres", "engine_version": "17"}
        aws.rds.Instance(
            "adk-sessions-g1",
            **inputs
            | {"allocated_storage": 20, "username": "adk_owner", "manage_master_user_password": True}
            | {"skip_final_snapshot": True, "db_name": "adk_sessions", **changes},
            opts=sdk.ResourceOptions(protect=protect, replace_on_changes=["dbName"]),
        )

    return main


def nothing() -> None:
    """A program without the server."""


def refused(stack: automation.Stack) -> str:
    """What the guard says of a stack's preview."""
    with pytest.raises(DeploymentError) as caught:
        guard.preview(stack, QUIET, name="prod")
    return str(caught.value)


def test_on_the_real_engine_a_database_is_kept(stack: Callable[[Program], automation.Stack]) -> None:
    """A replacement, a deletion and the end of the stack are refused; lifting the protection lets it go."""
    stack(database(protect=True)).up()

    assert "a change of dbName replaces it" in refused(stack(database(protect=True, db_name="other")))
    assert "expected the server adk-sessions-g1 (aws:rds/instance:Instance) to stay, but it is deleted" in refused(
        stack(nothing)
    )
    with pytest.raises(DeploymentError, match="it is deleted: lift its protection"):
        guard.require_unprotected(stack(nothing), name="prod")

    stack(database(protect=False)).up()

    assert "a change of dbName replaces it" in refused(stack(database(protect=False, db_name="other")))
    guard.require_unprotected(stack(nothing), name="prod")
    plan = guard.preview(stack(nothing), QUIET, name="prod")
    assert {str(getattr(op, "value", op)): n for op, n in plan.change_summary.items()}["delete"] >= 1


FORGETFUL = """#!/bin/sh
exec "$PULUMI_RUNTIME_VIRTUALENV/bin/python" -u -c '
from pulumi.runtime.proto import provider_pb2
from rehearsal.plugin import server, service
service.Service.Read = lambda self, request, context: provider_pb2.ReadResponse()
server.serve("aws")'
"""
"""The stand-in for AWS in an account that has nothing."""


def test_on_the_real_engine_a_refresh_forgets_no_database(
    stack: Callable[[Program], automation.Stack], tmp_path: Path
) -> None:
    """As with the credentials of another account, in which no server is; what is not protected may go."""
    stack(database(protect=True)).up()
    guard.refresh(stack(nothing), QUIET, name="prod")

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi-resource-aws").write_text(FORGETFUL)
    (tmp_path / "bin" / "pulumi-resource-aws").chmod(0o700)

    with pytest.raises(DeploymentError) as caught:
        guard.refresh(stack(nothing), QUIET, name="prod")
    (line,) = str(caught.value).splitlines()
    assert "aws.account: expected Instance adk-sessions-g1 to be there" in line
    assert "For example: session-database:aws: {account: '123456789012'}" in line


def test_what_is_not_protected_may_be_forgotten() -> None:
    """Somebody has deleted an alarm by hand, and `up` makes it again."""
    assert list(guard.forgotten([step("delete")], stack="prod")) == []
    (line,) = guard.forgotten([step("delete", protect=True, outputs={"project": "example"})], stack="prod")
    assert "{project: 'example'}" in line
