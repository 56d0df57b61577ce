"""Files of servers: copied with their owner, written at once, and JSON that is either the old or the new."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from rehearsal.errors import FolderError

_COPY: Final = ("cp", "-a", "--reflink=auto") if sys.platform == "linux" else ("cp", "-a")
"""Keeps owners and permissions, and shares the blocks where the file system can."""


def copy(source: Path, target: Path) -> None:
    """Copy a folder of which nothing is in use.

    Args:
        source: The folder.
        target: Its copy; not there yet.

    Raises:
        FolderError: It cannot be copied.
    """
    done = subprocess.run([*_COPY, str(source), str(target)], check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"expected a folder that can be copied to {target}: {done.stderr.strip()}"
        raise FolderError(message)


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it; nothing happens where it is not there."""
    shutil.rmtree(folder, ignore_errors=True)


def size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def save(path: Path, value: Any) -> None:
    """Write a JSON file that nobody else can read, replacing it in one step."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=1)
    draft.replace(path)
