"""Measures a promotion: how many events a second, and how much memory.

    python -m bench.promotion [--events 1000000] [--uri postgresql://user@host/empty_database]

Without a URI it makes a PostgreSQL server of its own. A database that is given is bootstrapped and left filled; its
password comes from PGPASSWORD or PGPASSFILE.
"""

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from app import dsn
from app.backends.interface import Target
from app.promotion import promote
from app.verbs import bootstrap
from rehearsal.binaries import binaries
from rehearsal.cluster import Cluster
from rehearsal.ground import ground
from rehearsal.managed import managed

ROOT: Final = Path(__file__).resolve().parents[1]
EVENTS: Final = 1_000_000
_SOURCE: Final = "BENCH_SOURCE"
_TARGET: Final = "BENCH_TARGET"
SESSION_EVENTS: Final = 200
_FIRST: Final = 1_742_000_000.123456
_TEXT: Final = "Grüße, what is the weather? " * 18

Row = tuple[Any, ...]


def main() -> None:
    """Fill a file, promote it in a process of its own, and say how that went."""
    if source := os.environ.get(_SOURCE):
        _measure(source)
        return
    parser = argparse.ArgumentParser(description="What a promotion costs.", epilog="Example: python -m bench.promotion")
    parser.add_argument("--events", type=int, default=EVENTS, help="how many to copy")
    parser.add_argument("--uri", help="an empty database; a server of its own where not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _target(arguments.uri) as uri:
        file = Path(folder) / "sessions.db"
        _fill(file, arguments.events)
        print(f"source: {arguments.events:,} events, {file.stat().st_size / 1e6:.0f} MB")
        # The figures of a process that has done nothing else; a URI is not for its arguments.
        environ = os.environ | {_SOURCE: f"sqlite:///{file}", _TARGET: uri}
        subprocess.run([sys.executable, "-m", "bench.promotion"], cwd=ROOT, check=True, env=environ)


@contextlib.contextmanager
def _target(uri: str | None) -> Iterator[str]:
    if uri is not None:
        yield uri
        return
    with ground() as folder, Cluster.create(folder / "15", binaries(15, print)) as cluster:
        yield managed(cluster, "promoted").admin.render_as_string(hide_password=False)


def _measure(source: str) -> None:
    target = Target.of(dsn.parse(os.environ[_TARGET]))
    bootstrap(target)
    for what in ("to an empty target", "when all is there"):
        began, used = time.monotonic(), time.process_time()
        done = promote(dsn.parse(source), target, lambda *_: None).tables["events"]
        seconds, used = time.monotonic() - began, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{what}: {done.copied:,} events copied, {done.there:,} found; {seconds:.0f} s, "
            f"{done.source / seconds:,.0f} events/s, {used:.0f} s of this process's CPU, peak RSS {peak:.0f} MB"
        )


def _fill(file: Path, events: int) -> None:
    bootstrap(Target.of(dsn.parse(f"sqlite:///{file}")))
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous = OFF")
    with connection:
        connection.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", _sessions(events))
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", _events(events))
    connection.close()


def _key(session: int) -> tuple[str, str, str]:
    return "bench", f"user-{session % 997}", str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session}"))


def _sessions(events: int) -> Iterator[Row]:
    for session in range(-(-events // SESSION_EVENTS)):
        yield *_key(session), json.dumps({"step": session, "pi": 3.14}), _FIRST, _FIRST + events


def _events(events: int) -> Iterator[Row]:
    for number in range(events):
        key, moment = _key(number // SESSION_EVENTS), _FIRST + number * 1.000001
        name, invocation = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}")), f"e-{number}"
        data = {
            "content": {"parts": [{"text": _TEXT}], "role": "model"},
            "invocation_id": invocation,
            "author": "bench",
            "actions": {"state_delta": {"step": number}, "artifact_delta": {}},
            "id": name,
            "timestamp": moment,
        }
        yield name, *key, invocation, moment, json.dumps(data)


if __name__ == "__main__":
    main()
