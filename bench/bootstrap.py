"""What a bootstrap costs: of a finished database against ADK's own look at it, and of an empty one for many at once.

    python -m bench.bootstrap [--rounds 50] [--json]

Both columns of a ratio are measured in one run, one after the other in turns, on a PostgreSQL server of its own.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from google.adk.sessions.database_session_service import DatabaseSessionService
from sqlalchemy import URL

from app import verbs
from app.backends.interface import Target
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.ground import ground
from rehearsal.managed import ManagedDatabase, managed

ROOT: Final = Path(__file__).resolve().parents[1]
PROCESSES: Final = 32

_CROWD: Final = """
import os, sys
from app import dsn, verbs
from app.backends.interface import Target
target = Target(dsn.parse(os.environ["SESSION_DB_URI"]), dsn.parse(os.environ["ADMIN_DB_URI"]))
gate, opener = os.pipe()
children = []
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os.close(opener)
        os.read(gate, 1)
        try:
            os._exit(int(verbs.bootstrap(target).changed))
        except BaseException:
            os._exit(2)
    children.append(child)
os.close(opener)
print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def main() -> None:
    """Measure, and print one table or one JSON object."""
    parser = argparse.ArgumentParser(description="What a bootstrap costs.", epilog="Example: python -m bench.bootstrap")
    parser.add_argument("--rounds", type=int, default=50, help="measurements of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with ground() as folder, Cluster.create(folder / "15", binaries(15, _say)) as cluster:
        found = measured(cluster, arguments.rounds)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:48} {value:10.2f}")


def measured(cluster: Cluster, rounds: int) -> dict[str, float]:
    """All figures by name: milliseconds, counts or ratios.

    Args:
        cluster: A running server.
        rounds: Measurements of each kind.
    """
    errors, made = _crowd(managed(cluster, "crowd", master="crowd_master"))
    database = managed(cluster, "finished", master="finished_master")
    target = _target(database)
    verbs.bootstrap(target)
    ours, adk = [], []
    for _ in range(rounds):
        ours.append(_milliseconds(lambda: verbs.bootstrap(target)))
        adk.append(_milliseconds(lambda: asyncio.run(_prepare(target.owner))))
    process = [_milliseconds(lambda: _process(target)) for _ in range(max(3, rounds // 10))]
    return {
        f"{PROCESSES} at once on an empty database: errors": errors,
        f"{PROCESSES} at once on an empty database: ran the DDL": made,
        "finished database: bootstrap, median ms": statistics.median(ours),
        "finished database: ADK's prepare_tables(), median ms": statistics.median(adk),
        "finished database: ratio (bar 1.2)": statistics.median(ours) / statistics.median(adk),
        "finished database: whole process, median ms": statistics.median(process),
    }


def _target(database: ManagedDatabase) -> Target:
    return Target(database.admin.set(username=f"{database.name}_app", password="change-me"), database.admin)  # noqa: S106


def _crowd(database: ManagedDatabase) -> tuple[int, int]:
    command = [sys.executable, "-c", _CROWD, str(PROCESSES)]
    done = subprocess.run(
        command, cwd=ROOT, env=_environ(_target(database)), check=True, stdout=subprocess.PIPE, text=True
    )
    codes = done.stdout.split()
    return sum(code not in {"0", "1"} for code in codes), codes.count("1")


def _process(target: Target) -> None:
    command = [sys.executable, "-m", "app.cli", "bootstrap", "--json"]
    subprocess.run(command, cwd=ROOT, env=_environ(target), check=True, stdout=subprocess.DEVNULL)


def _environ(target: Target) -> dict[str, str]:
    uris = {"SESSION_DB_URI": target.app, "ADMIN_DB_URI": target.owner}
    return os.environ | {name: url.render_as_string(hide_password=False) for name, url in uris.items()}


async def _prepare(url: URL) -> None:
    async with DatabaseSessionService(url.render_as_string(hide_password=False)) as service:
        await service.prepare_tables()


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
