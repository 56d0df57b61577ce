"""Where a control plane is to be found, and whether one lives: two files in the rehearsal's folder."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = "controlplane.json"
LOG: Final = "controlplane.log"
_LIFE: Final = "controlplane.lock"


@dataclass(frozen=True)
class Meeting:
    """Where to reach it.

    Attributes:
        url: On the loopback address; its path is the token without which nothing is answered.
        pid: Its process.
    """

    url: str = field(repr=False)
    pid: int


def announce(folder: Path, meeting: Meeting) -> None:
    """Say where the control plane is, in one step, to its owner alone."""
    write(folder / FILE, json.dumps(asdict(meeting)))


def find(folder: Path) -> Meeting | None:
    """Where the control plane was last; None where there was none."""
    with contextlib.suppress(FileNotFoundError):
        return Meeting(**json.loads((folder / FILE).read_text()))
    return None


def write(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@contextlib.contextmanager
def life(folder: Path) -> Iterator[None]:
    """Hold what only one control plane of a folder holds, and only while it lives; waits for the one before."""
    with (folder / _LIFE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_alive(folder: Path) -> bool:
    """Whether a control plane of the folder lives; it need not answer yet."""
    try:
        with (folder / _LIFE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
