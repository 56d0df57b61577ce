"""The file .env: its owner's alone, replaced as a whole, and looked at by one run at a time."""

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

NEW: Final = ".env.new"
"""What .env is replaced by, under one name, so that the next run clears it away where one was killed."""


class UnusableError(Exception):
    """A file cannot be used as it is; the message is one line for the person at the terminal."""


def values(file: Path) -> dict[str, str | None]:
    """The variables of a file, none where it is not there; read-only.

    Raises:
        UnusableError: It cannot be read.
    """
    return parsed(read(file))


def parsed(text: str) -> dict[str, str | None]:
    """The variables of a text, without interpolation, as the app and the Pulumi program read it; read-only."""
    return dict(dotenv_values(stream=StringIO(text.removeprefix("\ufeff")), interpolate=False))


def named(root: Path, name: str) -> str:
    """A variable as docker compose finds it, in the environment or in .env, empty where it is in neither; read-only.

    Raises:
        UnusableError: .env cannot be read.
    """
    return os.environ.get(name) or values(root / ".env").get(name) or ""


def read(file: Path) -> str:
    """The text of a file, empty where it is not there; read-only.

    Raises:
        UnusableError: It cannot be read.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        message = f"{file.name}: expected a file, not a pipe or a device. Remove it"
        raise UnusableError(message)
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        message = f"{file.name}: expected UTF-8 text of NAME=value lines. Mend or remove it"
        raise UnusableError(message) from None
    except OSError as error:
        raise unwritable(file, error) from None


def unwritable(file: Path, error: OSError) -> UnusableError:
    """The error for a file that the system refuses."""
    return UnusableError(f"{file.name}: expected a file that can be read and written, but: {error.strerror}")


def require_own(file: Path) -> None:
    """Look whether passwords may go into a file; read-only.

    Raises:
        UnusableError: It is a link, whose end may be anybody's, or it belongs to another user, who would read them.
    """
    if file.is_symlink():
        message = f"{file.name}: expected a file, not a link to {file.readlink()}. Put a copy in its place"
        raise UnusableError(message)
    if file.exists() and (owner := file.stat().st_uid) != os.geteuid():
        message = (
            f"{file.name}: expected a file of {user(os.geteuid())}, who runs this, not of {user(owner)}. Run this "
        )
        raise UnusableError(message + "as its owner, or give it to whoever runs this")


def user(number: int) -> str:
    """The name of a user, else the number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def replace(file: Path, text: str) -> None:
    """Put another text in the place of a file's, for the owner alone: whoever is stopped half-way leaves the old one.

    Raises:
        UnusableError: The system refuses.
    """
    new = file.with_name(NEW)
    try:
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as content:
            content.write(text.encode())
            content.flush()
            os.fsync(content.fileno())
        new.replace(file)
    except OSError as error:
        raise unwritable(file, error) from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One run at a time; of two at once the second one finds what the first one made."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
