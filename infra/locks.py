"""Who deploys a stack: one run at a time from this clone, and the locks of a killed one are released."""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import psutil

from infra.errors import StateError
from infra.layout import ROOT

Report = Callable[[str], None]

_PATIENCE_SECONDS: Final = 60.0


@contextlib.contextmanager
def alone(stack: str, folder: Path, report: Report) -> Iterator[None]:
    """One deployment of a stack at a time from this clone; a second one waits its turn.

    Args:
        stack: The stack's name.
        folder: Where the lock is kept, beside the state.
        report: Called with a line where it has to wait.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f"{stack}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another deployment of stack {stack}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def heal(url: str, project: str, stack: str, report: Report) -> None:
    """Remove what a killed run left beside the state; only a `file://` backend has it in reach.

    These are the engine's locks whose process on this machine is gone, and attribute files cut off while they were
    written: the state itself is replaced at once, but its `.attrs` is not, and an empty one hides the state
    (gocloud.dev `fileblob`, whose attributes are optional).

    Args:
        url: The backend, as `backend` returns it.
        project: The Pulumi project.
        stack: The stack's name.
        report: Called with a line for each lock removed.

    Raises:
        StateError: A living process holds the lock.
    """
    if not url.startswith("file://"):
        return
    place = unquote(url.removeprefix("file://").partition("?")[0])
    root = ROOT / Path(place).expanduser() / ".pulumi"
    _release_dead_locks(root / "locks" / "organization" / project / stack, stack, report)
    for attributes in root.rglob("*.attrs"):
        if not attributes.stat().st_size:
            attributes.unlink()


def _release_dead_locks(folder: Path, stack: str, report: Report) -> None:
    for lock in folder.glob("*.json"):
        holder = _holder(lock)
        if holder.get("hostname", os.uname().nodename) != os.uname().nodename:
            continue
        pid = holder.get("pid", 0)
        if not _ended(pid, lock.stat().st_mtime, report):
            message = f"stack {stack} is being deployed by process {pid}. Wait for it, and run this again"
            raise StateError(message)
        if not lock.exists():
            continue
        report(f"an earlier run was killed (process {pid}): releasing its lock")
        lock.unlink(missing_ok=True)


def _holder(lock: Path) -> dict[str, Any]:
    try:
        holder = dict(json.loads(lock.read_text()))
        return holder | {"pid": int(holder.get("pid", 0))}
    except (ValueError, TypeError):
        return {}  # Cut off while it was written, so its process is gone.


def _ended(pid: int, since: float, report: Report) -> bool:
    """Whether the process that took a lock at `since` (Unix seconds) is gone; a reused pid is younger.

    An engine whose driver was killed notices and leaves by itself, so a living one is given a minute.
    """
    try:
        process = psutil.Process(pid)
        if process.create_time() > since or process.status() == psutil.STATUS_ZOMBIE:
            return True
        report(f"waiting for the deployment of process {pid}")
        process.wait(_PATIENCE_SECONDS)
    except psutil.TimeoutExpired:
        return process.status() == psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return True
    return True
