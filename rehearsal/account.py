"""The operating system's account that servers run as: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import ServerError


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL's programs.

    Attributes:
        uid: The user to drop to; None where nothing is to drop, since we are no root.
        gid: The group to drop to; None likewise.
    """

    uid: int | None
    gid: int | None

    @classmethod
    def unprivileged(cls) -> "Account":
        """Whoever runs this, or `nobody` where that is root.

        Not `postgres`: a server under test may then never touch what the machine's own server owns.
        """
        if os.geteuid() != 0:
            return cls(None, None)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def own(self, path: Path, mode: int) -> None:
        """Make a file or folder the account's.

        Args:
            path: What is to change hands.
            mode: Its permissions from now on, for example 0o600.
        """
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def write(self, path: Path, text: str) -> None:
        """Write a file that nobody else can read, replacing it in one step."""
        draft = path.with_name(f".{path.name}.draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(text)
        self.own(draft, 0o600)
        draft.replace(path)

    def closed(self, path: Path) -> Path | None:
        """The outermost existing folder on the way to a path that the account cannot enter; None if all are open."""
        if self.uid is None:
            return None
        resolved = path.resolve()
        for folder in [*reversed(resolved.parents), resolved]:
            if folder.is_dir() and not self._enters(folder.stat()):
                return folder
        return None

    def _enters(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)

    def run(self, *command: str, **environ: str) -> str:
        """Run one of PostgreSQL's programs to its end.

        Args:
            command: The program and its arguments; never a password, which every user of the machine could read.
            environ: Added to `environment()`.

        Returns:
            What it printed.

        Raises:
            ServerError: The program failed; the message has its own words.
        """
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd="/",  # The account may not enter the working directory.
            env={**environment(), **environ},
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )
        if done.returncode:
            message = f"{Path(command[0]).name} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}"
            raise ServerError(message)
        return done.stdout


def environment() -> Mapping[str, str]:
    """What PostgreSQL's programs see: English messages, and nothing of the developer's own PG settings.

    Nor their home, which the account may not enter: libpq looks there for a certificate, and gives up where it may not.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "HOME": "/", "LC_ALL": "C"}
