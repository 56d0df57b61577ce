"""Makes the passwords of docker-compose.yml in .env, once, and starts its PostgreSQL server where an engine is.

What stands in .env stays as it is: a server keeps the passwords that it was made with. Prints nothing that is secret.

Example: make staging
"""

import fcntl
import os
import pwd
import re
import secrets
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

ROOT: Final = Path(__file__).resolve().parents[1]

IN_URIS: Final = ("SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD")
"""Of `adk_user` and of `postgres`, in docker-compose.yml as in Pulumi.staging.yaml."""

NAMES: Final = (*IN_URIS, "PGADMIN_PASSWORD", "API_TOKEN")

NEW: Final = ".env.new"
"""What .env is replaced by, under one name, so that the next run clears it away where one was killed."""

VOLUME: Final = "session-db_postgres"
"""Of docker-compose.yml's `name` and its volume `postgres`."""

_UNRESERVED: Final = re.compile(r"[\w.~-]+", re.ASCII)
"""What stands for itself in a URI (RFC 3986, section 2.3): docker-compose.yml cannot percent-encode."""

PORT: Final = "5432"
"""docker-compose.yml's, where POSTGRES_PORT names no other one."""

_STACK_PORT: Final = re.compile(r"^ +port: *[\"']?(\d+)", re.MULTILINE)

_TOKEN: Final = re.compile(r"[!-~]{32,}")
"""As the API server takes one (`app/api/entry/tokens.py`), which this script runs without."""

_READABLE: Final = {False: 0o044, True: 0o055}
"""The mode's bits, by whether it is a folder."""

_ENGINE_SECONDS: Final = 30


class UnusableError(Exception):
    """A file cannot be used as it is; the message is one line for the person at the terminal."""


def main(root: Path = ROOT) -> int:
    """Make what is missing, then start the server or say what will.

    Returns:
        The exit code: 0 done, 2 a file or a password in it cannot be used, else that of docker compose.
    """
    try:
        made = fill(root / ".env")
        require_unreserved(root / ".env")
        require_tokens(root / ".env")
        print(f".env: made {', '.join(made)}" if made else ".env: every password is there, nothing is changed")
        for name in NAMES:
            overruled(root, name)
        open_for_containers(root)
        tell_of_agents(root)
    except UnusableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return start(root, fresh=set(IN_URIS) <= set(made))


def require_unreserved(file: Path) -> None:
    """Look whether docker-compose.yml can put the passwords into URIs; read-only.

    Raises:
        UnusableError: It cannot.
    """
    found = values(file)
    if refused := [name for name in IN_URIS if not _UNRESERVED.fullmatch(found[name] or "")]:
        expected = "letters, digits, - . _ or ~, since it goes into a URI"
        message = f"{file.name}: expected {' and '.join(refused)} to be of {expected}"
        raise UnusableError(message)


def require_tokens(file: Path) -> None:
    """Look whether the API server takes API_TOKEN; read-only.

    Raises:
        UnusableError: It does not.
    """
    lines = [line.strip() for line in (values(file)["API_TOKEN"] or "").splitlines() if line.strip()]
    if not all(_TOKEN.fullmatch(line) for line in lines):
        expected = "32 or more ASCII characters without blanks, one token a line, for example of: openssl rand -hex 32"
        message = f"{file.name}: expected API_TOKEN to be of {expected}"
        raise UnusableError(message)


def values(file: Path) -> dict[str, str | None]:
    """The variables of a file, none where it is not there; read-only.

    Raises:
        UnusableError: It cannot be read.
    """
    # Without interpolation, as the app and the Pulumi program read it.
    return dict(dotenv_values(stream=StringIO(read(file).removeprefix("\ufeff")), interpolate=False))


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


def fill(file: Path) -> list[str]:
    """Add what is missing, for the owner's eyes only; what is there stays byte by byte.

    Returns:
        The names that were added.

    Raises:
        UnusableError: The file is a link, somebody else's, or cannot be read or written.
    """
    with alone(file.parent):
        require_own(file)
        text = read(file)
        known = dotenv_values(stream=StringIO(text.removeprefix("\ufeff")), interpolate=False)
        missing = [name for name in NAMES if not (known.get(name) or "").strip()]
        if missing:
            lines = [f"{name}={secrets.token_urlsafe(32)}" for name in missing]
            start = "" if not text or text.endswith("\n") else "\n"
            text += "\n".join([f"{start}# Made by make staging.", *lines, ""])
        if missing or stat.S_IMODE(file.stat().st_mode) & 0o077:
            replace(file, text)
    return missing


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


def overruled(root: Path, name: str) -> None:
    """Say where another value counts than that of .env."""
    value = values(root / ".env")[name]
    if os.environ.get(name, value) != value:
        print(f"{name} of the environment wins over that of .env, while it is set", file=sys.stderr)
    elif values(root / ".env.local").get(name, value) != value:
        print(f"{name} of .env.local wins over that of .env, but docker compose does not read it", file=sys.stderr)


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


def named(root: Path, name: str) -> str:
    """A variable as docker compose finds it, in the environment or in .env, empty where it is in neither; read-only.

    Raises:
        UnusableError: .env cannot be read.
    """
    return os.environ.get(name) or values(root / ".env").get(name) or ""


def tell_of_port(root: Path, port: str) -> None:
    """Say where `make up STACK=staging` would go to another port than this server's; read-only.

    Raises:
        UnusableError: The stack file cannot be read.
    """
    found = _STACK_PORT.search(read(root / "Pulumi.staging.yaml"))
    if found and found[1] != port:
        why = f"this server is at port {port}, but Pulumi.staging.yaml leads to {found[1]}"
        print(f"{why}: write port: {port} there before make up STACK=staging", file=sys.stderr)


def readable(path: Path) -> bool:
    """Whether everybody may read a file, and look into a folder; read-only."""
    needed = _READABLE[path.is_dir()]
    return path.stat().st_mode & needed == needed


def start(root: Path, *, fresh: bool) -> int:
    """Start the database where a container engine answers.

    Args:
        root: The folder of docker-compose.yml.
        fresh: Whether the passwords are new.
    """
    compose = ["docker", "compose", "up", "--detach", "--wait", "postgres"]
    if not answers("docker", "info"):
        print("no container engine answers to: docker info. Start one, and then the database: " + " ".join(compose))
        print("or name a server that you have in Pulumi.staging.yaml, and its passwords in place of those in .env")
        print("next, either way: make up STACK=staging")
        return 0
    if fresh and answers("docker", "volume", "inspect", VOLUME):
        print(f"the volume {VOLUME} is older than these passwords: docs/containers.md#passwords", file=sys.stderr)
    port = named(root, "POSTGRES_PORT") or PORT
    if code := subprocess.run(compose, cwd=root, check=False).returncode:
        why = f"where port {port} is taken, write another one into .env, for example POSTGRES_PORT=15432, and into"
        print(f"it did not start: {why} Pulumi.staging.yaml, port: 15432", file=sys.stderr)
        return code
    tell_of_port(root, port)
    print("next: make up STACK=staging, or all of it in containers: docker compose up --detach --wait")
    return 0


def answers(*command: str) -> bool:
    """Whether a command ends well; read-only."""
    if shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped as asked; to go on, run the same command again", file=sys.stderr)
        sys.exit(130)
