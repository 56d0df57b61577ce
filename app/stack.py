"""The record that a stack exports, asked of the provisioning half by its command line."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.environment import ROOT
from app.errors import InvalidSettingError, StackUnavailableError

APP: Final = "session_db_uri"

OWNER: Final = "admin_db_uri"

_SECONDS: Final = 600.0
"""The bound on the look-up; the first one may have to build the Pulumi CLI."""


@dataclass(frozen=True)
class Record:
    """What a stack exports.

    Attributes:
        stack: The stack's name.
        outputs: The exported record, the URIs in clear.
        control_plane: Where a rehearsal's control plane answers in the cloud's place; None where it is the cloud.
        reach: The file that tells where a rehearsal's hosts are; None where their names lead to them.
    """

    stack: str
    outputs: Mapping[str, Any] = field(repr=False)
    control_plane: str | None = field(default=None, repr=False)
    reach: Path | None = None

    @property
    def rehearsal(self) -> bool:
        """Whether a rehearsal made it."""
        return self.control_plane is not None

    def text(self, name: str) -> str:
        """One output as text, empty where there is none.

        Args:
            name: For example `backend`.
        """
        value = self.outputs.get(name)
        return "" if value is None else str(value)


def record_of(stack: str, *, rehearse: bool = False) -> Record:
    """The exported record with the URIs of the app role and of the owner; they travel by pipe alone. Read-only.

    Args:
        stack: The stack's name, for example `dev`.
        rehearse: Whether the rehearsal of it is meant.

    Raises:
        InvalidSettingError: There is no such stack file, or it is wrong, which the provisioning half has the code 2 for
            as well; or that half is not here.
        StackUnavailableError: The stack was never made, or its outputs cannot be read.
    """
    answer = _asked(stack, rehearse=rehearse)
    try:
        known = json.loads(answer)
        outputs = dict(known["outputs"])
        outputs |= {name: str(outputs[name]) for name in (APP, OWNER)}
    except (ValueError, LookupError, TypeError):
        make = f"python -m infra up --stack {stack} --rehearse" if rehearse else f"make up STACK={stack}"
        raise _unavailable(stack, f"it exports no {APP} and {OWNER}. To make them: {make}") from None
    reach = known.get("reach")
    return Record(stack, outputs, known.get("control_plane"), Path(reach) if reach else None)


def _asked(stack: str, *, rehearse: bool) -> str:
    if not (ROOT / "infra").is_dir():
        expected = f"expected no stack here, where only servers and jobs run, as in the image: {stack} is in a clone."
        message = f"{expected} Set SESSION_DB_URI, for example to what its output {APP} says"
        raise InvalidSettingError(message)
    command = [sys.executable, "-m", "infra", "outputs", "--stack", stack, "--json", "--show-secrets"]
    if rehearse:
        command.append("--rehearse")
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise _unavailable(stack, f"no answer within {_SECONDS:.0f} s") from None
    if done.returncode:
        errors = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        if done.returncode == InvalidSettingError.exit_code and errors:
            raise InvalidSettingError(" ".join(errors))
        raise _unavailable(stack, " ".join(errors) or f"python -m infra ended with {done.returncode}")
    return done.stdout


def _unavailable(stack: str, reason: str) -> StackUnavailableError:
    message = f"expected the outputs of stack {stack}, but: {reason or 'no answer'}"
    return StackUnavailableError(message)
