"""A server that a run was cut off over: what to look for, and what takes it into the stack."""

from pathlib import Path

import pytest

from infra import unsettled
from infra.policy import servers

URN = "urn:pulumi:prod::session-database::sessiondb:x:Server${type}::adk-sessions-{name}"
GCP = URN.format(type=servers.GCP, name="g1")
AZURE = URN.format(type=servers.AZURE, name="g1")
REPLICA = URN.format(type=servers.AWS, name="g1-r1")


@pytest.fixture(autouse=True)
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack file."""
    monkeypatch.setattr(unsettled, "ROOT", tmp_path)
    gcp, azure = "session-database:gcp: {project: p}", "session-database:azure: {subscription: s}"
    (tmp_path / "Pulumi.prod.yaml").write_text(f"config:\n  {gcp}\n  {azure}\n")


def test_the_line_says_what_adopt_takes() -> None:
    """Of each cloud the id by which its provider imports."""
    (google,) = unsettled.lines("prod", {GCP: {"name": "adk-1"}})
    (microsoft,) = unsettled.lines("prod", {AZURE: {"serverName": "adk-2", "resourceGroupName": "g"}})

    assert google.startswith("adk-1 may be there although stack prod does not know it")
    assert "session-database:gcp.servers: [{id: g1, adopt: projects/p/instances/adk-1}]" in google
    assert "adopt: /subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/adk-2" in (
        microsoft
    )


def test_a_replica_is_made_again() -> None:
    """Nothing is on it that its primary has not."""
    (line,) = unsettled.lines("prod", {REPLICA: {"identifier": "adk-g1-r1"}})

    assert "delete it: it is a copy" in line


def test_of_what_a_killed_engine_left_open_only_servers_in_the_making_are_told() -> None:
    """A parameter is set once more, and what was being deleted is in the state."""
    server = {"urn": GCP, "type": servers.GCP, "inputs": {"name": "adk-1"}}
    operations = [
        {"type": "creating", "resource": server},
        {"type": "updating", "resource": {**server, "urn": AZURE}},
        {"type": "creating", "resource": {"urn": "x", "type": "gcp:compute/network:Network"}},
    ]

    assert unsettled.pending(operations) == {GCP: {"name": "adk-1"}}


def test_a_refusal_that_leaves_nothing_open_is_told_alone() -> None:
    """For example, of a machine that the region has not."""
    ends = unsettled.Unsettled()
    ends.servers[GCP] = {"name": "adk-1"}

    assert list(ends.lines("prod", "Invalid Tier")) == []
    assert len(list(ends.lines("prod", "error reading from server: EOF"))) == 1
