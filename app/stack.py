"""The URI that a stack exports, asked of the provisioning half by its command line."""

import json
import subprocess
import sys
from typing import Final

from app.environment import ROOT
from app.errors import StackUnavailableError

_SECONDS: Final = 600.0
"""The bound on the look-up; the first one may have to build the Pulumi CLI."""


def uri_of(stack: str) -> str:
    """The URI of the owner role, which bootstraps; it travels by pipe alone. Read-only.

    Args:
        stack: The stack's name, for example `dev`.

    Returns:
        The exported `admin_db_uri`.

    Raises:
        StackUnavailableError: The stack was never made, or its outputs cannot be read.
    """
    command = [sys.executable, "-m", "infra", "outputs", "--stack", stack, "--json", "--show-secrets"]
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise _unavailable(stack, f"no answer within {_SECONDS:.0f} s") from None
    if done.returncode:
        errors = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        raise _unavailable(stack, " ".join(errors) or f"python -m infra ended with {done.returncode}")
    try:
        return str(json.loads(done.stdout)["outputs"]["admin_db_uri"])
    except (ValueError, LookupError, TypeError):
        raise _unavailable(stack, f"it exports no admin_db_uri. To make it: make up STACK={stack}") from None


def _unavailable(stack: str, reason: str) -> StackUnavailableError:
    message = f"expected the outputs of stack {stack}, but: {reason or 'no answer'}"
    return StackUnavailableError(message)
