"""Where the servers of a rehearsal really are: the clouds' host names resolve nowhere, so the URIs say more here.

The rehearsal's control plane writes `reach.json` into the rehearsal's folder; nothing else of it is known here.
"""

import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pulumi.automation import OutputMap, OutputValue

from infra.errors import StateError, ToolError
from infra.layout import ROOT

VARIABLE: Final = "SESSION_DB_REHEARSAL"
"""The environment variable with a rehearsal's folder; empty, stand-ins answer without any server behind them."""

_HOME: Final = ".rehearsal"
_EXAMPLE: Final = f"For example: {VARIABLE}=.rehearsal/mine"
_FILE: Final = "reach.json"
_MARKER: Final = ".session-database-rehearsal"
"""In a folder that a rehearsal made or found empty: only such a one is used, and removed by `clean`."""

_GROUNDS: Final = "grounds"
"""In the clone: each folder that it has ever rehearsed in, one a line."""

_NOTE: Final = "A rehearsal's folder: `python -m rehearsal clean` removes it with all that is in it.\n"
_URIS: Final = ("session_db_uri", "admin_db_uri")
_WAKE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Reach:
    """How the servers of a rehearsal are reached.

    Attributes:
        file: Where that is written, and written anew with each change.
        control_plane: The URL of what plays the clouds.
        ca: The certificate authority of every server.
        hosts: `hostaddr` and `port` by the host names and addresses that records have.
        servers: The names of all servers.
    """

    file: Path
    control_plane: str = field(repr=False)
    ca: str
    hosts: Mapping[str, Mapping[str, Any]]
    servers: tuple[str, ...] = ()

    def leading(self, outputs: OutputMap) -> OutputMap:
        """The outputs with both URIs leading to the server on this machine; read-only."""
        return {name: self._leading(each) if name in _URIS else each for name, each in outputs.items()}

    def _leading(self, output: OutputValue) -> OutputValue:
        return OutputValue(self.uri(str(output.value)), output.secret)

    def uri(self, uri: str) -> str:
        """The URI with address, port and certificate authority of the server that plays its host; read-only.

        The host stays: it is what `verify-full` holds the server's certificate against.
        """
        parts = urlsplit(uri)
        where = self.hosts.get(parts.hostname or "")
        if where is None:
            return uri
        words = dict(parse_qsl(parts.query)) | {"hostaddr": str(where["hostaddr"]), "sslrootcert": self.ca}
        place = f"{parts.netloc.rpartition('@')[0]}@{parts.hostname}:{where['port']}"
        return parts._replace(netloc=place, query=urlencode(words, quote_via=quote, safe="/")).geturl()


def folder(environ: Mapping[str, str], root: Path = ROOT) -> Path | None:
    """The folder of this clone's rehearsal: the variable's, else one in the clone; None where the variable is empty.

    PostgreSQL refuses to run as root: its servers are `nobody`'s then, who has to be able to enter the folder. Where
    the clone is closed to others it lies under /var/tmp. Read-only.

    Args:
        environ: The process environment.
        root: The clone.
    """
    if VARIABLE in environ:
        return Path(environ[VARIABLE]).resolve() if environ[VARIABLE] else None
    here = _of_clone(root)
    if os.geteuid() or all(each.stat().st_mode & stat.S_IXOTH for each in (root, *root.parents)):
        return here
    name = hashlib.sha256(str(here).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"session-database-{name}"  # noqa: S108  # `prepare` looks at its owner.


def prepare(ground: Path, root: Path = ROOT) -> None:
    """Make the folder of a rehearsal, and add it to those that the clone knows of.

    Args:
        ground: The folder.
        root: The clone.

    Raises:
        StateError: The folder is somebody else's, has other files in it, or cannot be made or written to.
    """
    try:
        _claim(ground)
        _remember(ground, root / _HOME / _GROUNDS)
    except OSError as error:
        message = (
            f"expected a folder for a rehearsal that can be made and written to, but {ground}: {error.strerror}. "
            f"{_EXAMPLE}"
        )
        raise StateError(message) from None


def _claim(ground: Path) -> None:
    ground.mkdir(mode=0o755, parents=True, exist_ok=True)
    if ground.is_symlink() or ground.stat().st_uid != os.geteuid():
        message = f"expected the folder of the rehearsal {ground} to be yours: remove it, or name one in {VARIABLE}"
        raise StateError(message)
    if any(ground.iterdir()) and not (ground / _MARKER).is_file():
        message = (
            f"expected a new or empty folder for a rehearsal, which `clean` removes, but {ground} has files in it. "
            f"{_EXAMPLE}"
        )
        raise StateError(message)
    if not (ground / _MARKER).is_file():
        (ground / _MARKER).write_text(_NOTE)
    tempfile.TemporaryFile(dir=ground).close()


def _remember(ground: Path, grounds: Path) -> None:
    grounds.parent.mkdir(parents=True, exist_ok=True)
    if not grounds.is_file() or str(ground) not in grounds.read_text().splitlines():
        with grounds.open("a") as file:
            file.write(f"{ground}\n")


def reach_of(of: Path | None) -> Reach | None:
    """How the servers of a folder are reached, all of them running; None where there has never been one.

    Args:
        of: The rehearsal's folder.

    Raises:
        ToolError: The control plane is gone, with its servers, and could not be started again.
    """
    if of is None or not (of / _FILE).exists():
        return None
    found = _read(of)
    if not _answers(found.control_plane):
        _wake(of)
        found = _read(of)
    return found


def _read(of: Path) -> Reach:
    told = json.loads((of / _FILE).read_text())
    return Reach(of / _FILE, told["control_plane"], told["ca"], told["hosts"], tuple(told.get("servers", ())))


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), _WAKE_SECONDS).close()
    except OSError:
        return False
    return True


def _wake(of: Path) -> None:
    """Its ledger knows what ran: all of that runs again, at the addresses it had."""
    command = [sys.executable, "-m", "rehearsal.controlplane", "--background", str(of)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"expected the control plane of the rehearsal in {of} to start: {done.stderr.strip()}"
        raise ToolError(message)


def _of_clone(root: Path) -> Path:
    return root / _HOME / "cloud"
