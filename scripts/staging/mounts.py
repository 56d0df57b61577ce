"""What docker-compose.yml gives to containers, in which nobody is root."""

import os
import shlex
import stat
import sys
from pathlib import Path
from typing import Final

from scripts.staging.env_file import named, unwritable

_READABLE: Final = {False: 0o044, True: 0o055}
"""The mode's bits, by whether it is a folder."""


def open_for_containers(root: Path) -> None:
    """Let everybody read what docker-compose.yml gives to containers, in which nobody is root.

    Raises:
        UnusableError: The system refuses.
    """
    folder = root / "containers"
    try:
        for each in (folder, *folder.rglob("*")) if folder.exists() else ():
            if not readable(each):
                each.chmod(stat.S_IMODE(each.stat().st_mode) | _READABLE[each.is_dir()])
    except OSError as error:
        raise unwritable(folder, error) from None


def tell_of_agents(root: Path) -> None:
    """Say where the service api cannot read the agents, which are somebody's own; read-only.

    Raises:
        UnusableError: .env cannot be read.
    """
    place = named(root, "AGENTS_DIR")
    folder = Path(os.path.normpath(root / Path(place).expanduser())) if place else root / "agents"
    shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
    if folder.is_dir() and not readable(folder):
        mend = f"chmod -R a+rX {shlex.quote(str(shown))}"
        print(f"{shown}: not readable for everybody, so not for the service api: {mend}", file=sys.stderr)
    elif place and not folder.is_dir():
        print(f"AGENTS_DIR: expected a folder of agents, there is no folder {shown}", file=sys.stderr)


def readable(path: Path) -> bool:
    """Whether everybody may read a file, and look into a folder; read-only."""
    needed = _READABLE[path.is_dir()]
    return path.stat().st_mode & needed == needed
