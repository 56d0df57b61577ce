"""The passwords of docker-compose.yml: made once, and fit for where they go."""

import os
import re
import secrets
import stat
import sys
from pathlib import Path
from typing import Final

from scripts.staging.env_file import UnusableError, alone, parsed, read, replace, require_own, values

IN_URIS: Final = ("SESSION_DB_PASSWORD", "ADMIN_DB_PASSWORD")
"""Of `adk_user` and of `postgres`, in docker-compose.yml as in Pulumi.staging.yaml."""

NAMES: Final = (*IN_URIS, "PGADMIN_PASSWORD", "API_TOKEN")

_UNRESERVED: Final = re.compile(r"[\w.~-]+", re.ASCII)
"""What stands for itself in a URI (RFC 3986, section 2.3): docker-compose.yml cannot percent-encode."""

_TOKEN: Final = re.compile(r"[!-~]{32,}")
"""As the API server takes one (`app/api/entry/tokens.py`), which this script runs without."""


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
        known = parsed(text)
        missing = [name for name in NAMES if not (known.get(name) or "").strip()]
        if missing:
            lines = [f"{name}={secrets.token_urlsafe(32)}" for name in missing]
            start = "" if not text or text.endswith("\n") else "\n"
            text += "\n".join([f"{start}# Made by make staging.", *lines, ""])
        if missing or stat.S_IMODE(file.stat().st_mode) & 0o077:
            replace(file, text)
    return missing


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


def overruled(root: Path, name: str) -> None:
    """Say where another value counts than that of .env."""
    value = values(root / ".env")[name]
    if os.environ.get(name, value) != value:
        print(f"{name} of the environment wins over that of .env, while it is set", file=sys.stderr)
    elif values(root / ".env.local").get(name, value) != value:
        print(f"{name} of .env.local wins over that of .env, but docker compose does not read it", file=sys.stderr)
