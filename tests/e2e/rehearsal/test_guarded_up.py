"""The guard goes by what is in the state: no spelling of a stack file, and no other backend in it, gets by."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

PLUGIN = """#!/bin/sh
SESSION_DB_STAND_INS=yes PYTHONPATH={root} exec {python} -u -m rehearsal.plugin {name}
"""
"""A stand-in in the place of a provider that is installed for real."""


@pytest.fixture(scope="module")
def running(rehearse: Callable[[str], Any]) -> Any:
    """The production stack on AWS, up."""
    made = rehearse("aws")
    made.json("up")
    return made


@pytest.fixture(autouse=True)
def restored(running: Any) -> Any:
    """The stack file afterwards is what it was before."""
    before = running.file.read_text()
    yield
    running.file.write_text(before)


def edited(life: Any, change: Callable[[dict[str, Any]], object]) -> None:
    """Edit the configuration of the stack file."""
    content = yaml.safe_load(life.file.read_text())
    change(content["config"])
    life.file.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.mark.parametrize("key", ["backend", "session-database:config:backend", "Pulumi.yaml"])
def test_an_up_is_guarded_under_every_spelling_of_the_backend(running: Any, key: str) -> None:
    """The engine reads them all."""
    project: Path = running.project.root / "Pulumi.yaml"
    before = project.read_text()
    edited(running, lambda config: config.pop("session-database:backend"))
    if key == "Pulumi.yaml":
        content = yaml.safe_load(before)
        content["config"]["backend"]["default"] = "aws"
        project.write_text(yaml.safe_dump(content, sort_keys=False))
    else:
        edited(running, lambda config: config.update({key: "aws"}))
    edited(running, lambda config: config["session-database:aws"].update(region="eu-west-2"))

    done = running.run("up")
    project.write_text(before)

    assert done.returncode == 1
    assert "expected the network of the servers to stay" in done.stderr
    assert running.state().count('"region": "eu-west-2"') == 0


def test_another_backend_deletes_nothing_of_a_cloud(running: Any, tmp_path: Path) -> None:
    """Not even with a file on this machine in its place, for which nothing has to be previewed."""
    folder = running.project.root / ".state" / "rehearsal"
    for name in ("aws", "random"):
        plugin = tmp_path / f"pulumi-resource-{name}"
        plugin.write_text(PLUGIN.format(root=running.project.root, python=sys.executable, name=name))
        plugin.chmod(0o700)
    environ = running.project.environ | {
        "PATH": os.pathsep.join([str(tmp_path), running.project.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
    }
    before = running.state().count('"aws:secretsmanager/secret:Secret"')
    edited(running, lambda config: config.update({"session-database:backend": "sqlite"}))

    done = replace(running.project, environ=environ).run("up", "--stack", "prod")

    assert done.returncode == 1, done.stderr
    assert "For example: make destroy STACK=prod" in done.stderr
    assert running.state().count('"aws:secretsmanager/secret:Secret"') == before


def test_the_network_of_another_region_goes_with_its_replica_alone(rehearse: Callable[[str], Any]) -> None:
    """The primary has waited for it, but stands in its own; as long as the replica is there its block stays."""
    life = rehearse("azure")
    life.configure(replica_region="westeurope", replica_protection=False)
    life.json("up")
    built = yaml.safe_load(life.file.read_text())["config"]["session-database:azure"]["network"]

    life.configure(network=built | {"replica_cidr": "10.62.0.0/24"})
    refused = life.run("preview")
    assert (refused.returncode, "network-far-servers" in refused.stderr) == (1, True), refused.stderr

    life.configure(network=built, replica_region="")
    assert life.json("up")["changes"]["delete"] >= 1
