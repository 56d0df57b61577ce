"""Files that somebody else named: who may read them, and a reader that no pipe hangs and that cuts no long one."""

import errno
import os
import stat
from pathlib import Path


def readable(path: Path) -> bool:
    """Whether this process may read a file, or look into a folder; read-only.

    Args:
        path: The file or folder.
    """
    rights = os.R_OK | (os.X_OK if path.is_dir() else 0)
    return os.access(path, rights, effective_ids=os.access in os.supports_effective_ids)


def read(path: Path, longest: int) -> bytes:
    """All that a regular file holds.

    Args:
        path: The file, or a link to it.
        longest: How many bytes it may have.

    Raises:
        OSError: It cannot be read, is longer, or is a folder, a pipe or a device; `strerror` says which.
    """
    with open(path, "rb", opener=_at_once) as file:  # Path.open takes no opener.
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, which cannot be read again and again", str(path))
        found = file.read(longest + 1)
    if len(found) > longest:
        raise OSError(errno.EFBIG, f"it is longer than {longest} bytes", str(path))
    return found


def _at_once(name: str, flags: int) -> int:
    """A pipe that nobody writes to would otherwise be waited for (open(2), O_NONBLOCK); nothing changes for a file."""
    return os.open(name, flags | os.O_NONBLOCK)
