"""The provisioning half, asked by its command line to preview or to update the stack of a drill."""

import json
import subprocess
import sys
from typing import Final

from app.environment import ROOT
from app.errors import StackUnavailableError
from app.stack import Record

_SECONDS: Final = 7200.0
"""The bound on an operation: a cloud takes an hour for some changes of a server."""


def run(operation: str, record: Record, *options: str) -> dict[str, int]:
    """Run `python -m infra` on a stack.

    Args:
        operation: `preview` or `up`.
        record: What the stack exports.
        options: More of the command line.

    Returns:
        Resources by what happened, or would happen, to them; empty where nothing changes.

    Raises:
        StackUnavailableError: The operation failed; the message has the program's own words.
    """
    command = [sys.executable, "-m", "infra", operation, "--stack", record.stack, "--json", *options]
    if record.rehearsal:
        command.append("--rehearse")
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise _failed(operation, record, f"it did not end within {_SECONDS:.0f} s") from None
    if done.returncode:
        errors = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        raise _failed(operation, record, " ".join(errors) or f"it ended with {done.returncode}")
    changes = json.loads(done.stdout)["changes"]
    return {str(name): int(count) for name, count in changes.items()}


def _failed(operation: str, record: Record, reason: str) -> StackUnavailableError:
    message = f"expected python -m infra {operation} of stack {record.stack} to succeed, but: {reason}"
    return StackUnavailableError(message)
