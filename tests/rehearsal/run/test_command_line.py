"""`python -m rehearsal`: help with examples, and answers where nothing is rehearsed."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rehearsal.__main__ import cli
from rehearsal.claim import MARKER, claim
from rehearsal.controlplane import client

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("verb", list(cli.commands))
def test_every_command_has_help_with_an_example(verb: str) -> None:
    """Which names options that exist."""
    command = cli.commands[verb]
    example = re.search(rf"Example: python -m rehearsal {verb}(.*)", command.epilog or "")

    assert command.help
    assert example
    known = {option for param in command.params for option in param.opts}
    assert set(re.findall(r"(?<!\S)--[a-z-]+", example[1])) <= known


def test_every_command_and_option_in_the_documentation_exists() -> None:
    """On every page."""
    found = 0
    for page in [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]:
        for verb, rest in re.findall(r"-m rehearsal ([a-z]+)((?: [^`\n#]*)?)", page.read_text()):
            known = {option for param in cli.commands[verb].params for option in param.opts}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, f"{page.name}: {verb}{rest}"
            found += 1
    assert found > 4


@pytest.mark.usefixtures("root")
def test_nothing_is_said_to_run_where_nothing_runs() -> None:
    """And there is nothing to clean."""
    runner = CliRunner()

    assert runner.invoke(cli, ["status"]).output == "no rehearsal runs in this clone\n"
    assert json.loads(runner.invoke(cli, ["status", "--json"]).output) == {"rehearsed": {}, "control_planes": []}
    assert json.loads(runner.invoke(cli, ["clean", "--json"]).stdout) == {"ended": []}


def test_a_fault_needs_three_words(tmp_path: Path) -> None:
    """Told with an example, before anything is started."""
    with pytest.raises(click.UsageError, match="for example: add aws:rds/instance:Instance create kill"):
        cli.main(["fault", "--folder", str(tmp_path / "none"), "add", "api"], standalone_mode=False)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("where", ["none", "file/x", "claimed"])
def test_faults_are_for_a_rehearsal_that_runs(tmp_path: Path, where: str) -> None:
    """One line elsewhere, and nothing is made or started."""
    (tmp_path / "file").touch()
    claim(tmp_path / "claimed")

    done = CliRunner().invoke(cli, ["fault", "--folder", str(tmp_path / where), "list"])

    assert done.exit_code == 2
    assert re.fullmatch(
        r"Error: expected --folder to be that of a rehearsal that runs, .*", done.stderr.splitlines()[-1]
    )
    assert not (tmp_path / "none").exists()
    assert [each.name for each in (tmp_path / "claimed").iterdir()] == [MARKER]


def test_faults_are_added_listed_and_cleared(ground: Path) -> None:
    """On the control plane of the folder."""
    folder = ground / "faults"
    runner = CliRunner()
    client.connect(folder)

    def asked(*words: str) -> list[Any]:
        done = runner.invoke(cli, ["fault", "--folder", str(folder), *words])
        assert done.exit_code == 0, done.output
        faults: list[Any] = json.loads(done.stdout)
        return faults

    try:
        (added,) = asked("add", "api", "DescribeDBInstances", "throttle", "--times", "2")
        assert (added["type"], added["operation"], added["fault"]) == ("api", "DescribeDBInstances", "throttle")
        assert asked("list") == [added]
        assert asked("clear") == []
    finally:
        client.stop(folder)
