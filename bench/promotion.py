"""Measures a promotion: how many events a second, and how much memory.

    .venv/bin/python bench/promotion.py postgresql://user:password@host/empty_database [events]

Without an argument the URI is read from BENCH_DB_URI. The database is bootstrapped and is left filled.
"""

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

EVENTS: Final = 1_000_000
SESSION_EVENTS: Final = 200
_FIRST: Final = 1_742_000_000.123456
_TEXT: Final = "Grüße, what is the weather? " * 18

Row = tuple[Any, ...]


def main() -> None:
    """Fill a file, promote it in a process of its own, and say how that went."""
    if sys.argv[1:2] == ["--measure"]:
        _measure(sys.argv[2])
        return
    target = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BENCH_DB_URI", "")
    events = int(sys.argv[2]) if len(sys.argv) > 2 else EVENTS  # noqa: PLR2004  # The second argument.
    dsn.parse(target, "It is the first argument, or BENCH_DB_URI.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.db"
        _fill(file, events)
        print(f"source: {events:,} events, {file.stat().st_size / 1e6:.0f} MB")
        # The figures of a process that has done nothing else; the URI is not for its arguments.
        environ = os.environ | {"BENCH_DB_URI": target}
        subprocess.run([sys.executable, __file__, "--measure", f"sqlite:///{file}"], check=True, env=environ)


def _measure(source: str) -> None:
    target = Target.of(dsn.parse(os.environ["BENCH_DB_URI"]))
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
