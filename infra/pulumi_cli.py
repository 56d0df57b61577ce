"""The Pulumi CLI: taken from PATH, installed from its site, or built from its Go module, in this order."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pulumi.automation import InvalidVersionError, PulumiCommand
from rich.console import Console
from semver import VersionInfo

from infra import go_toolchain
from infra.errors import ToolError
from infra.layout import ROOT, TOOLS
from infra.progress import Progress

Report = Callable[[str], None]
"""Takes one line of progress."""

_GO_MOD: Final = ROOT / "tools" / "go.mod"
_MODULE: Final = "github.com/pulumi/pulumi/pkg/v3"
_SITE: Final = "https://get.pulumi.com/install.sh"
_REACH_SECONDS: Final = 8.0
_INSTALL_SECONDS: Final = 300.0


def _pinned(pattern: str) -> VersionInfo:
    """A version out of tools/go.mod, the one place where they are written."""
    found = re.search(pattern, _GO_MOD.read_text(), re.MULTILINE)
    if found is None:
        message = f"expected a line like {pattern} in {_GO_MOD}"
        raise ToolError(message)
    return VersionInfo.parse(found[1])


PINNED: Final = _pinned(rf"^require {re.escape(_MODULE)} v(\S+)$")
"""The version that is installed or built; a CLI on PATH must be at least this, below 4."""

_LEAST_GO: Final = _pinned(r"^go (\S+)$")

_INSTALLED: Final = TOOLS / "pulumi"


class _UnavailableError(Exception):
    """One way to the CLI is closed; the next is tried."""


def ensure(report: Report) -> PulumiCommand:
    """Return a working CLI, installing or building it once into the git-ignored tools folder.

    Args:
        report: Called with a line of progress; an install may take minutes.

    Returns:
        The command for the Automation API.

    Raises:
        ToolError: No way worked; the message says what was tried and what to do.
    """
    with contextlib.suppress(_UnavailableError):
        return _usable(None)
    with contextlib.suppress(_UnavailableError):
        return _kept(report)
    with _alone(report):
        tried = []
        for way in (_kept, _from_site, _from_module):
            try:
                return way(report)
            except _UnavailableError as reason:
                tried.append(f"  - {reason}")
    message = (
        f"expected the Pulumi CLI {PINNED} or newer (below 4). Tried:\n"
        + "\n".join(["  - PATH: no pulumi in that range", *tried])
        + "\nInstall it from https://www.pulumi.com/docs/install/, or put Go on PATH, and run this again."
    )
    raise ToolError(message)


def _usable(root: Path | None) -> PulumiCommand:
    """The CLI under `root`, or on PATH; refused outside the supported range."""
    try:
        command = PulumiCommand(root=str(root) if root else None, version=PINNED)
    except (OSError, InvalidVersionError, subprocess.SubprocessError) as error:
        raise _UnavailableError(str(error)) from error
    if root is None:
        command.command = shutil.which("pulumi") or command.command
    return command


def _kept(_report: Report) -> PulumiCommand:
    try:
        return _usable(_INSTALLED)
    except _UnavailableError:
        message = f"{_INSTALLED.relative_to(ROOT)}: nothing installed yet"
        raise _UnavailableError(message) from None


def _from_site(report: Report) -> PulumiCommand:
    """The official installer (`PulumiCommand.install`), in a child that can be stopped, into a folder of its own."""
    report("asking Pulumi's site for the CLI")
    if not _reachable():
        message = f"official installer: {_SITE} did not answer within {_REACH_SECONDS:.0f} s"
        raise _UnavailableError(message)
    report(f"installing the Pulumi CLI {PINNED} with the official installer")
    fresh = _INSTALLED.with_name("pulumi.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    program = (
        "import sys, semver, pulumi.automation as auto;"
        "auto.PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    try:
        command = [sys.executable, "-c", program, str(fresh), str(PINNED)]
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except subprocess.SubprocessError as error:
        message = f"official installer: {type(error).__name__}"
        raise _UnavailableError(message) from error
    return _take(fresh)


def _reachable() -> bool:
    """Whether the site answers; in a thread, since a name look-up heeds no timeout."""
    answers = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(_SITE, timeout=_REACH_SECONDS):
            answers.set()
        asked.set()

    asked = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    asked.wait(_REACH_SECONDS)
    return answers.is_set()


def _from_module(report: Report) -> PulumiCommand:
    """`go build` of the module pinned in tools/go.mod; every source is checked against tools/go.sum."""
    try:
        go = go_toolchain.ensure(_LEAST_GO, report)
    except ToolError as error:
        message = f"Go module: {error}"
        raise _UnavailableError(message) from error
    fresh = _INSTALLED.with_name("pulumi.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    build = [
        *(go, "build", "-v", "-mod=readonly", "-trimpath", "-tags", "osusergo,grpcnotrace"),
        *("-ldflags", f"-w -s -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PINNED}"),
        *("-o", str(fresh / "bin" / "pulumi"), f"{_MODULE}/cmd/pulumi"),
    ]
    last = ""
    with subprocess.Popen(build, cwd=_GO_MOD.parent, env=_go_env(), stderr=subprocess.PIPE, text=True) as process:
        for count, line in enumerate(process.stderr or (), 1):
            last = line.strip()
            report(f"building the Pulumi CLI {PINNED} from its Go module, once, some minutes: {count} {last}")
    if process.returncode:
        message = f"Go module: {go} build ended with {process.returncode}: {last}"
        raise _UnavailableError(message)
    return _take(fresh)


def _go_env() -> dict[str, str]:
    """No C compiler is needed, and a vendored or workspace build of the user's does not leak in."""
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}


def _take(fresh: Path) -> PulumiCommand:
    """Put a finished install in its place at once, so that a killed one never looks finished."""
    _usable(fresh)
    shutil.rmtree(_INSTALLED, ignore_errors=True)
    fresh.rename(_INSTALLED)
    return _usable(_INSTALLED)


@contextlib.contextmanager
def _alone(report: Report) -> Iterator[None]:
    """One install at a time; a second caller waits and then finds the result."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "pulumi.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another run that is installing the Pulumi CLI")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    with Progress(Console(stderr=True)) as progress:
        ensure(progress.working)
