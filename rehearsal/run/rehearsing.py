"""A rehearsal from its preparation to its end, whatever an earlier one has left; and how all of them are ended."""

import contextlib
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from rehearsal.claim import claimed
from rehearsal.controlplane import client
from rehearsal.report.record import Rehearsal
from rehearsal.run import layout, processes, story
from rehearsal.run.command import Commands
from rehearsal.run.life import Life
from rehearsal.run.processes import Processes
from rehearsal.run.runner import Runner
from rehearsal.run.stack_file import StackFile
from rehearsal.run.watch import Watch


def rehearse(
    cloud: str, console: Console, *, writers: int, seconds: float, keep: bool = False, folder: Path | None = None
) -> Rehearsal:
    """Go the whole way of a production stack on one cloud.

    Args:
        cloud: `gcp`, `aws` or `azure`.
        console: Where the steps are shown.
        writers: Sessions at once in a drill.
        seconds: How long a drill writes before and after what it does.
        keep: Whether the stack stays up at the end.
        folder: Where report and logs go; a folder for the cloud in the clone where None.

    Returns:
        What came of it; the report is written.

    Raises:
        StepError: The cloud is rehearsed in this clone already.
        FolderError: The cloud's folder has somebody's files in it.
        KeyboardInterrupt: It was stopped, by Ctrl-C or SIGTERM; the report is written before.
    """
    known = Processes(cloud)
    with known.alone(), _interruptible(), Watch() as watch:
        forget(cloud)
        layout.point(cloud)
        file = StackFile(cloud)
        file.begin()
        reports = folder or layout.REPORTS / cloud
        _forget_logs(reports / "logs")
        commands = Commands(layout.stack_of(cloud), layout.ground_of(cloud), known, reports / "logs", lambda _: None)
        life = Life(file, commands, watch, writers, seconds)
        done = Runner(life, story.LIFE if keep else {**story.LIFE, **story.END}, console, reports).run()
        if not keep and done.whole:
            forget(cloud)
    return done


def forget(cloud: str) -> None:
    """Stop a cloud's control plane and servers, and forget its stack; nothing happens where there is none."""
    _removed(layout.ground_of(cloud))
    layout.forget_state(cloud)
    StackFile(cloud).remove()


def clean(tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """End every rehearsal of this clone, whoever began it, and forget them all; reports stay.

    Args:
        tell: Takes a line before each thing that may take some seconds.

    Returns:
        What was ended, for people.
    """
    tell(f"ending what rehearsals of {', '.join(layout.CLOUDS)} have started")
    counts = {cloud: Processes(cloud).end() for cloud in layout.CLOUDS}
    ended = [f"{count} processes of the rehearsal of {cloud}" for cloud, count in counts.items() if count]
    for ground in layout.grounds():
        tell(f"ending what runs in {layout.shown(ground)}, and removing it")
        if client.running(ground):
            ended.append(f"the control plane in {layout.shown(ground)}, with its servers")
        _removed(ground)
    for cloud in layout.CLOUDS:
        forget(cloud)
    layout.forget_grounds()
    shutil.rmtree(layout.RUNS, ignore_errors=True)
    shutil.rmtree(layout.STATE, ignore_errors=True)
    return ended


def status() -> Mapping[str, Any]:
    """What runs of this clone's rehearsals; read-only."""
    found: dict[str, Any] = {"rehearsed": processes.running(), "control_planes": []}
    for ground in layout.grounds():
        if plane := client.running(ground):
            told = plane.call("servers.list")["servers"]
            servers = [
                {name: each[name] for name in ("cloud", "name", "status", "version", "host", "port")} for each in told
            ]
            found["control_planes"].append({"folder": layout.shown(ground), "pid": plane.pid, "servers": servers})
    return found


def _removed(ground: Path) -> None:
    if claimed(ground):  # Anything else is somebody's, whatever says that it was a rehearsal's.
        plane = client.running(ground)
        client.stop(ground)
        if plane:
            processes.gone(plane.pid)
        shutil.rmtree(ground, ignore_errors=True)


def _forget_logs(folder: Path) -> None:
    """Those of the rehearsal before; the folder of a report may have files of somebody's in it."""
    for each in [*folder.glob("[0-9][0-9]-*.log"), folder / "api-server.log"]:
        each.unlink(missing_ok=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends a rehearsal as Ctrl-C does: what it has started ends first."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
