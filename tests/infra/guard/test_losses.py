"""A plan that would cost a database is told in lines that name the property and what to do instead."""

from collections.abc import Callable
from typing import Any

import pytest

from infra import guard
from infra.guard import Step
from infra.guard.losses import held

DATABASE = "gcp:sql/database:Database"
SECRET = "aws:secretsmanager/secret:Secret"  # A type, no secret.
AWS = "aws:rds/instance:Instance"

Make = Callable[..., Step]
Lost = Callable[..., list[str]]


@pytest.fixture
def lost(resource: Callable[..., dict[str, Any]]) -> Lost:
    """What the guard says of steps, whose resources are the whole state."""

    def told(*steps: Step) -> list[str]:
        known = [resource(step) for step in steps if step.operation not in {"create", "import"}]
        return list(guard.losses(steps, stack="prod", standing=guard.standing(steps, known)))

    return told


@pytest.mark.parametrize("operation", ["same", "create", "update", "refresh", "read", "import"])
def test_a_server_that_stays_is_no_loss(lost: Lost, step: Make, operation: str) -> None:
    """Whatever is changed in place."""
    assert lost(step(operation, protect=True)) == []


def test_a_replacement_names_its_property_and_what_to_do_instead(lost: Lost, step: Make) -> None:
    """Whoever reads it knows which edit did it."""
    (line,) = lost(step("create-replacement", protect=True, causes=("region", "name")))

    assert line.startswith("Pulumi.prod.yaml: session-database:gcp: expected the server adk-sessions-g1 (gcp:sql/")
    assert "a change of region, name replaces it" in line
    assert "For example: session-db promote --from-stack prod --stack prod2" in line


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("operation", ["replace", "create-replacement", "delete-replaced", "import-replacement"])
def test_no_edit_replaces_a_server(lost: Lost, step: Make, operation: str, *, protect: bool) -> None:
    """Protected or not, in every profile, beside others or alone."""
    assert len(lost(step(operation, protect=protect))) == 1
    assert len(lost(step(operation, protect=protect), step("same", name="adk-sessions-g2", protect=True))) == 1


def test_the_last_server_goes_with_the_whole_stack_alone(lost: Lost, step: Make) -> None:
    """Another cloud, another prefix, or a file on this machine: whatever comes in its place has no sessions."""
    moved = step("create", AWS)

    for plan in ([step("delete")], [step("delete"), moved], [step("delete"), step("delete", name="adk-sessions-g2")]):
        lines = lost(*plan)
        assert len(lines) == sum(each.operation == "delete" for each in plan)
        assert all("For example: make destroy STACK=prod" in line for line in lines)


def test_a_server_that_is_adopted_over_another_one_is_told_of_by_that_word(lost: Lost, step: Make) -> None:
    """The engine names a property that nobody has edited."""
    (line,) = lost(step("import-replacement", protect=True))

    assert "`adopt` of g1 would put another server in its place" in line


def test_a_protected_server_does_not_go(lost: Lost, step: Make) -> None:
    """Nor beside another one."""
    (line,) = lost(step("delete", protect=True), step("same", name="adk-sessions-g2", protect=True))

    assert "it is deleted: lift its protection" in line


def test_what_keeps_a_stack_from_being_taken_down_is_one_line_with_one_advice() -> None:
    """A production stack has some ten protected resources, and one word lets all of them go."""
    types = [
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:secretmanager/secret:Secret",
        "gcp:kms/cryptoKey:CryptoKey",
    ]
    known = [
        {"type": each, "urn": f"urn:pulumi:prod::session-database::{each}::{number}", "protect": True}
        for number, each in enumerate(types)
    ]
    replaced = known[0] | {"delete": True}

    (line,) = held([replaced, *known, {"type": "x", "urn": "urn:pulumi:prod::p::x::free"}], stack="prod")
    (single,) = held(known[:1], stack="prod")

    expected = (
        "Pulumi.prod.yaml: session-database:gcp: expected the server 0 (gcp:sql/databaseInstance:DatabaseInstance), "
        "the secret 1, the key 2 to stay, but they are deleted: lift their protection with one `up`, let them go"
    )
    assert line.startswith(expected)
    assert line.count("For example") == 1
    assert "to stay, but it is deleted: lift its protection with one `up`, let it go" in single


def test_a_protected_replica_is_let_go_by_a_setting_of_its_own(lost: Lost, step: Make) -> None:
    """The primary keeps its protection meanwhile."""
    replica = step("delete", name="adk-sessions-g1-replica-x", protect=True, inputs={"masterInstanceName": "g1"})

    (line,) = lost(step("same", protect=True), replica)

    assert "For example: session-database:gcp: {replica_protection: false}" in line
    assert "deletion_protection" not in line


def test_a_replica_may_be_made_anew(lost: Lost, step: Make) -> None:
    """It holds nothing that its leader does not."""
    replica = step("replace", name="r", inputs={"masterInstanceName": "g1"})

    assert lost(replica, step("same", protect=True)) == []


def test_a_server_whose_protection_was_lifted_goes_with_what_is_its_own(lost: Lost, step: Make) -> None:
    """The second step of a retirement; the other server and the shared secret stay."""
    database = step("delete", DATABASE, name="adk_sessions", parent=step("delete").parent)

    assert lost(step("same", name="adk-sessions-g2", protect=True), step("delete"), database) == []


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("operation", ["delete", "replace"])
@pytest.mark.parametrize("kind", [DATABASE, "azure-native:dbforpostgresql:Database"])
def test_a_database_does_not_go_without_its_server(
    lost: Lost, step: Make, kind: str, operation: str, *, protect: bool
) -> None:
    """Its tables would, whether anything is protected or not."""
    server = step("same", protect=protect)

    (line,) = lost(server, step(operation, kind, name="d", parent=server.parent, protect=protect, causes=("name",)))

    assert "expected the database d" in line
    assert "set `database`, `restore` or `adopt` back" in line


def test_a_key_that_stays_in_the_cloud_may_be_forgotten(lost: Lost, step: Make) -> None:
    """With the replica of another region its key goes out of the stack; what it encrypted stays readable."""
    key, server = "aws:kms/key:Key", step("same", AWS, protect=True)

    assert lost(server, step("delete", key, name="adk-sessions-eu-west-2", retained=True)) == []
    assert len(lost(server, step("delete", key, name="adk-sessions-eu-west-2"))) == 1
    assert len(lost(server, step("replace", key, name="adk-sessions-eu-west-2", retained=True))) == 1


def test_a_secret_is_not_replaced_as_long_as_a_server_is_protected(lost: Lost, step: Make) -> None:
    """Its readers know it by its reference."""
    (line,) = lost(step("same", protect=True), step("replace", SECRET, name="uri", causes=("name",)))

    assert "expected the secret uri" in line
    assert "a change of name replaces it" in line
    assert lost(step("same"), step("replace", SECRET, name="uri", causes=("name",))) == []


def test_the_owners_secret_goes_where_rds_keeps_the_password(lost: Lost, step: Make) -> None:
    """The app's stays, and so does the owner's as long as one server has its password from it."""
    kept = step("update", AWS, protect=True, wanted={"manageMasterUserPassword": True})
    owner, app = (step("delete", SECRET, name=f"adk-db-password-{role}", parent="") for role in ("owner", "app"))

    assert lost(kept, owner) == []
    assert len(lost(kept, app)) == 1
    other = step("update", AWS, name="adk-sessions-g2", protect=True, wanted={"password": "change-me"})
    assert len(lost(kept, other, owner)) == 1


def test_what_goes_by_one_edit_is_told_in_one_line(lost: Lost, step: Make) -> None:
    """Whatever it is of parts; where a server is among what is replaced, its line names the edit."""
    secrets = [step("replace", SECRET, name=name, causes=("name",)) for name in ("uri", "owner", "app")]

    (line,) = lost(step("same", protect=True), *secrets)
    assert "expected the secret uri (" in line
    assert "), the secret owner, the secret app to stay, but a change of name replaces them" in line
    (line,) = lost(step("replace", protect=True, causes=("region",)), *secrets)
    assert "expected the server" in line
    (line,) = lost(step("same", protect=True), *[step("delete", SECRET, name=name, parent="") for name in "ab"])
    assert "the edit deletes them" in line
    assert "deletion_protection" not in line, "nobody is told to unprotect production for the sake of a part"


def test_copies_of_backups_may_move_or_end(lost: Lost, step: Make) -> None:
    """Those that are there stay for their retention, under a server that stays protected."""
    copy = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    server = step("same", AWS, protect=True)

    assert lost(server, step("replace", copy, name="c")) == []
    assert lost(server, step("delete", copy, name="c", parent=server.parent)) == []


def test_a_database_that_is_replaced_with_its_server_is_told_of_once(lost: Lost, step: Make) -> None:
    """The line of the server says what does it."""
    server = step("create-replacement", protect=True, causes=("region",))

    (line,) = lost(server, step("replace", DATABASE, name="d", parent=server.parent))
    assert "expected the server" in line
