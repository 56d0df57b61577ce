"""Restore as code: a moment becomes a second generation, which the stack moves to; the first one is retired.

Source of the order: docs/clouds.md, "Restore as code" and "Retire a server".
"""

import datetime as dt
import time
from typing import Final

from rehearsal.report.findings import Kept
from rehearsal.run import passwords
from rehearsal.run.life import Life, counted, expect

_FIRST: Final = {"id": "g1"}


def restore(life: Life) -> str:
    """A second generation from a moment between two turns; the first one goes on serving."""
    moment = _turned(life)
    life.file.set(servers=[_FIRST, {"id": "g2", "restore": {"from": "g1", "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}}])
    changes = life.commands.infra("up")["changes"]
    expect("delete" not in changes, f"expected g2 beside g1, got {counted(changes)}")
    return f"g2 as of {moment:%H:%M:%S} UTC beside g1: {counted(changes)}"


def switch(life: Life) -> str:
    """The stack moves to it, and the API server on it has the conversation of that moment."""
    life.file.set(active="g2")
    changes = life.commands.infra("up")["changes"]
    life.serve()
    expected, found = life.conversation.turns[:-1], life.conversation.found(life.http)
    kept = life.findings.restored = Kept.of(expected, found)
    life.conversation.turns[:] = found
    life.look("g2")
    expect(life.hosts["g1"] != life.hosts["g2"], "expected the exported URI to lead to another host")
    return f"{counted(changes)}; turns found by the API server on g2: {kept.told}"


def retire(life: Life) -> str:
    """Refused while it is protected; then its protection is lifted, and it goes."""
    second = next(each for each in life.file.section["servers"] if each["id"] == "g2")
    logs(life)
    life.file.set(servers=[second])
    life.findings.refused["retirement"] = life.protects("up")
    life.file.set(servers=[{**_FIRST, "deletion_protection": False}, second])
    life.commands.infra("up", "--no-bootstrap")
    life.file.set(servers=[second])
    changes = life.commands.infra("up", "--no-bootstrap")["changes"]
    expect(changes.get("delete", 0) > 0, f"expected g1 to be deleted, got {counted(changes)}")
    return f"refused while protected, then {counted(changes)}"


def logs(life: Life) -> None:
    """Look for passwords in what servers and control plane wrote, as long as it is there."""
    ground = life.commands.ground
    life.passwords.search("logs", passwords.files(sorted(ground.rglob("*.log")), ground))


def _turned(life: Life) -> dt.datetime:
    """A full second after the last turn, and before one more."""
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    while (left := (moment - dt.datetime.now(dt.UTC)).total_seconds()) > -0.05:  # noqa: PLR2004
        time.sleep(max(left, 0) + 0.05)
    life.conversation.say(life.http, "after the moment")
    return moment
