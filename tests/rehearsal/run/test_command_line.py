"""`python -m rehearsal`: help with examples, and answers where nothing is rehearsed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rehearsal import options
from rehearsal.__main__ import cli
from rehearsal.claim import MARKER, claim
from rehearsal.controlplane import client
from rehearsal.run import rehearsing

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


@pytest.mark.parametrize(
    "words",
    [
        ("aws:rds/instance:Instance", "creat", "kill"),
        ("aws:rds/instance:Instance", "DescribeDBInstances", "kill"),
        ("*", "diff", "kill"),
        ("instance", "create", "kill"),
        ("aws:rds", "create", "kill"),
        ("API", "DescribeDBInstances", "throttle"),
        ("api", "Describe DB", "throttle"),
        ("api", "*", "explode"),
        ("api", "*", "kill"),
        ("api", "*", "throttle", "--cloud", "azur"),
    ],
)
def test_a_fault_that_nothing_could_run_into_is_refused(ground: Path, words: tuple[str, ...]) -> None:
    """In one line that says what is expected, though a rehearsal runs there."""
    done = CliRunner().invoke(cli, ["fault", "--folder", str(ground), "add", *words])

    assert done.exit_code == 2
    assert re.match(
        r"Error: (expected (TYPE|OPERATION|FAULT) to be |Invalid value for '--cloud')", error_of(done.stderr)
    )


def error_of(said: str) -> str:
    """The line after the usage; click says no more."""
    return said.splitlines()[-1]


def test_types_and_operations_may_have_stars() -> None:
    """As the control plane matches them."""
    for words in [("*", "*", "kill"), ("aws:rds/*:*", "read", "throttle"), ("api", "Describe*", "time-out")]:
        assert options.fault(words) == words
    assert options.fault(("azure-native:dbforpostgresql:Server", "update", "kill"))
    assert options.fault(("random:index/randomPassword:RandomPassword", "create", "kill"))


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "NaN", "0"])
def test_seconds_are_a_number_in_the_range(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No comparison refuses NaN by itself."""
    monkeypatch.setattr(rehearsing, "rehearse", pytest.fail)

    done = CliRunner().invoke(cli, ["run", "gcp", f"--seconds={value}"])

    assert done.exit_code == 2
    assert "is not in the range 0.5<=x<=3600" in error_of(done.stderr)


@pytest.mark.parametrize("folder", ["/dev/null", "/dev/null/x", "/proc/here"])
def test_a_report_that_could_not_be_written_is_refused_before_anything_runs(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After minutes it would be lost, and a stack file left behind."""
    monkeypatch.setattr(rehearsing, "rehearse", pytest.fail)

    done = CliRunner().invoke(cli, ["run", "gcp", "--report-folder", folder])

    assert done.exit_code == 2
    assert error_of(done.stderr).startswith("Error: expected --report-folder to be a folder that files can be written")


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


@pytest.mark.parametrize("verb", [["run", "aws"], ["status"], ["clean", "--json"]])
def test_a_package_that_is_missing_is_told_in_one_line(verb: list[str]) -> None:
    """With how to install it, as a first command of somebody without the extra."""
    code = "import runpy, sys; sys.modules['jinja2'] = None; runpy.run_module('rehearsal', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code, *verb], cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: expected the packages of a rehearsal, but jinja2 cannot be found.")
    assert f'make environment EXTRAS="{"aws" if "aws" in verb else "gcp"} rehearsal drills"' in line
