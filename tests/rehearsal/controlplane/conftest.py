"""A control plane of the tests' own, in a process of its own, as it is for a rehearsal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.controlplane import client
from rehearsal.controlplane.client import ControlPlaneClient
from rehearsal.ground import ground


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder of a rehearsal; at the end nothing of it runs any more."""
    with ground() as made:
        yield made
        client.stop(made)


@pytest.fixture
def plane(folder: Path) -> ControlPlaneClient:
    """Its control plane, started again where a test has ended it."""
    return client.connect(folder)
