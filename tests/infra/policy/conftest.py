"""The real engine on a state of its own, running whatever a test registers."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from pulumi import automation
from pulumi.automation.events import EngineEvent

from infra import settings
from infra.layout import PLUGINS

PROJECT = "session-database"


@dataclass
class Ran:
    """What an operation came to.

    Attributes:
        failed: Whether the engine gave up.
        errors: What the engine said of errors.
        warnings: And of warnings.
        created: Names of resources that the engine really made.
        refusal: What the program itself raised.
        policies: What a policy pack found: names of policies and messages.
    """

    failed: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    refusal: BaseException | None = None
    policies: list[tuple[str, str]] = field(default_factory=list)

    def event(self, event: EngineEvent) -> None:
        """Take one event of the engine's stream."""
        if told := event.diagnostic_event:
            if told.severity == "error":
                self.errors.append(told.message)
            elif told.severity == "warning":
                self.warnings.append(told.message)
        elif found := event.policy_event:
            self.policies.append((found.policy_name, found.message))
        elif (made := event.resource_pre_event) and not made.planning and made.metadata.op.value == "create":
            self.created.append(made.metadata.urn.rsplit("::", 1)[-1])


class Engine(Protocol):
    """Runs a program."""

    def __call__(
        self,
        operation: str,
        program: Callable[[settings.Settings], None],
        *,
        packs: Sequence[str] = (),
        **keys: Any,
    ) -> Ran:
        """Carry out `up` or `preview`, with policy packs, of a program that gets the settings of these keys."""


@pytest.fixture
def engine(pulumi: str, tmp_path: Path, closing: None) -> Engine:  # noqa: ARG001  # Closed in the end.
    """The real engine, without a provider: what a test registers are components, whatever their type says."""
    state = tmp_path / "state"
    state.mkdir()
    variables = {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "change-me",
        "PULUMI_RUNTIME_VIRTUALENV": sys.prefix,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": os.pathsep.join([str(Path(pulumi).parent), os.environ["PATH"], str(PLUGINS)]),
    }
    command = automation.PulumiCommand(root=str(Path(pulumi).parent.parent))

    def run(
        operation: str, program: Callable[[settings.Settings], None], *, packs: Sequence[str] = (), **keys: Any
    ) -> Ran:
        ran = Ran()
        chosen = settings.load(texts(keys), project=PROJECT, stack="prod")

        def main() -> None:
            try:
                program(chosen)
            except BaseException as refusal:
                ran.refusal = refusal
                raise

        # Left to itself, the Automation API makes a folder that it never removes.
        folder = tempfile.mkdtemp(dir=tmp_path)
        options = automation.LocalWorkspaceOptions(work_dir=folder, env_vars=variables, pulumi_command=command)
        stack = automation.create_or_select_stack("prod", PROJECT, main, opts=options)
        extra = {"policy_packs": list(packs)} if packs else {}
        if packs:
            stack.set_all_config({key: automation.ConfigValue(value) for key, value in texts(keys).items()})
        try:
            getattr(stack, operation)(on_event=ran.event, color="never", **extra)
        except automation.CommandError:
            ran.failed = True
        return ran

    return run


def texts(keys: Mapping[str, Any]) -> dict[str, str]:
    """Keys of a stack file as the engine hands them over."""
    return {f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
