"""A folder for servers: short enough for sockets, open to the account they run as, gone when it is no longer used."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rehearsal.account import Account
from rehearsal.claim import claim

TEMPORARY = Path("/tmp")  # noqa: S108  # A socket's path has 103 bytes; macOS's own folder takes half of them.
"""Where such folders are made; tests choose another one."""

_PREFIX: Final = "rehearsal-"


@contextlib.contextmanager
def ground() -> Iterator[Path]:
    """A fresh folder, removed with all that is in it at the end.

    What an owner that was killed has left behind is removed by the next one: nobody holds its lock any more.

    Returns:
        The folder; everybody may enter it, only its owner may write.
    """
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=TEMPORARY))
    try:
        claim(folder)
        with (folder / "draft").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "draft").rename(folder / "lock")  # Only now a sweep sees it, and finds it taken.
            folder.chmod(0o755)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    for lock in TEMPORARY.glob(f"{_PREFIX}*/lock"):
        with contextlib.suppress(OSError):  # In use, or removed by somebody else in this moment.
            if lock.parent.lstat().st_uid not in (os.geteuid(), Account.unprivileged().uid):
                continue
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
