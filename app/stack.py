"""The URIs that a stack exports, asked of the provisioning half by its command line."""

import json
import subprocess
import sys
from typing import Final

from app.environment import ROOT
from app.errors import StackUnavailableError

APP: Final = "session_db_uri"

OWNER: Final = "admin_db_uri"

_SECONDS: Final = 600.0
"""The bound on the look-up; the first one may have to build the Pulumi CLI."""


def uris_of(stack: str) -> dict[str, str]:
    """The URIs of the app role and of the owner role; they travel by pipe alone. Read-only.

    Args:
        stack: The stack's name, for example `dev`.

    Returns:
        The exported `session_db_uri` and `admin_db_uri`, by these names.

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
        outputs = json.loads(done.stdout)["outputs"]
        return {name: str(outputs[name]) for name in (APP, OWNER)}
    except (ValueError, LookupError, TypeError):
        raise _unavailable(stack, f"it exports no {APP} and {OWNER}. To make them: make up STACK={stack}") from None


def _unavailable(stack: str, reason: str) -> StackUnavailableError:
    message = f"expected the outputs of stack {stack}, but: {reason or 'no answer'}"
    return StackUnavailableError(message)
