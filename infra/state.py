"""Where the stack's state is kept: the user's backend, else a local one with a passphrase of its own."""

import contextlib
import json
import os
import pwd
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra import stack_file
from infra.errors import StateError
from infra.layout import ROOT, STATE

_PRIVATE: Final = 0o700

_PASSPHRASE: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the CLI needs to find the state; makes the local backend and its passphrase where the user has none.

    Args:
        environ: The process environment: a user's PULUMI_BACKEND_URL, login or passphrase always wins.

    Returns:
        Variables to add. The passphrase itself is never among them, only the file that holds it.

    Raises:
        StateError: There is a local state, and its passphrase is gone.
    """
    added = {}
    url = backend(environ)
    private(STATE)
    if url == _own_backend():
        added["PULUMI_BACKEND_URL"] = url
    if url.startswith("file://") and not any(name in environ for name in _PASSPHRASE):
        added["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase_file(STATE))
    return added


def _own_backend() -> str:
    return f"file://{STATE}"


def backend(environ: Mapping[str, str] = os.environ) -> str:
    """The URL of the backend: of the environment, of Pulumi.yaml, of `pulumi login`, else this clone's; read-only."""
    if url := environ.get("PULUMI_BACKEND_URL"):
        return url
    project = stack_file.read(ROOT / "Pulumi.yaml")
    if url := (project.get("backend") or {}).get("url"):
        return str(url)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if url := json.loads((_credentials_folder(environ) / "credentials.json").read_text()).get("current"):
            return str(url)
    return "https://api.pulumi.com" if environ.get("PULUMI_ACCESS_TOKEN") else _own_backend()


def _credentials_folder(environ: Mapping[str, str]) -> Path:
    """As the CLI looks for it: the home folder is the account's, whatever HOME says (pulumi `creds.go`)."""
    if named := environ.get("PULUMI_CREDENTIALS_PATH") or environ.get("PULUMI_HOME"):
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pulumi"
    except KeyError:
        return Path.home() / ".pulumi"


def private(folder: Path) -> None:
    """Make a folder of the state that nobody else may enter, or close the one that is there.

    Args:
        folder: The folder; what is above it has to be there, since `mkdir` would leave that open.
    """
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != _PRIVATE:
        folder.chmod(_PRIVATE)


def passphrase_file(folder: Path) -> Path:
    """A random passphrase of this clone's own, mode 0600, complete from the moment it exists.

    Args:
        folder: Where the local state is kept.

    Raises:
        StateError: There is a local state, and its passphrase is gone.
    """
    path = folder / "passphrase"
    private(folder)
    if not path.exists():
        if (folder / ".pulumi" / "stacks").exists():
            message = (
                f"expected the passphrase of the local state in {path}, or yours in PULUMI_CONFIG_PASSPHRASE, but it "
                f"is gone. Put it back; or move {folder} away and run make up, which adopts the database as it is"
            )
            raise StateError(message)
        fresh = path.with_name(f"passphrase.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path
