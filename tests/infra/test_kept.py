"""A server that a drill kept is named, with what to do, before or after it holds a destroy back."""

from pathlib import Path
from typing import Any

import pytest

from infra import kept, unsettled
from infra.errors import DeploymentError
from infra.policy import servers

NAME = "adk-sessions-g1-1a2b3c4-drill-09af"
LONG = "adk-sessions-g1-1a2b3-drill-09af"
"""Of a source whose name was too long for the rest."""

WORDS = "InvalidDBParameterGroupState: One or more database instances are still members of this parameter group"


@pytest.fixture(autouse=True)
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack file."""
    for module in (kept, unsettled):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    section = "session-database:aws: {servers: [{id: g1}, {id: g2, adopt: x}]}"
    azure = "session-database:azure: {subscription: s}"
    (tmp_path / "Pulumi.prod.yaml").write_text(f"config:\n  {section}\n  {azure}\n")


def state(type_: str = servers.AWS, **outputs: Any) -> list[dict[str, Any]]:
    """A state with one server and something else."""
    field = unsettled.NAMES[type_]
    server = {"type": type_, "inputs": {"resourceGroupName": "g"}, "outputs": {field: "adk-sessions-g1-1a2b3c4"}}
    return [{"type": "pulumi:pulumi:Stack"}, server, {"type": type_, "inputs": {}, "outputs": outputs, "id": "other"}]


@pytest.mark.parametrize("name", [NAME, LONG])
def test_a_kept_server_is_in_the_way_of_a_destroy(name: str) -> None:
    """Before anything is deleted, where anybody tells of it; with both ways out, in one line."""
    with pytest.raises(DeploymentError) as refused:
        kept.require_none("prod", state(), ["adk-sessions-g1-1a2b3c4", name, "theirs-drill-09af"], rehearsal=True)

    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{name}, which a drill has kept beside adk-sessions-g1-1a2b3c4, ")
    assert f"session-db drill restore --stack prod --rehearse --discard {name}; " in line
    assert f"session-database:aws.servers: {{id: g3, adopt: {name}}}, then " in line


def test_an_adopted_server_is_the_stacks_own() -> None:
    """It goes with the others."""
    kept.require_none("prod", state(identifier=NAME), [NAME], rehearsal=False)


def test_what_holds_is_told_after_the_clouds_own_words() -> None:
    """By the name in them, or by how it is found; RDS tells no name."""
    (line,) = kept.held("prod", state(), WORDS, rehearsal=False)
    assert "does not know uses it still" in line
    assert line.endswith("To find it: aws rds describe-db-instances --query 'DBInstances[].DBInstanceIdentifier'")

    told = f"InUseSubnetCannotBeDeleted: Subnet database is in use by .../flexibleServers/{NAME} and cannot be deleted."
    (line,) = kept.held("prod", state(servers.AZURE), told, rehearsal=False)
    assert line.startswith(f"{NAME}, which a drill has kept")
    assert (
        f"adopt: /subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/{NAME}" in line
    )


def test_any_other_failure_is_told_alone() -> None:
    """A drill has nothing to do with it."""
    assert list(kept.held("prod", state(), "InvalidParameterValue: no such class", rehearsal=False)) == []
