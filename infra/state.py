"""Where the stack's state is kept: the user's backend, else a local one; and how an interrupted run is healed."""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import psutil
import yaml

from infra.errors import SettingsError, StateError
from infra.layout import ROOT, STATE

Report = Callable[[str], None]

_PATIENCE_SECONDS: Final = 60.0
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
    if url == _own_backend():
        STATE.mkdir(mode=0o700, exist_ok=True)
        added["PULUMI_BACKEND_URL"] = url
    if url.startswith("file://") and not any(name in environ for name in _PASSPHRASE):
        added["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file())
    return added


def _own_backend() -> str:
    return f"file://{STATE}"


def backend(environ: Mapping[str, str] = os.environ) -> str:
    """The URL of the backend: of the environment, of Pulumi.yaml, of `pulumi login`, else this clone's; read-only."""
    if url := environ.get("PULUMI_BACKEND_URL"):
        return url
    project = _stack_file(ROOT / "Pulumi.yaml")
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


def _passphrase_file() -> Path:
    """A random passphrase of this clone's own, mode 0600, complete from the moment it exists."""
    path = STATE / "passphrase"
    STATE.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        if (STATE / ".pulumi" / "stacks").exists():
            message = (
                f"expected the passphrase of the local state in {path}, or yours in PULUMI_CONFIG_PASSPHRASE, but it "
                f"is gone. Put it back; or move {STATE} away and run make up, which adopts the database as it is"
            )
            raise StateError(message)
        fresh = path.with_name(f"passphrase.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path


def require_stack_file(stack: str) -> None:
    """Refuse a stack without a readable file, so that a typo creates nothing; read-only.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    _stack_file(ROOT / f"Pulumi.{stack}.yaml")


def config_file(stack: str) -> Path:
    """The stack file the engine reads: the tracked one, or a copy that takes the salt the engine adds.

    The engine writes `encryptionsalt` into the stack file of every stack with a passphrase. A generated passphrase is
    this clone's alone, so its salt goes into a copy and the tracked file stays clean. A file that has encryption
    settings of its own is used as it is.

    Raises:
        SettingsError: There is no such stack file, or it is no YAML.
    """
    tracked = ROOT / f"Pulumi.{stack}.yaml"
    copy = STATE / "config" / tracked.name
    if any(key in _stack_file(tracked) for key in ("encryptionsalt", "secretsprovider", "encryptedkey")):
        return tracked
    text = tracked.read_text()
    with contextlib.suppress(SettingsError):  # A copy that is missing or damaged gets a new salt.
        if salt := _stack_file(copy).get("encryptionsalt"):
            text += f"\nencryptionsalt: {salt}\n"
    STATE.mkdir(mode=0o700, exist_ok=True)
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = copy.with_name(copy.name + ".partial")
    fresh.write_text(text)
    fresh.rename(copy)
    return copy


def _stack_file(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem.removeprefix("Pulumi.") for file in ROOT.glob("Pulumi.*.yaml")))
        message = f"expected a stack file {path.name}; there are: {known}. For example: --stack dev"
        raise SettingsError(message) from None
    except UnicodeDecodeError:
        message = f"{path.name}: expected UTF-8 text such as `session-database:backend: sqlite` under `config:`"
        raise SettingsError(message) from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" line {place.line + 1}" if place else ""
        message = f"{path.name}:{line} expected YAML such as `session-database:backend: sqlite` under `config:`"
        raise SettingsError(message) from None
    if not isinstance(content, dict | None):
        message = f"{path.name}: expected a mapping with the key `config:`, got {type(content).__name__}"
        raise SettingsError(message)
    return content or {}


@contextlib.contextmanager
def alone(stack: str, report: Report) -> Iterator[None]:
    """One deployment of a stack at a time from this clone; a second one waits its turn."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    with (STATE / f"{stack}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another deployment of stack {stack}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def heal(url: str, project: str, stack: str, report: Report) -> None:
    """Remove what a killed run left beside the state; only a `file://` backend has it in reach.

    These are the engine's locks whose process on this machine is gone, and attribute files cut off while they were
    written: the state itself is replaced at once, but its `.attrs` is not, and an empty one hides the state
    (gocloud.dev `fileblob`, whose attributes are optional).

    Args:
        url: The backend, as `backend` returns it.
        project: The Pulumi project.
        stack: The stack's name.
        report: Called with a line for each lock removed.

    Raises:
        StateError: A living process holds the lock.
    """
    if not url.startswith("file://"):
        return
    place = unquote(url.removeprefix("file://").partition("?")[0])
    root = ROOT / Path(place).expanduser() / ".pulumi"
    _release_dead_locks(root / "locks" / "organization" / project / stack, stack, report)
    for attributes in root.rglob("*.attrs"):
        if not attributes.stat().st_size:
            attributes.unlink()


def _release_dead_locks(folder: Path, stack: str, report: Report) -> None:
    for lock in folder.glob("*.json"):
        holder = _holder(lock)
        if holder.get("hostname", os.uname().nodename) != os.uname().nodename:
            continue
        pid = holder.get("pid", 0)
        if not _ended(pid, lock.stat().st_mtime, report):
            message = f"stack {stack} is being deployed by process {pid}. Wait for it, and run this again"
            raise StateError(message)
        if not lock.exists():
            continue
        report(f"an earlier run was killed (process {pid}): releasing its lock")
        lock.unlink(missing_ok=True)


def _holder(lock: Path) -> dict[str, Any]:
    try:
        holder = dict(json.loads(lock.read_text()))
        return holder | {"pid": int(holder.get("pid", 0))}
    except (ValueError, TypeError):
        return {}  # Cut off while it was written, so its process is gone.


def _ended(pid: int, since: float, report: Report) -> bool:
    """Whether the process that took a lock at `since` (Unix seconds) is gone; a reused pid is younger.

    An engine whose driver was killed notices and leaves by itself, so a living one is given a minute.
    """
    try:
        process = psutil.Process(pid)
        if process.create_time() > since or process.status() == psutil.STATUS_ZOMBIE:
            return True
        report(f"waiting for the deployment of process {pid}")
        process.wait(_PATIENCE_SECONDS)
    except psutil.TimeoutExpired:
        return process.status() == psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return True
    return True
