"""The policy pack's own environment, `.tools/policy`: pulumi-policy needs another protobuf than the program."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.errors import ToolError
from infra.layout import ROOT, TOOLS

LOCK: Final = ROOT / "requirements" / "policy.txt"

_PLACE: Final = TOOLS / "policy"


def ensure() -> Path:
    """Make the environment where it is missing or of another lock.

    Returns:
        Its folder.

    Raises:
        ToolError: It could not be made; the message is pip's last line.
    """
    done = _PLACE / "lock.txt"
    if done.exists() and done.read_text() == LOCK.read_text():
        return _PLACE
    pip = [str(_PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(_PLACE)],
        [*pip, "--require-hashes", "-r", str(LOCK)],
    ):
        run = subprocess.run(command, check=False, capture_output=True, text=True)
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["no word"])[-1]
            message = f"expected an environment for the policy pack in {_PLACE.relative_to(ROOT)}, but: {last}"
            raise ToolError(message)
    shutil.copy(LOCK, done)
    return _PLACE


if __name__ == "__main__":
    ensure()
