"""Files of servers: copied with their owner, packed into one, and JSON that is either the old or the new."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from rehearsal.account import Account
from rehearsal.errors import FolderError

_COPY: Final = ("cp", "-a", "--reflink=auto") if sys.platform == "linux" else ("cp", "-a")
"""Keeps owners and permissions, and shares the blocks where the file system can."""


def copy(source: Path, target: Path) -> None:
    """Copy a folder or a file of which nothing is in use.

    Args:
        source: The folder or file.
        target: Its copy; not there yet.

    Raises:
        FolderError: It cannot be copied.
    """
    done = subprocess.run([*_COPY, str(source), str(target)], check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"expected a folder that can be copied to {target}: {done.stderr.strip()}"
        raise FolderError(message)


def pack(folder: Path, target: Path, account: Account) -> None:
    """Put a folder of which nothing is in use into one file: a thousand small ones cost a second each time.

    Args:
        folder: The folder.
        target: The file, which only the account can read.
        account: Whose both are.

    Raises:
        ServerError: It cannot be packed.
    """
    account.run("tar", "-C", str(folder), "-cf", str(target), ".")
    account.own(target, 0o600)


def unpack(source: Path, folder: Path, account: Account) -> None:
    """The folder that `pack` has packed.

    Args:
        source: The file.
        folder: Where it is to be; not there yet.
        account: Whose it is to be.

    Raises:
        ServerError: It cannot be unpacked.
    """
    folder.mkdir()
    account.own(folder, 0o700)
    account.run("tar", "-C", str(folder), "-xf", str(source))


def link(source: Path, target: Path) -> None:
    """Give a file that never changes another name, or copy it to another file system."""
    try:
        target.hardlink_to(source)
    except OSError:
        copy(source, target)


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it; nothing happens where it is not there."""
    shutil.rmtree(folder, ignore_errors=True)


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
