"""Edits that the engine would plan in place and a cloud refuses, or never takes back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra import guard
from infra.guard import Said, Step

GCP = "gcp:sql/databaseInstance:DatabaseInstance"
AWS = "aws:rds/instance:Instance"
AZURE = "azure-native:dbforpostgresql:Server"
DATABASE = "gcp:sql/database:Database"

Make = Callable[..., Step]


def said(**section: Any) -> Said:
    """A stack file that says the same of every cloud."""
    return Said({f"session-database:{cloud}": json.dumps(section) for cloud in ("gcp", "aws", "azure")})


def edited(*plan: Step, **section: Any) -> list[str]:
    """What the guard says of a plan."""
    return list(guard.edits(plan, stack="prod", said=said(**section)))


@pytest.mark.parametrize(
    ("kind", "key", "old", "new"),
    [
        (GCP, "databaseVersion", "POSTGRES_17", "POSTGRES_18"),
        (AWS, "engineVersion", "17.4", "18"),
        (AZURE, "version", "17", "18"),
    ],
)
def test_a_major_upgrade_in_place_is_asked_for_by_a_generation(
    step: Make, kind: str, key: str, old: str, new: str
) -> None:
    """A changed default of the section upgrades nothing that runs, and nobody goes back."""
    up = step("update", kind, inputs={key: old}, wanted={key: new})

    (line,) = edited(up)
    assert "servers: [{id: g1, version: 18}]" in line
    assert edited(up, servers=[{"id": "g1", "version": 18}]) == []
    assert len(edited(up, servers=[{"id": "g1"}, {"id": "g2", "version": 18}])) == 1, (
        "another one's word is not its own"
    )
    assert edited(step("update", kind, inputs={key: old}, wanted={key: old})) == []

    back = step("update", kind, inputs={key: new}, wanted={key: old})
    (line,) = edited(back, servers=[{"id": "g1", "version": 17}])
    assert "no cloud goes back" in line


def test_azure_never_changes_where_backups_are_copied_to(step: Make) -> None:
    """The engine would plan an update, which Azure refuses half-way."""
    off, on = ({"backup": {"geoRedundantBackup": word}} for word in ("Disabled", "Enabled"))

    (line,) = edited(step("update", AZURE, inputs=off, wanted=on))

    assert "azure.backup.copy_region" in line
    assert edited(step("update", AZURE, inputs=on, wanted=on)) == []


def test_the_database_of_a_restored_server_is_not_made_again(step: Make) -> None:
    """It came with the data, and Cloud SQL would refuse it at every `up`."""
    clone = {"clone": {"sourceInstanceName": "g1"}}
    database = step("create", DATABASE, name="d", parent=step("same").parent)

    (line,) = edited(step("same", inputs=clone), database)

    assert "Put `restore` back" in line
    assert edited(step("same"), database) == []


def test_a_server_is_not_restored_from_one_that_is_not_there(step: Make) -> None:
    """The cloud would say so half-way through the `up`."""
    wanted = {"restoreToPointInTime": {"sourceDbInstanceIdentifier": "adk-sessions-g9-is-not-there"}}

    (line,) = edited(step("create", AWS, wanted=wanted))
    assert "restored from a server that is there" in line
    assert edited(step("same", AWS, wanted=wanted)) == []


@pytest.mark.parametrize(
    ("section", "count"),
    [
        ({}, 1),
        ({"deletion_protection": False}, 0),
        ({"deletion_protection": True}, 1),
        ({"servers": [{"id": "g1", "deletion_protection": False}, {"id": "g2"}]}, 0),
        ({"servers": [{"id": "g1"}, {"id": "g2", "deletion_protection": False}]}, 1),
        ({"deletion_protection": False, "servers": [{"id": "g1", "deletion_protection": True}]}, 1),
        ({"servers": "g1"}, 1),
    ],
)
def test_protection_is_lifted_by_a_word_for_that_very_server(step: Make, section: dict[str, Any], count: int) -> None:
    """Another profile alone lifts none, nor does a word about another generation."""
    server = step("update", inputs={"region": "a"}, wanted={"region": "a"}, protect=True)

    lines = edited(server, **section)

    assert len(lines) == count
    assert all("deletion_protection: false" in line for line in lines)


def test_a_section_that_cannot_be_read_says_nothing(step: Make) -> None:
    """The program refuses it in its own words."""
    for text in ("[secret]", "", "[]", "17"):
        assert not Said({"session-database:gcp": text}).lifts(step("same"))
        assert Said({"session-database:gcp": text}).version(step("same")) == 0
