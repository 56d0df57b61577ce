"""Clouds have bad days: what a fault leaves behind, the same command mends, on the real engine and on real servers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.ground import ground

Engine = Callable[[str, str], dict[str, Any]]

RDS = "aws:rds/instance:Instance"
CLOUD_SQL = "gcp:sql/databaseInstance:DatabaseInstance"
FLEXIBLE = "azure-native:dbforpostgresql:Server"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A rehearsal with servers, of which nothing runs at the end."""
    with ground() as made:
        yield made
        client.stop(made)


@pytest.fixture
def plane(folder: Path) -> ControlPlaneClient:
    """What plays the clouds."""
    return client.connect(folder)


def servers(plane: ControlPlaneClient, cloud: str) -> list[str]:
    """The servers that a cloud has."""
    return [each["name"] for each in plane.call("servers.list", cloud=cloud)["servers"]]


def types(answer: dict[str, Any]) -> list[str]:
    """What the stack knows."""
    return [each["type"] for each in answer["state"]["resources"]]


def test_a_cloud_that_throttles_for_a_moment_is_waited_out(engine: Engine, plane: ControlPlaneClient) -> None:
    """By every provider's SDK; the user hears nothing of it."""
    plane.call("faults.add", type="*", operation="*", fault="throttle", times=3)

    assert engine("servers", "up")["changes"] == {"create": 8}
    assert plane.call("faults.list")["faults"] == []


def test_a_cloud_that_throttles_on_ends_the_run_before_anything_is_made(
    engine: Engine, plane: ControlPlaneClient
) -> None:
    """Azure's SDK asks four times; the next run goes on where this one ended."""
    plane.call("faults.add", type=FLEXIBLE, operation="create", fault="throttle", times=4)

    refused = engine("servers", "up")

    assert "TooManyRequests" in refused["refused"]
    assert servers(plane, "azure") == []
    assert "create" in engine("servers", "up")["changes"]
    assert len(servers(plane, "azure")) == 1


@pytest.mark.parametrize(
    ("cloud", "type_", "fault", "words"),
    [
        ("aws", RDS, "fail-half-way", "unexpected state 'failed'"),
        ("gcp", CLOUD_SQL, "time-out", "timeout while waiting"),
        ("azure", FLEXIBLE, "time-out", "context deadline exceeded"),
    ],
)
def test_a_server_whose_making_went_wrong_is_kept_and_mended(
    engine: Engine, plane: ControlPlaneClient, cloud: str, type_: str, fault: str, words: str
) -> None:
    """The stack knows it, as it knows of it, so that no second one is made beside it."""
    plane.call("faults.add", type=type_, operation="create", fault=fault)

    refused = engine("servers", "up")

    assert words in refused["refused"]
    made = servers(plane, cloud)
    assert len(made) == 1
    mended = engine("servers", "up")
    assert type_ in types(mended)
    assert mended["changes"].get("create", 0) <= 1, "at most what the run before did not come to"
    assert servers(plane, cloud) == made
    assert set(engine("servers", "up")["changes"]) == {"same"}


def test_a_provider_that_is_killed_leaves_a_server_that_the_stack_does_not_know(
    engine: Engine, plane: ControlPlaneClient
) -> None:
    """Under a name of chance the next run makes another one: so that the driver says what to look for, and how."""
    plane.call("faults.add", type=FLEXIBLE, operation="create", fault="kill")

    refused = engine("servers", "up")

    assert "error reading from server" in refused["refused"]
    (lost,) = servers(plane, "azure")
    assert FLEXIBLE in types(engine("servers", "up"))
    assert lost in servers(plane, "azure")
    assert len(servers(plane, "azure")) == 2


def test_a_deletion_that_nobody_heard_of_is_no_error_the_second_time(engine: Engine, plane: ControlPlaneClient) -> None:
    """What is gone is gone."""
    engine("servers", "up")
    plane.call("faults.add", type=RDS, operation="delete", fault="time-out")

    assert "timeout while waiting" in engine("servers", "destroy")["refused"]
    assert engine("servers", "destroy")["changes"].get("delete", 0) >= 1
    assert [servers(plane, cloud) for cloud in ("aws", "gcp", "azure")] == [[], [], []]


def test_a_change_that_nobody_heard_of_is_made_once_more(engine: Engine, plane: ControlPlaneClient) -> None:
    """Which changes nothing the second time."""
    engine("servers", "up")
    plane.call("faults.add", type=RDS, operation="update", fault="fail-half-way")

    assert "unexpected state" in engine("bigger", "up")["refused"]
    assert engine("bigger", "up")["changes"].get("update") == 1
    assert set(engine("bigger", "up")["changes"]) == {"same"}
