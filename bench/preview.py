"""What a preview of production costs, against a program that starts the same plugins and has no resources.

    python -m bench.preview [--rounds 5] [--json]

Both are previewed as a rehearsal, in turns, each in a process of its own, in a copy of the last commit.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import yaml

from infra import pulumi_cli

ROOT: Final = Path(__file__).resolve().parents[1]
CLOUDS: Final = ("gcp", "aws", "azure")

_EMPTY: Final = """
import importlib, sys
import pulumi, pulumi_random
from rich.console import Console
from infra.deploy import Driver
from infra.progress import Progress

class Empty(Driver):
    def _program(self):
        package, options = sys.argv[1], {"aws": {"region": "eu-west-1"}}
        importlib.import_module(f"pulumi_{package}").Provider("empty", **options.get(package, {}))
        pulumi_random.Provider("random")

with Progress(Console(stderr=True, quiet=True)) as progress:
    Empty("prod", progress, rehearse=True).preview()
"""

_PACKAGES: Final = {"gcp": "gcp", "aws": "aws", "azure": "azure_native"}


def main() -> None:
    """Measure, and print one table or one JSON object."""
    parser = argparse.ArgumentParser(description="What a preview costs.", epilog="Example: python -m bench.preview")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = {cloud: measured(cloud, arguments.rounds) for cloud in CLOUDS}
    if arguments.json:
        print(json.dumps(found))
        return
    for cloud, (production, empty) in found.items():
        print(
            f"preview of {cloud}: {production:.1f} s, with no resources {empty:.1f} s: {production / empty:.2f} times"
        )


def measured(cloud: str, rounds: int) -> tuple[float, float]:
    """The medians in seconds: of the production stack, and of a program with nothing but its providers."""
    production = [sys.executable, "-m", "infra", "preview", "--stack", "prod", "--rehearse"]
    empty = [sys.executable, "-c", _EMPTY, _PACKAGES[cloud]]
    with tempfile.TemporaryDirectory() as folder:
        copied(cloud, Path(folder))
        times = [(seconds(production, folder), seconds(empty, folder)) for _ in range(rounds + 1)]
    warm = times[1:]
    return statistics.median(first for first, _ in warm), statistics.median(second for _, second in warm)


def copied(cloud: str, folder: Path) -> None:
    """Copy the last commit, its prod stack switched to a cloud."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)  # noqa: S607
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)  # noqa: S607
    file = folder / "Pulumi.prod.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["session-database:backend"] = cloud
    file.write_text(yaml.safe_dump(content))


def seconds(command: list[str], folder: str) -> float:
    """How long a command takes, from start to end."""
    path = os.pathsep.join([str(Path(pulumi_cli.ensure(print).command).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": folder}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
