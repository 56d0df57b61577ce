"""Makes the passwords of docker-compose.yml in .env, once, and starts its PostgreSQL server where an engine is.

What stands in .env stays as it is: a server keeps the passwords that it was made with. Prints nothing that is secret.

Example: make staging
"""

import fcntl
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

ROOT: Final = Path(__file__).resolve().parents[1]

IN_URIS: Final = ("SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD")
"""Of `adk_user` and of `postgres`, in docker-compose.yml as in Pulumi.staging.yaml."""

NAMES: Final = (*IN_URIS, "PGADMIN_PASSWORD", "API_TOKEN")

VOLUME: Final = "session-db_postgres"
"""Of docker-compose.yml's `name` and its volume `postgres`."""

_UNRESERVED: Final = re.compile(r"[\w.~-]+", re.ASCII)
"""What stands for itself in a URI (RFC 3986, section 2.3): docker-compose.yml cannot percent-encode."""

_ENGINE_SECONDS: Final = 30


def main(root: Path = ROOT) -> int:
    """Make what is missing, then start the server or say what will.

    Returns:
        The exit code: 0 done, 2 a password in .env cannot be used, else that of docker compose.
    """
    made = fill(root / ".env")
    if refused := [name for name in IN_URIS if not _UNRESERVED.fullmatch(values(root / ".env")[name] or "")]:
        expected = "letters, digits, - . _ or ~, since it goes into a URI"
        print(f"error: .env: expected {' and '.join(refused)} to be of {expected}", file=sys.stderr)
        return 2
    print(f".env: made {', '.join(made)}" if made else ".env: every password is there, nothing is changed")
    for name in NAMES:
        overruled(root, name)
    return start(root, fresh=set(IN_URIS) <= set(made))


def values(file: Path) -> dict[str, str | None]:
    """The variables of a file, none where it is not there; read-only."""
    # Without interpolation, as the app and the Pulumi program read it.
    return dict(dotenv_values(file, interpolate=False, encoding="utf-8-sig"))


def fill(file: Path) -> list[str]:
    """Add what is missing, for the owner's eyes only; what is there stays byte by byte.

    Returns:
        The names that were added.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8", newline="") as content:
        fcntl.flock(content, fcntl.LOCK_EX)  # Of two at once the second one finds what the first one made.
        if stat.S_IMODE(os.fstat(content.fileno()).st_mode) & 0o077:
            os.fchmod(content.fileno(), 0o600)
        text = content.read()
        known = dotenv_values(stream=StringIO(text.removeprefix("\ufeff")), interpolate=False)
        missing = [name for name in NAMES if not (known.get(name) or "").strip()]
        if missing:
            lines = [f"{name}={secrets.token_urlsafe(32)}" for name in missing]
            start = "" if not text or text.endswith("\n") else "\n"
            content.write("\n".join([f"{start}# Made by make staging.", *lines, ""]))
    return missing


def overruled(root: Path, name: str) -> None:
    """Say where another value counts than that of .env."""
    value = values(root / ".env")[name]
    if os.environ.get(name, value) != value:
        print(f"{name} of the environment wins over that of .env, while it is set", file=sys.stderr)
    elif values(root / ".env.local").get(name, value) != value:
        print(f"{name} of .env.local wins over that of .env, but docker compose does not read it", file=sys.stderr)


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
    if code := subprocess.run(compose, cwd=root, check=False).returncode:
        return code
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
    sys.exit(main())
